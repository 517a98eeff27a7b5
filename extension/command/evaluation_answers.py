"""Reads the answers of runs from files of any known shape, ours and the predecessors', as what an evaluation compares."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from extension.command import evaluation_lists as lists
from extension.command.evaluation_content import Said, predecessors_reading, said
from extension.command.evaluation_shapes import STAMPED, Origin, load
from extension.errors import BadInput
from extension.model import Chunk, Claim, Kind, Span
from extension.timetravel import readback
from extension.timetravel.evaluation import Occurrence, seconds_of
from extension.timetravel.readback import finite
from extension.timetravel.scoring_runs import Answers, LogClock, Second, Truth, Unread, from_seconds, merged
from extension.timetravel.timeline import Timeline, fit_timeline
from extension.wire import EventOut, IncidentOut, JobOut

_OUTSIDE_S: Final = 2.0
"""Reports this far outside the log are worth a word."""


def read_answers(origin: Origin) -> list[Answers]:
    """The answers in a file; one per run, of which only an event index may hold several.

    Raises:
        BadInput: It is of no known shape, or broken; the message names file, line and reason.
    """
    shape, page = load(origin.path)
    try:
        found = _READERS[shape](origin, page)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{origin.path.name}: not a {shape} ({where}: {first['msg']})") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadInput(f"{origin.path.name}: not a {shape} ({readback.reason(exc)})") from exc
    return [_checked(replace(answers, shape=shape), origin.truth) for answers in found]


def _report(origin: Origin, page: Any) -> list[Answers]:
    job = JobOut.model_validate(page["job"])
    incidents = [IncidentOut.model_validate(entry) for entry in page["incidents"]]
    if origin.vlm_only:
        events = [EventOut.model_validate(entry) for entry in page["events"]]
        seen = {event.id for event in events if event.chunk_index >= 0}
        incidents = [incident for incident in incidents if seen.intersection(incident.event_ids)]
    clock = origin.truth.clock
    reports = []
    for one in incidents:
        if one.kind is not Kind.COLLISION:
            continue
        start_s = clock.seconds_to(one.start_at) if one.start_at else one.start_s * job.speed
        end_s = clock.seconds_to(one.end_at) if one.end_at else one.end_s * job.speed
        reports.append(Occurrence(start_s, end_s, tuple(map(origin.truth.label, one.objects))))
    failed = tuple(
        Unread("job", f"{n + 1} of {job.failed_chunks} chunks without a verdict")
        for n in range(job.failed_chunks)
    )
    return [
        replace(
            origin.unnamed,
            model=job.model,
            video=Path(job.name).stem,
            run=job.id,
            reports=tuple(reports),
            seconds=_touched(reports, clock),
            answered=job.chunk_count,
            unread=failed,
            execution_s=None if page.get("job_s") is None else finite(page["job_s"]),
            media_s=job.media_s,
        )
    ]


def _raw(origin: Origin, page: Any) -> list[Answers]:
    raw = readback.raw_answers_of(page)
    clock, speed = origin.truth.clock, origin.speed
    spoken: list[Said] = []
    unread: list[Unread] = []
    for index, part in enumerate(raw.chunks):
        one = said(part, Chunk(index, Span(part.start_s, part.end_s)), origin.truth, speed)
        spoken.append(one)
        unread += [Unread(f"chunk at {part.start_s:g} s", reason) for reason in one.reasons]
    missing = max(0, (raw.expected or 0) - len(raw.chunks))
    unread += [Unread("file", "an answer is missing: fewer chunks than were processed")] * missing
    readings = [reading for one in spoken for reading in one.readings]
    end_at = clock.start_at + dt.timedelta(
        seconds=origin.truth.duration_s or max((part.end_s for part in raw.chunks), default=0.0) * speed
    )
    line = fit_timeline(readings, clock.start_at, end_at, speed, tz=clock.tz)
    seconds = [second for one in spoken for second in one.seconds]
    spans = [_in_log(claim, line, origin.truth) for one in spoken for claim in one.claims]
    unheard = sum(
        bool(one.seconds) and not predecessors_reading(part.content)
        for one, part in zip(spoken, raw.chunks, strict=True)
    )
    named = origin.unnamed
    warnings = (
        [f"the predecessor's reader would skip {unheard} of {len(raw.chunks)} answers in silence"]
        if unheard
        else []
    )
    return [
        replace(
            named,
            model=raw.model,
            video=Path(raw.video).stem if raw.video else _video_after(raw.model, origin.path) or named.video,
            run=raw.id or named.run,
            reports=merged([*spans, *from_seconds(seconds, clock)]),
            seconds=tuple(sorted({*seconds, *_touched(spans, clock)})),
            answered=len(raw.chunks) + missing,
            unread=tuple(unread),
            execution_s=raw.execution_s,
            media_s=max((part.end_s for part in raw.chunks), default=None),
            latencies_s=tuple(part.latency_s for part in raw.chunks if part.latency_s is not None),
            warnings=tuple(warnings),
        )
    ]


def _video_after(model: str, path: Path) -> str | None:
    """The video in a file's name, where the name begins with the model's as names of files spell it."""
    parts = STAMPED.fullmatch(path.stem)
    spelled = re.sub(r"[^\w.-]+", "-", model).strip("-.")
    known = parts and spelled and parts["what"].startswith(f"{spelled}_")
    return parts["what"][len(spelled) + 1 :] if parts and known else None


def _in_log(claim: Claim, line: Timeline, truth: Truth) -> Occurrence:
    objects = tuple(truth.label(name) for name in claim.objects)
    return Occurrence(line.log_s(claim.span.start_s), line.log_s(claim.span.end_s), objects)


def _touched(spans: Iterable[Occurrence], clock: LogClock) -> tuple[Second, ...]:
    """The whole clock seconds that spans touch."""
    early_s = clock.fraction_s
    return tuple(
        sorted(
            {
                (second, one.objects)
                for one in spans
                for second in seconds_of(Occurrence(one.start_s + early_s, one.end_s + early_s, one.objects))
            }
        )
    )


def _checked(answers: Answers, truth: Truth) -> Answers:
    """The answers with a word about reports that the log cannot hold."""
    last_s = truth.duration_s if truth.duration_s is not None else float("inf")
    outside = sum(
        report.end_s < -_OUTSIDE_S or report.start_s > last_s + _OUTSIDE_S for report in answers.reports
    )
    if not outside:
        return answers
    word = f"{outside} of {len(answers.reports)} reports lie outside the log: is it the right truth, start and speed?"
    return replace(answers, warnings=(*answers.warnings, word))


_READERS: Final[dict[str, Callable[[Origin, Any], list[Answers]]]] = {
    "run report": _report,
    "raw answers": _raw,
    "intermediate": lists.intermediate,
    "event list": lists.event_list,
    "event index": lists.event_index,
    "summary": lists.summary,
    "list of seconds": lists.by_number,
    "list by clock": lists.by_clock,
}
