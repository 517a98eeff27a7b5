"""What a row of a trajectory log may look like, told row by row: the strict rules that every faster reader falls back to."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from extension.errors import BadTrajectory
from extension.timetravel.trajectory import Micros, Places, micros

COLUMNS: Final = ("timestamp", "objid", "x", "y", "z")
FARTHEST: Final = 1e9
"""Coordinates beyond this (10 000 km in centimetres) are taken for a mistake."""

MOST_OBJECTS: Final = 10_000
"""A log with more objects than this has something else in its objid column."""

_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_MOST_REMEMBERED: Final = 100_000


class Row(NamedTuple):
    """One row of a log: its number in the file, instant in microseconds since 1970 UTC, id and place."""

    line: int
    at_us: int
    objid: str
    place: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that follow one another in a file.

    Attributes:
        line: Shape (n,), int64, numbers of the rows in the file, rising.
        at_us: Shape (n,), int64, microseconds since 1970 UTC.
        who: Shape (n,), int64, places in `names`.
        names: Ids, in the order in which they first appear; one may be there twice.
        places: Shape (n, 3), float64, columns x, y, z.
    """

    line: npt.NDArray[np.int64]
    at_us: Micros
    who: npt.NDArray[np.int64]
    names: Sequence[str]
    places: Places


@dataclass(frozen=True, slots=True)
class Columns:
    """Where our columns stand among the `width` columns of a file."""

    width: int
    at: int
    objid: int
    xyz: tuple[int, int, int]


def columns_of(header: Sequence[str], where: str = "line 1: ") -> Columns:
    """Find our columns by name, whatever their case.

    Raises:
        BadTrajectory: One is missing, or there twice.
    """
    names = [name.strip().lower() for name in header]
    if missing := [name for name in COLUMNS if name not in names]:
        found = ",".join(header)[:80]
        raise BadTrajectory(f"{where}missing columns {', '.join(missing)} (the header is {found!r})")
    if doubled := [name for name in COLUMNS if names.count(name) > 1]:
        raise BadTrajectory(f"{where}the column {doubled[0]!r} appears twice")
    at, objid, x, y, z = (names.index(name) for name in COLUMNS)
    return Columns(width=len(names), at=at, objid=objid, xyz=(x, y, z))


def rows_of(records: Iterable[Sequence[str]], columns: Columns, tz: dt.tzinfo, first: int) -> Iterator[Row]:
    """Read records of texts, of which the first has the number `first`; blank ones are passed over.

    Raises:
        BadTrajectory: At the first record that is no row; the message names it and says why.
    """
    instants: dict[str, int] = {}  # objects share their ticks: each timestamp is read once
    for line, fields in enumerate(records, start=first):
        if not any(cell.strip() for cell in fields):
            continue
        if len(fields) != columns.width:
            raise BadTrajectory(f"line {line}: {len(fields)} fields where the header has {columns.width}")
        text = fields[columns.at].strip()
        if text not in instants:
            if len(instants) >= _MOST_REMEMBERED:
                instants.clear()
            instants[text] = instant_us(text, f"line {line}", tz)
        objid = name_of(fields[columns.objid], f"line {line}")
        x, y, z = (
            number(fields[i], name, f"line {line}") for name, i in zip("xyz", columns.xyz, strict=True)
        )
        yield Row(line=line, at_us=instants[text], objid=objid, place=(x, y, z))


def name_of(text: str, where: str) -> str:
    """An objid without the spaces around it."""
    name = text.strip()
    if not name:
        raise BadTrajectory(f"{where}: objid is empty")
    return name


def instant_us(text: str, where: str, tz: dt.tzinfo) -> int:
    """Microseconds since 1970 UTC of a timestamp; one that states no zone is in `tz`."""
    refused = BadTrajectory(f"{where}: {text[:40]!r} is not a timestamp YYYY-MM-DD HH:MM:SS.mmm")
    if not _TIMESTAMP.fullmatch(text):
        raise refused
    try:
        at = dt.datetime.fromisoformat(text.replace(",", "."))
        return micros(at if at.tzinfo else at.replace(tzinfo=tz))
    except (ValueError, OverflowError) as exc:
        raise refused from exc


def number(text: str, column: str, where: str) -> float:
    """A coordinate."""
    shown = text.strip()
    value = float(shown) if _NUMBER.fullmatch(shown) else math.nan
    if math.isnan(value):
        raise BadTrajectory(f"{where}: {column} is {shown[:40]!r}, not a finite number")
    if abs(value) > FARTHEST:
        raise BadTrajectory(f"{where}: {column} is {shown[:40]!r}, beyond any place on Earth")
    return value


def too_many_objects(where: str) -> BadTrajectory:
    """The refusal of one objid too many."""
    return BadTrajectory(
        f"{where}: more than {MOST_OBJECTS} different objids; is that the column of the ids?"
    )


def block_of(rows: Sequence[Row]) -> Block:
    """Rows as one block."""
    numbers: dict[str, int] = {}
    who = [numbers.setdefault(row.objid, len(numbers)) for row in rows]
    return Block(
        line=np.array([row.line for row in rows], dtype=np.int64),
        at_us=np.array([row.at_us for row in rows], dtype=np.int64),
        who=np.array(who, dtype=np.int64),
        names=list(numbers),
        places=np.array([row.place for row in rows], dtype=np.float64).reshape(-1, 3),
    )


def blocks_of(rows: Iterator[Row], most: int = 65_536) -> Iterator[Block]:
    """Rows as blocks; those before a bad row come out before its error does."""
    taken: list[Row] = []
    try:
        for row in rows:
            taken.append(row)
            if len(taken) >= most:
                yield block_of(taken)
                taken = []
    except BadTrajectory:
        if taken:
            yield block_of(taken)
        raise
    if taken:
        yield block_of(taken)
