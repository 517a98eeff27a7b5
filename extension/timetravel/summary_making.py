"""Makes a summary out of what the store knows of a job. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from extension.model import Caption, Incident, Job, JobStatus, Kind, Position, Span
from extension.timetravel.summary import MOST_IN_VIDEO, Busy, Coverage, Missed, Moment, Summary, badness
from extension.timetravel.summary_places import hot_spots, nearest
from extension.timetravel.timeline import Timeline
from extension.timetravel.trajectory import Trajectory, label_order

_BUSIEST: Final = 3
_MINUTE_S: Final = 60.0
_TINY_S: Final = 1e-6
_ASKED: Final = "asked"
"""False in the stats of a caption that stands for a chunk which the VLM was not asked about."""


def summarize(
    job: Job,
    incidents: Iterable[Incident],
    captions: Sequence[Caption],
    *,
    trajectory: Trajectory | None = None,
    timeline: Timeline | None = None,
    tz: dt.tzinfo = dt.UTC,
    most_in_video: int = MOST_IN_VIDEO,
    ended: bool | None = None,
) -> Summary:
    """Summarize a job.

    Args:
        job: The job, with its length and number of chunks where these are known by now.
        incidents: All its incidents, in any order.
        captions: The answers of its chunks, failed ones included.
        trajectory: The log behind the video; it tells places and distances.
        timeline: Which instant of the recorded world the video shows when.
        tz: Zone that times are told in.
        most_in_video: The video shows the worst ones up to this many.
        ended: Whether all that can be known is known; None goes by the job's status.
    """
    ordered = sorted(incidents, key=_in_time)
    moments = tuple(_moment(number, each, trajectory) for number, each in enumerate(ordered, start=1))
    ranked = sorted(moments, key=badness)
    return Summary(
        job_id=job.id,
        name=_written(job.name),
        model=job.model,
        tz=tz,
        moments=moments,
        kinds=_most_first(Counter(m.kind for m in moments)),
        severities=tuple(
            sorted(Counter(m.severity for m in moments).items(), key=lambda counted: -counted[0].rank)
        ),
        objects=_objects(moments),
        groups=_groups(moments),
        worst=ranked[0].number if ranked else None,
        hot_spots=hot_spots([m.place for m in moments if m.place]),
        busiest=_busiest(moments, tz),
        coverage=replace(
            _coverage(job, captions, timeline),
            log_asked=trajectory is not None and job.options.geometry,
            ended=job.status in (JobStatus.DONE, JobStatus.FAILED) if ended is None else ended,
        ),
        shown=tuple(sorted(moment.number for moment in ranked[:most_in_video])),
    )


def _in_time(incident: Incident) -> tuple[float, float, list[tuple[int, int, str]], str]:
    """Sort key: media time; what lies before the first frame or after the last, by the world's clock."""
    at_s = incident.start_at.timestamp() if incident.start_at else 0.0
    return incident.span.start_s, at_s, [label_order(name) for name in incident.objects], incident.id


def _moment(number: int, incident: Incident, trajectory: Trajectory | None) -> Moment:
    moment = Moment(
        number=number,
        incident_id=incident.id,
        kind=incident.kind,
        severity=incident.severity,
        objects=tuple(sorted(dict.fromkeys(map(_written, incident.objects)), key=label_order)),
        span=incident.span,
        start_at=incident.start_at,
        end_at=incident.end_at,
        clock=incident.clock,
        positions=incident.positions,
        basis=incident.basis,
        description=_written(incident.description),
        place=_middle(incident.positions),
    )
    if trajectory is None or incident.start_at is None:
        return moment
    found = nearest(trajectory, incident.objects, incident.start_at, incident.end_at or incident.start_at)
    if found is None:
        return moment
    return replace(moment, place=found.place, closest_cm=found.apart_cm, closest_at=found.at)


def _written(text: str) -> str:
    """The text as it can be written to a file: half a character becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _middle(positions: Sequence[Position]) -> tuple[float, float] | None:
    if not positions:
        return None
    return sum(p.x for p in positions) / len(positions), sum(p.z for p in positions) / len(positions)


def _most_first(counts: Counter[Kind]) -> tuple[tuple[Kind, int], ...]:
    return tuple(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))


def _objects(moments: Iterable[Moment]) -> tuple[tuple[str, int], ...]:
    counts = Counter(name for moment in moments for name in moment.objects)
    return tuple(sorted(counts.items(), key=lambda counted: (-counted[1], label_order(counted[0]))))


def _groups(moments: Iterable[Moment]) -> tuple[tuple[tuple[str, ...], int], ...]:
    counts = Counter(moment.objects for moment in moments if len(moment.objects) > 1)
    return tuple(
        sorted(counts.items(), key=lambda counted: (-counted[1], [label_order(name) for name in counted[0]]))
    )


def _busiest(moments: Sequence[Moment], tz: dt.tzinfo) -> tuple[Busy, ...]:
    """The minutes with most beginnings: of the world's clock where every moment has it, else of the video."""
    has_clock = all(moment.start_at for moment in moments)
    minutes: dict[dt.datetime | float, list[float]] = {}
    for moment in moments:
        minute: dt.datetime | float = moment.span.start_s // _MINUTE_S * _MINUTE_S
        if has_clock and moment.start_at:
            minute = moment.start_at.astimezone(tz).replace(second=0, microsecond=0)
        minutes.setdefault(minute, []).append(moment.span.start_s)
    several = [
        Busy(
            start_s=min(starts_s),
            start_at=minute if isinstance(minute, dt.datetime) else None,
            count=len(starts_s),
        )
        for minute, starts_s in minutes.items()
        if len(starts_s) > 1
    ]
    return tuple(sorted(several, key=lambda minute: (-minute.count, minute.start_s))[:_BUSIEST])


def _coverage(job: Job, captions: Sequence[Caption], timeline: Timeline | None) -> Coverage:
    asked = [caption for caption in captions if caption.stats.get(_ASKED) is not False]
    failed = [Missed(c.chunk.span, c.failure.code, c.failure.message) for c in asked if c.failure]
    media_s = job.media_s
    return Coverage(
        ended=False,
        media_s=media_s,
        chunks=job.chunk_count,
        judged=len(asked) - len(failed),
        failed=tuple(sorted(failed, key=lambda missed: missed.span.start_s)),
        not_asked=max(0, (job.chunk_count or 0) - len(asked)),
        not_asked_spans=_without((c.chunk.span for c in asked), media_s) if job.chunk_count else (),
        shown_from_at=timeline.at(0.0) if timeline else None,
        shown_to_at=timeline.at(media_s) if timeline and media_s is not None else None,
        parts=max(1, len(timeline.pieces)) if timeline else 1,
    )


def _without(spans: Iterable[Span], media_s: float | None) -> tuple[Span, ...]:
    """What is left of the video outside the spans."""
    left, reached_s = [], 0.0
    ends = sorted((span.start_s, span.end_s) for span in spans)
    for start_s, end_s in [*ends, (media_s or 0.0, media_s or 0.0)]:
        if start_s > reached_s + _TINY_S:
            left.append(Span(reached_s, start_s))
        reached_s = max(reached_s, end_s)
    return tuple(left)
