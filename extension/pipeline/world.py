"""Maps media time to the recorded world: its wall clock and where its objects were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from extension.model import Caption, JobOptions, Position
from extension.timetravel.timeline import Timeline, fit_timeline
from extension.timetravel.trajectory import Trajectory

_DAY = dt.timedelta(days=1)


class World:
    """The recorded world of one job: learns from burnt-in clocks how the video lies in it.

    Args:
        options: Playback speed and stated start of the job.
        trajectory: The log that the replay shows, where there is one.
        tz: Zone that the burnt-in clock shows.
    """

    def __init__(self, options: JobOptions, trajectory: Trajectory | None, tz: dt.tzinfo) -> None:
        self._tz = tz
        self._trajectory = trajectory
        self._readings: list[tuple[float, str]] = []
        start_at = trajectory.start_at if trajectory else options.start_at
        self.timeline = Timeline(start_at, options.speed) if start_at else None

    def learn(self, caption: Caption) -> None:
        """Take in the burnt-in clocks that a verdict read."""
        if self.timeline is None or caption.verdict is None:
            return
        verdict = caption.verdict
        seen = [(c.span.start_s, c.clock) for c in verdict.claims if c.clock]
        if verdict.clock:
            seen.append((caption.chunk.span.start_s, verdict.clock))
        if seen and self._trajectory:
            self._readings += seen
            log = self._trajectory
            self.timeline = fit_timeline(
                self._readings, log.start_at, log.end_at, self.timeline.speed, tz=self._tz
            )

    def at(self, media_s: float) -> dt.datetime | None:
        """Wall clock of the recorded world at a media offset; None when nothing anchors it."""
        return self.timeline.at(media_s) if self.timeline else None

    def locate(self, objects: Sequence[str], at: dt.datetime) -> tuple[Position, ...]:
        """Positions of the objects (by label) at an instant; empty without a log."""
        return self._trajectory.positions_of(objects, at) if self._trajectory else ()

    def media_s(self, clock: str) -> float | None:
        """Media offset of a burnt-in clock, or None when nothing anchors it."""
        if self.timeline is None:
            return None
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        start_at = self.timeline.at(0.0).astimezone(self._tz)
        midnight = start_at.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        # A replay may run past midnight; a clock just before its start is a rounding of it.
        at = at + _DAY if at < start_at - _DAY / 2 else at
        return self.timeline.media_s(at)
