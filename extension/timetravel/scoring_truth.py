"""Reads a truth from whatever holds it: a trajectory log, a contacts file, the predecessors' collisions CSV, a list of seconds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from extension.errors import BadInput
from extension.timetravel.contacts import contact_seconds, contacts
from extension.timetravel.evaluation import Occurrence, occurrences_of
from extension.timetravel.readback import parsed_groups, parsed_time, read_text, reason
from extension.timetravel.scoring_runs import BASE_AT, LogClock, Second, Truth, from_seconds, merged
from extension.timetravel.trajectory import Trajectory, label_of
from extension.timetravel.trajectory_csv import read_trajectory

SHAPES: Final = (
    "a trajectory log (CSV with timestamp,objid,x,y,z), a collisions CSV (the same with kind), "
    'a contacts file ({"threshold_cm": ..., "contacts": [...]}) or a list of seconds ({"28": [["1", "4"]], ...})'
)
_BEGINNING_BYTES: Final = 4096
_PARQUET: Final = "PAR1"
_COLLISION_COLUMNS: Final = {"timestamp", "objid", "x", "z", "kind"}


def read_truth(
    path: Path, *, threshold_cm: float, tz: dt.tzinfo = dt.UTC, start_at: dt.datetime | None = None
) -> Truth:
    """Read a truth file of any known shape.

    Args:
        path: The file.
        threshold_cm: Centre distance below which two objects of a log are in contact.
        tz: Zone of timestamps that state none, and of the burnt-in clock.
        start_at: The log's first instant, for files that do not tell it; else midnight of their first day.

    Raises:
        BadInput: It is none of the known shapes, or broken; the message names file, line and reason.
    """
    began = _beginning(path)
    if began.lstrip()[:1] not in ("{", "[") and not _header(began) >= _COLLISION_COLUMNS:
        if "objid" not in _header(began) and not began.startswith(_PARQUET):
            raise BadInput(f"{path.name}: line 1: not a truth; known are {SHAPES}")
        return truth_of(read_trajectory(path, tz), path.name, threshold_cm)
    text = read_text(path)
    try:
        if text.lstrip()[:1] in ("{", "["):
            return _from_json(path.name, _json(text), tz, start_at)
        return _from_collisions(path.name, text, threshold_cm, tz, start_at)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadInput(f"{path.name}: not a truth ({reason(exc)}); known are {SHAPES}") from exc


def truth_of(trajectory: Trajectory, name: str, threshold_cm: float) -> Truth:
    """The truth that a log holds: contacts computed from its coordinates."""
    return Truth(
        name=name,
        source=f"computed from the log's coordinates, contact below {threshold_cm:g} cm",
        contacts=occurrences_of(contacts(trajectory, threshold_cm), trajectory.start_at),
        seconds=tuple(sorted(contact_seconds(trajectory, threshold_cm))),
        clock=LogClock(trajectory.start_at, trajectory.tz),
        duration_s=trajectory.duration_s,
        threshold_cm=threshold_cm,
        labels=dict(trajectory.labels),
        warnings=trajectory.warnings,
    )


def _beginning(path: Path) -> str:
    """What a file begins with: enough to tell its shape, and no more of a log that may be large."""
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING_BYTES).decode("utf-8-sig", "replace")
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be read ({exc.strerror or 'unknown reason'})") from exc


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise ValueError(f"line {exc.lineno}: {exc.msg}") from exc


def _header(text: str) -> set[str]:
    return {name.strip().lower() for name in text.split("\n", 1)[0].split(",")}


def _from_json(name: str, page: Any, tz: dt.tzinfo, start_at: dt.datetime | None) -> Truth:
    if isinstance(page, dict) and "contacts" in page:
        return _from_contacts(name, page, tz, start_at)
    if isinstance(page, dict) and all(str(key).strip().isdecimal() for key in page):
        clock = LogClock(start_at or BASE_AT.replace(tzinfo=tz), tz)
        seconds = tuple(
            sorted(
                (int(key), tuple(map(label_of, group)))
                for key, groups in page.items()
                for group in parsed_groups(groups)
            )
        )
        return Truth(name, "a list of seconds", from_seconds(seconds, clock), seconds, clock)
    raise ValueError("neither contacts nor seconds are in it")


def _from_contacts(name: str, page: Mapping[str, Any], tz: dt.tzinfo, start_at: dt.datetime | None) -> Truth:
    rows = [_contact(number, row, tz) for number, row in enumerate(page["contacts"], start=1)]
    told = page.get("start_at") and _aware(parsed_time(page["start_at"]), tz)
    clock = LogClock(told or start_at or _midnight([at for at, _, _ in rows], tz), tz)
    found = tuple(
        Occurrence(clock.seconds_to(start), clock.seconds_to(end), objects) for start, end, objects in rows
    )
    ends = page.get("end_at") and clock.seconds_to(parsed_time(page["end_at"]))
    threshold = page.get("threshold_cm")
    return Truth(
        name=name,
        source="read from a contacts file",
        contacts=tuple(sorted(found, key=lambda o: (o.start_s, o.end_s))),
        seconds=_seconds(found, clock),
        clock=clock,
        duration_s=float(page["duration_s"]) if "duration_s" in page else ends or None,
        threshold_cm=None if threshold is None else float(threshold),
    )


def _contact(
    number: int, row: Mapping[str, Any], tz: dt.tzinfo
) -> tuple[dt.datetime, dt.datetime, tuple[str, ...]]:
    try:
        start, end = (_aware(parsed_time(row[key]), tz) for key in ("start_at", "end_at"))
        (objects,) = parsed_groups(row["objects"])
    except (KeyError, ValueError, TypeError) as exc:
        raise ValueError(f"contact {number}: {reason(exc)}") from exc
    if end < start:
        raise ValueError(f"contact {number}: it ends before it starts")
    return start, end, tuple(map(label_of, objects))


def _seconds(found: Sequence[Occurrence], clock: LogClock) -> tuple[Second, ...]:
    """Whole clock seconds of contacts whose last instant is in."""
    early_s = clock.fraction_s
    return tuple(
        sorted(
            {
                (second, one.objects)
                for one in found
                for second in range(math.floor(one.start_s + early_s), math.floor(one.end_s + early_s) + 1)
            }
        )
    )


def _aware(at: dt.datetime, tz: dt.tzinfo) -> dt.datetime:
    return at if at.tzinfo else at.replace(tzinfo=tz)


def _midnight(times: Sequence[dt.datetime], tz: dt.tzinfo) -> dt.datetime:
    first = min(times, default=BASE_AT.replace(tzinfo=tz)).astimezone(tz)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)


def _from_collisions(
    name: str, text: str, threshold_cm: float, tz: dt.tzinfo, start_at: dt.datetime | None
) -> Truth:
    ticks: dict[dt.datetime, dict[str, tuple[float, float]]] = defaultdict(dict)
    walls = 0
    for line, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
        try:
            at, place = _aware(parsed_time(row["timestamp"]), tz), (float(row["x"]), float(row["z"]))
            kind = row["kind"].strip().lower()
        except (KeyError, ValueError, TypeError, AttributeError) as exc:
            raise BadInput(f"{name}: line {line}: {reason(exc)}") from exc
        walls += kind == "wall"
        if kind not in ("object", "wall"):
            raise BadInput(f"{name}: line {line}: kind is {kind[:40]!r}, not object or wall")
        if kind == "object":
            ticks[at][label_of(row["objid"].strip())] = place
    clock = LogClock(start_at or _midnight(list(ticks), tz), tz)
    found = merged(
        Occurrence(clock.seconds_to(at), clock.seconds_to(at), objects)
        for at, places in ticks.items()
        for objects in _partners(places, threshold_cm)
    )
    alone = sum(len(one.objects) == 1 for one in found)
    said = [f"{walls} contacts with walls are left out"] if walls else []
    said += [f"{alone} collisions name no partner: they can be detected, not attributed"] if alone else []
    return Truth(
        name, "read from a collisions CSV", found, _seconds(found, clock), clock, warnings=tuple(said)
    )


def _partners(places: Mapping[str, tuple[float, float]], threshold_cm: float) -> Iterator[tuple[str, ...]]:
    """Who touched whom at one tick: two objects each other; of more, those within the threshold; nobody is left out."""
    if len(places) == 2:  # noqa: PLR2004 - a pair
        yield tuple(places)
        return
    near = [
        pair
        for pair in itertools.combinations(places, 2)
        if math.dist(places[pair[0]], places[pair[1]]) <= threshold_cm
    ]
    yield from near
    yield from ((one,) for one in places if not any(one in pair for pair in near))
