"""Reads the files of finished runs back, ours or the predecessors', so that runs can be compared. It writes nothing."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from extension.errors import BadInput
from extension.model import Position

T = TypeVar("T")

_CONTENT: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading a file of another form runs into."""


@dataclass(frozen=True, slots=True)
class RawChunk:
    """One chunk of a raw answers file; `failure` says why `content` holds no verdict."""

    start_s: float
    end_s: float
    content: str
    failure: str | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class RawAnswers:
    """A raw answers file: which model, how long it took (None where nobody measured), and its answers.

    `expected` is the number of chunks that the run says it processed; more than there are answers means that some are missing.
    """

    model: str
    execution_s: float | None
    chunks: tuple[RawChunk, ...]
    id: str | None = None
    expected: int | None = None
    video: str | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """One line of an intermediate file: log time without a zone, and the groups of objids in contact."""

    time: dt.datetime
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of an event list: log time without a zone, the objid, and its place where one was known."""

    time: dt.datetime
    objid: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class Indexed:
    """One record of an event index: when (log time, or a clock text where no date is known), who, and in which run."""

    time: dt.datetime | None
    clock: str | None
    objids: tuple[str, ...]
    model: str | None
    video: str | None
    run: str | None


def read_raw_answers(path: Path) -> RawAnswers:
    """Read a raw answers file.

    Raises:
        BadInput: It is not in the format; the message names the file.
    """
    try:
        return raw_answers_of(json.loads(read_text(path)))
    except _CONTENT as exc:
        raise BadInput(f"{path.name}: not a file of raw answers ({reason(exc)})") from exc


def raw_answers_of(body: Any) -> RawAnswers:
    """Raw answers from their JSON value; ValueError, KeyError or TypeError when it is none."""
    chunks = tuple(_raw_chunk(number, chunk) for number, chunk in enumerate(body["chunk_responses"], start=1))
    usage = body.get("usage") or {}
    taken_s = body.get("execution_time", usage.get("query_processing_time"))
    return RawAnswers(
        model=str(body["model"]),
        execution_s=None if taken_s is None else finite(taken_s),
        chunks=chunks,
        id=_optional(body.get("id")),
        expected=usage.get("total_chunks_processed"),
        video=_optional(body.get("video") or body.get("source_id")),
    )


def read_intermediate(path: Path) -> list[Groups]:
    """Read an intermediate file; a time's groups may also be one group, and ids numbers.

    Raises:
        BadInput: A line is not in the format; the message names line and reason.
    """
    return [entry for entries in _each_line(path, groups_of) for entry in entries]


def read_event_list(path: Path) -> list[Listed]:
    """Read an event list.

    Raises:
        BadInput: A line is not in the format; the message names line and reason.
    """
    return _each_line(path, _listed)


def read_event_index(path: Path) -> list[Indexed]:
    """Read an event index of one video; a run without any event leaves an empty one.

    Raises:
        BadInput: A line is not in the format; the message names line and reason.
    """
    return _each_line(path, _indexed)


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        BadInput: It cannot be read or is not UTF-8; the message names the file and, where it can, the line.
    """
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise BadInput(f"{path.name}: line {line}: not UTF-8 text") from exc
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be read ({exc.strerror or 'unknown reason'})") from exc


def finite(value: Any) -> float:
    """A number from a file; ValueError or TypeError for what is none, or is not finite."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def reason(exc: Exception) -> str:
    """Why a file could not be read, in words for people."""
    if isinstance(exc, json.JSONDecodeError):
        return f"line {exc.lineno}: {exc.msg}"
    if isinstance(exc, RecursionError):
        return "it is nested too deeply"
    return f"{exc.args[0]!r} is missing" if isinstance(exc, KeyError) else str(exc)


def parsed_time(value: Any) -> dt.datetime:
    """A timestamp as the files write it, with or without a zone.

    Raises:
        ValueError: It is none.
    """
    try:
        return dt.datetime.fromisoformat(str(value).strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is not a timestamp") from None


def parsed_groups(value: Any) -> tuple[tuple[str, ...], ...]:
    """Groups of objects: `[[1, 4], ["2", "3"]]`, or one group without the outer list. Ids may be numbers or text.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(value, list):
        raise ValueError(f"{str(value)[:40]!r} is not a list of objects")  # noqa: TRY004 - one kind of error for bad content
    nested = any(isinstance(group, list) for group in value)
    groups = value if nested else [value]
    if not all(isinstance(group, list) for group in groups):
        raise ValueError("objects and groups are mixed")
    return tuple(tuple(dict.fromkeys(map(_object, group))) for group in groups if group)


def groups_of(entry: Any) -> list[Groups]:
    """One line of an intermediate file; ValueError, KeyError or TypeError when it is none."""
    return [Groups(time=_time(time), groups=parsed_groups(groups)) for time, groups in entry.items()]


def _object(name: Any) -> str:
    if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
        raise ValueError(f"{str(name)[:40]!r} is not an object's number or name")
    return str(name).strip()


def _each_line(path: Path, read: Callable[[Any], T]) -> list[T]:
    found = []
    for number, line in _lines(read_text(path)):
        try:
            found.append(read(json.loads(line)))
        except json.JSONDecodeError as exc:
            raise BadInput(f"{path.name}: line {number}: not JSON ({exc.msg})") from exc
        except _CONTENT as exc:
            raise BadInput(f"{path.name}: line {number} is not in the format ({reason(exc)})") from exc
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _raw_chunk(number: int, chunk: dict[str, Any]) -> RawChunk:
    try:
        return RawChunk(
            start_s=finite(chunk["start_time"]),
            end_s=finite(chunk["end_time"]),
            content=str(chunk["content"] if chunk["content"] is not None else ""),
            failure=_optional(chunk.get("failure") or chunk.get("error")),
            latency_s=_latency_s(chunk.get("reasoning_description")),
        )
    except _CONTENT as exc:
        raise ValueError(f"chunk {number}: {reason(exc)}") from exc


def _latency_s(described: Any) -> float | None:
    """How long the answer took, where the override's report beside it tells."""
    try:
        return finite(json.loads(described)["latency_ms"]) / 1000
    except _CONTENT:
        return None


def _listed(entry: dict[str, Any]) -> Listed:
    objid, place = str(entry["objid"]), entry["position"]
    position = (
        None if place is None else Position(objid, float(place["x"]), float(place["y"]), float(place["z"]))
    )
    return Listed(time=_time(entry["timestamp"]), objid=objid, position=position)


def _indexed(entry: dict[str, Any]) -> Indexed:
    objids = tuple(dict.fromkeys(map(_object, entry["ids"])))
    time, clock = entry.get("time"), _optional(entry.get("time_hms"))
    dated = isinstance(time, str) and "-" in time
    if not dated and clock is None:
        clock = _optional(time)
    if not dated and clock is None:
        raise KeyError("time")
    return Indexed(
        time=parsed_time(time) if dated else None,
        clock=clock,
        objids=objids,
        model=_optional(entry.get("model")),
        video=_optional(entry.get("video")),
        run=_optional(entry.get("run")),
    )


def _optional(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _time(text: str) -> dt.datetime:
    """A log time; the files name no zone."""
    time = parsed_time(text)
    if time.tzinfo is not None:
        raise ValueError(f"{text!r} names a zone")
    return time
