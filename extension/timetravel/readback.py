"""Reads the files of finished runs back, ours or the predecessors', so that runs can be compared. It writes nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from extension.errors import BadInput
from extension.model import Position

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RawChunk:
    """One chunk of a raw answers file; `failure` says why `content` holds no verdict."""

    start_s: float
    end_s: float
    content: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class RawAnswers:
    """A raw answers file: which model, how long it took (None where nobody measured), and its answers."""

    model: str
    execution_s: float | None
    chunks: tuple[RawChunk, ...]


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


def read_raw_answers(path: Path) -> RawAnswers:
    """Read a raw answers file.

    Raises:
        BadInput: It is not in the format; the message names the file.
    """
    try:
        body = json.loads(_text(path))
        chunks = tuple(map(_raw_chunk, body["chunk_responses"]))
        return RawAnswers(model=str(body["model"]), execution_s=body.get("execution_time"), chunks=chunks)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadInput(f"{path.name}: not a file of raw answers") from exc


def read_intermediate(path: Path) -> list[Groups]:
    """Read an intermediate file.

    Raises:
        BadInput: A line is not in the format; the message names it.
    """
    return [entry for entries in _each_line(path, _groups) for entry in entries]


def read_event_list(path: Path) -> list[Listed]:
    """Read an event list.

    Raises:
        BadInput: A line is not in the format; the message names it.
    """
    return _each_line(path, _listed)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be read ({exc.strerror})") from exc


def _each_line(path: Path, read: Callable[[Any], T]) -> list[T]:
    found = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(read(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise BadInput(f"{path.name}: line {number} is not in the format") from exc
    return found


def _raw_chunk(chunk: dict[str, Any]) -> RawChunk:
    return RawChunk(
        start_s=float(chunk["start_time"]),
        end_s=float(chunk["end_time"]),
        content=str(chunk["content"]),
        failure=chunk.get("failure"),
    )


def _groups(entry: dict[str, list[list[str]]]) -> list[Groups]:
    return [
        Groups(time=_time(time), groups=tuple(tuple(map(str, group)) for group in groups))
        for time, groups in entry.items()
    ]


def _listed(entry: dict[str, Any]) -> Listed:
    objid, place = str(entry["objid"]), entry["position"]
    position = (
        None if place is None else Position(objid, float(place["x"]), float(place["y"]), float(place["z"]))
    )
    return Listed(time=_time(entry["timestamp"]), objid=objid, position=position)


def _time(text: str) -> dt.datetime:
    """A log time; the files name no zone."""
    time = dt.datetime.fromisoformat(text)
    if time.tzinfo is not None:
        raise ValueError(text)
    return time
