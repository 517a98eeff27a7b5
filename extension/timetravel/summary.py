"""What a job came to, as one value: its moments, their counts, the worst, where and when most happened, and what was looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from extension.model import Basis, Kind, Position, Severity, Span
from extension.timetravel.summary_places import Spot

MOST_IN_VIDEO: Final = 60
"""A summary's video shows at most this many moments: about five minutes."""

_FAR_CM: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Moment:
    """One incident as the summary tells it.

    Attributes:
        number: Place in time order, from 1.
        incident_id: The incident; there is exactly one moment for each.
        kind: What happened.
        severity: How bad it is.
        objects: All objects that took part.
        span: Media seconds; of no length at an end of the video where the video does not show the moment.
        start_at: When it began in the recorded world, where that is known.
        end_at: When it ended there.
        clock: The burnt-in clock at its start.
        positions: Where the objects were at its start.
        basis: What it rests on: the VLM's answer, the log's coordinates, or both.
        description: What the VLM, or the log, said of it.
        place: Middle of the objects when they were closest, x and z in the log's centimetres.
        closest_cm: Smallest distance of two of its objects on the ground meanwhile.
        closest_at: When that was.
    """

    number: int
    incident_id: str
    kind: Kind
    severity: Severity
    objects: tuple[str, ...]
    span: Span
    start_at: dt.datetime | None = None
    end_at: dt.datetime | None = None
    clock: str | None = None
    positions: tuple[Position, ...] = ()
    basis: Basis = Basis.VLM
    description: str = ""
    place: tuple[float, float] | None = None
    closest_cm: float | None = None
    closest_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """A chunk that was asked about and has no verdict: nobody knows what happened in it."""

    span: Span
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at. It is the proof of a summary that holds no moment.

    Attributes:
        ended: Whether the job is over; until then the rest may still come.
        media_s: Length of the video; None before it was opened.
        chunks: How many chunks the video has; None before it was opened.
        judged: Chunks that the VLM gave a verdict on.
        failed: Chunks that have none, although the VLM was asked.
        not_asked: How many chunks the VLM was not asked about.
        not_asked_spans: Where these lie.
        log_asked: Whether the log's coordinates were searched for contacts, in every chunk.
        shown_from_at: Instant of the recorded world that the video begins with, where known.
        shown_to_at: The one it ends with.
        parts: How many parts of the time between these the video shows; what lies between two parts is left out.
    """

    ended: bool
    media_s: float | None
    chunks: int | None
    judged: int
    failed: tuple[Missed, ...] = ()
    not_asked: int = 0
    not_asked_spans: tuple[Span, ...] = ()
    log_asked: bool = False
    shown_from_at: dt.datetime | None = None
    shown_to_at: dt.datetime | None = None
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Busy:
    """A minute in which several moments began.

    Attributes:
        start_s: Media second of the first of them.
        start_at: The minute on the recorded world's clock, where every moment has one; else the minute is one of the video.
        count: How many.
    """

    start_s: float
    start_at: dt.datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job came to.

    Attributes:
        job_id: The job.
        name: Name of its video.
        model: The VLM that looked.
        tz: Zone that times are told in.
        moments: All of them, by time.
        kinds: How many of each kind, most first.
        severities: How many of each severity, worst first.
        objects: In how many moments each object took part, most first.
        groups: How many moments each group of two or more objects had together, most first.
        worst: Number of the worst moment; None when there is none. See `badness`.
        hot_spots: Places where several moments happened, most first.
        busiest: Minutes in which several moments began, most first.
        coverage: What was looked at.
        shown: Numbers of the moments that the summary's video shows, by time.
    """

    job_id: str
    name: str
    model: str | None
    tz: dt.tzinfo
    moments: tuple[Moment, ...]
    kinds: tuple[tuple[Kind, int], ...]
    severities: tuple[tuple[Severity, int], ...]
    objects: tuple[tuple[str, int], ...]
    groups: tuple[tuple[tuple[str, ...], int], ...]
    worst: int | None
    hot_spots: tuple[Spot, ...]
    busiest: tuple[Busy, ...]
    coverage: Coverage
    shown: tuple[int, ...]

    @property
    def worst_moment(self) -> Moment | None:
        """The worst moment itself."""
        return self.moments[self.worst - 1] if self.worst else None

    @property
    def shown_moments(self) -> tuple[Moment, ...]:
        """The moments that the summary's video shows."""
        return tuple(self.moments[number - 1] for number in self.shown)


def badness(moment: Moment) -> tuple[int, float, float, int]:
    """Sort key, worst first: higher severity, then smaller distance (unknown is far), then longer, then earlier."""
    closest_cm = _FAR_CM if moment.closest_cm is None else moment.closest_cm
    return -moment.severity.rank, closest_cm, -_lasted_s(moment), moment.number


def _lasted_s(moment: Moment) -> float:
    if moment.start_at and moment.end_at:
        return (moment.end_at - moment.start_at).total_seconds()
    return moment.span.duration_s
