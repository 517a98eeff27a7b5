"""Maps media time to the recorded world: its wall clock, where its objects were, and what its log says of contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from extension.model import Caption, JobOptions, Position
from extension.timetravel.contacts import THRESHOLD_CM
from extension.timetravel.referee import Referee
from extension.timetravel.timeline import Timeline, fit_timeline, stated
from extension.timetravel.trajectory import Trajectory

_DAY = dt.timedelta(days=1)


class World:
    """The recorded world of one job: learns from burnt-in clocks how the video lies in it.

    Args:
        options: Playback speed and stated start of the job.
        trajectory: The log that the replay shows, where there is one.
        tz: Zone that the burnt-in clock shows.
        contact_cm: Horizontal distance below which two objects of the log are in contact.

    Attributes:
        tz: Zone that the burnt-in clock shows.
        timeline: How the video lies in the recorded world; None when nothing anchors it.
        trajectory: The log.
        referee: Tells what the log says of contacts; None without a log, and where the job wants the VLM alone.
    """

    def __init__(
        self,
        options: JobOptions,
        trajectory: Trajectory | None,
        tz: dt.tzinfo,
        contact_cm: float = THRESHOLD_CM,
    ) -> None:
        self.tz = tz
        self.trajectory = trajectory
        self.referee = Referee(trajectory, contact_cm) if trajectory and options.geometry else None
        self._readings: list[tuple[float, str]] = []
        self._stated = options.start_at is not None
        self.timeline = _first_timeline(options, trajectory)

    def learn(self, caption: Caption) -> None:
        """Take in the burnt-in clocks that a verdict read."""
        if self.timeline is None or caption.verdict is None:
            return
        verdict = caption.verdict
        seen = [(c.span.start_s, c.clock) for c in verdict.claims if c.clock]
        if verdict.clock:
            seen.append((caption.chunk.span.start_s, verdict.clock))
        if seen and self.trajectory and not self._stated:
            self._readings += seen
            log = self.trajectory
            self.timeline = fit_timeline(
                self._readings, log.start_at, log.end_at, self.timeline.speed, tz=self.tz
            )

    def at(self, media_s: float) -> dt.datetime | None:
        """Wall clock of the recorded world at a media offset; None when nothing anchors it."""
        return self.timeline.at(media_s) if self.timeline else None

    def locate(self, objects: Sequence[str], at: dt.datetime) -> tuple[Position, ...]:
        """Positions of the objects (by label) at an instant; empty without a log."""
        return self.trajectory.positions_of(objects, at) if self.trajectory else ()

    def media_s(self, clock: str) -> float | None:
        """Media offset of a burnt-in clock, or None when nothing anchors it."""
        if self.timeline is None:
            return None
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        start_at = self.timeline.at(0.0).astimezone(self.tz)
        midnight = start_at.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        # A replay may run past midnight; a clock just before its start is a rounding of it.
        at = at + _DAY if at < start_at - _DAY / 2 else at
        return self.timeline.media_s(at)


def _first_timeline(options: JobOptions, trajectory: Trajectory | None) -> Timeline | None:
    """What is known before any frame was looked at."""
    if trajectory is None:
        return Timeline(options.start_at, options.speed, sure=True) if options.start_at else None
    if options.start_at is not None:
        return stated(trajectory.start_at, options.speed, options.start_at, options.pieces)
    return Timeline(trajectory.start_at, options.speed)
