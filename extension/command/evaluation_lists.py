"""Reads answers from the files that list times with objects: intermediate, event list, event index, summary, plain seconds."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from extension.command.evaluation_content import by_clock as entries_by_clock
from extension.command.evaluation_shapes import Origin
from extension.timetravel import readback
from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_runs import BASE_AT, Answers, Second, Truth, Unread, from_seconds, merged
from extension.timetravel.trajectory import label_order

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_PAIR: Final = 2


def intermediate(origin: Origin, page: Any) -> list[Answers]:
    """One run from an intermediate file."""
    del page
    return [_dated(origin, readback.read_intermediate(origin.path))]


def summary(origin: Origin, page: Any) -> list[Answers]:
    """One run from a summary, whose events are lines of an intermediate file."""
    entries = [groups for entry in page["events"] for groups in readback.groups_of(entry)]
    answers = _dated(origin, entries)
    source = page.get("source_id")
    taken_s = page.get("execution_time")
    return [
        replace(
            answers,
            model=str(page["model"]) if page.get("model") else answers.model,
            video=answers.video or (Path(str(source)).stem if source else None),
            execution_s=None if taken_s is None else float(taken_s),
        )
    ]


def _dated(origin: Origin, entries: Sequence[readback.Groups]) -> Answers:
    truth = origin.truth
    log_s, warnings = _log_seconds([entry.time for entry in entries], truth)
    seconds = tuple(
        (second, _labels(group, truth))
        for entry, second in zip(entries, log_s, strict=True)
        for group in entry.groups
    )
    return _of_seconds(origin, seconds, warnings=warnings)


def event_list(origin: Origin, page: Any) -> list[Answers]:
    """One run from an event list: the objects of one time are one contact, or several pairs where their number is even."""
    del page
    truth = origin.truth
    at_time: dict[dt.datetime, list[str]] = defaultdict(list)
    for listed in readback.read_event_list(origin.path):
        at_time[listed.time].append(truth.label(listed.objid))
    numbers, warnings = _log_seconds(list(at_time), truth)
    seconds = [
        (second, group)
        for second, objects in zip(numbers, at_time.values(), strict=True)
        for group in _listed_groups(objects)
    ]
    exact = [
        truth.clock.during(second, group)
        if not at.microsecond
        else _moment(second - truth.clock.fraction_s + at.microsecond / 1e6, group)
        for (at, objects), second in zip(at_time.items(), numbers, strict=True)
        for group in _listed_groups(objects)
    ]
    if alone := sum(len(group) < _PAIR for _, group in seconds):
        warnings = (*warnings, f"{alone} entries name one object only: they can be detected, not attributed")
    answers = _of_seconds(origin, seconds, warnings=warnings)
    return [replace(answers, reports=merged(exact))]


def _moment(at_s: float, objects: tuple[str, ...]) -> Occurrence:
    return Occurrence(at_s, at_s, objects)


def _listed_groups(objects: list[str]) -> list[tuple[str, ...]]:
    """Lines of one time: pairs in the order of the file when they are even in number, else one group."""
    if len(objects) % _PAIR:
        return [tuple(dict.fromkeys(objects))]
    return [(objects[i], objects[i + 1]) for i in range(0, len(objects), _PAIR)]


def event_index(origin: Origin, page: Any) -> list[Answers]:
    """The runs in an event index: records are told apart by model, video and run."""
    del page
    runs: dict[tuple[str | None, str | None, str | None], list[readback.Indexed]] = defaultdict(list)
    for record in readback.read_event_index(origin.path):
        runs[record.model, record.video, record.run].append(record)
    return [_indexed(origin, key, records) for key, records in runs.items()]


def _indexed(
    origin: Origin, key: tuple[str | None, str | None, str | None], records: Sequence[readback.Indexed]
) -> Answers:
    truth, (model, video, run) = origin.truth, key
    dated = [record for record in records if record.time is not None]
    numbers, warnings = _log_seconds([record.time for record in dated if record.time], truth)
    seconds = [(second, _labels(record.objids, truth)) for record, second in zip(dated, numbers, strict=True)]
    unread = []
    for record in records:
        if record.time is None:
            text = record.clock or ""
            number = int(float(text)) if _NUMBER.fullmatch(text) else truth.clock.second_of(text)
            if number is None:
                unread.append(Unread("record", f"{text[:40]!r} is not a time"))
            else:
                seconds.append((number, _labels(record.objids, truth)))
    answers = _of_seconds(origin, seconds, unread=unread, warnings=warnings)
    return replace(
        answers,
        model=model or answers.model,
        video=Path(video).stem if video else answers.video or origin.path.stem,
        run=run or answers.run,
    )


def by_number(origin: Origin, page: Any) -> list[Answers]:
    """One run from `{"28": [[1, 4]]}`: numbers of seconds since the log's start."""
    seconds = [
        (int(number), _labels(group, origin.truth))
        for number, groups in page.items()
        for group in readback.parsed_groups(groups)
    ]
    return [_of_seconds(origin, seconds)]


def by_clock(origin: Origin, page: Any) -> list[Answers]:
    """One run from `[{"00:00:28": [1, 4]}]`: a model's whole answer saved as it is."""
    said = entries_by_clock(page, origin.truth, None)
    unread = tuple(Unread("list", reason) for reason in said.reasons)
    return [_of_seconds(origin, said.seconds, unread=unread)]


def _of_seconds(
    origin: Origin, seconds: Iterable[Second], *, unread: Sequence[Unread] = (), warnings: Sequence[str] = ()
) -> Answers:
    kept = tuple(sorted(seconds))
    return replace(
        origin.unnamed,
        reports=from_seconds(kept, origin.truth.clock),
        seconds=kept,
        unread=tuple(unread),
        warnings=tuple(warnings),
    )


def _labels(group: Iterable[str], truth: Truth) -> tuple[str, ...]:
    return tuple(sorted({truth.label(name) for name in group}, key=label_order))


def _log_seconds(times: Sequence[dt.datetime], truth: Truth) -> tuple[list[int], tuple[str, ...]]:
    """Whole clock seconds of the log; by time of day alone where the file carries the predecessor's constant date and the log another."""
    clock = truth.clock
    began = clock.start_at.astimezone(clock.tz)
    constant = bool(times) and all(time.date() == BASE_AT.date() for time in times)
    if constant and began.date() != BASE_AT.date():
        numbers = [clock.second_of(f"{time:%H:%M:%S}") or 0 for time in times]
        return numbers, (
            f"every date is {BASE_AT:%Y-%m-%d} while the log is of {began:%Y-%m-%d}: compared by time of day",
        )
    return [int((clock.seconds_to(time) + clock.fraction_s) // 1) for time in times], ()
