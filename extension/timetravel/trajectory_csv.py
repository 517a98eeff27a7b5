"""The door to trajectory files: CSV with the columns `timestamp,objid,x,y,z`. Every complaint names the line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from extension.errors import BadTrajectory
from extension.timetravel.trajectory import Track, Trajectory, instant, micros

COLUMNS: Final = ("timestamp", "objid", "x", "y", "z")
FARTHEST: Final = 1e9
"""Coordinates beyond this (10 000 km in centimetres) are taken for a mistake."""

_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Row(NamedTuple):
    """One line of the log: its line number in the file, instant in microseconds since 1970 UTC, id and place."""

    line: int
    at_us: int
    objid: str
    place: tuple[float, float, float]


def read_trajectory(path: Path, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Read a trajectory log.

    Rows may come in any order and columns too; further columns are ignored. Rows repeated word for word count once.

    Args:
        path: The CSV file.
        tz: Zone of timestamps that state none.

    Raises:
        BadTrajectory: The file cannot be read as a log; the message names the file, the line and the reason.
    """
    try:
        return parse_trajectory(_text(path.read_bytes()), tz)
    except OSError as exc:
        raise BadTrajectory(f"{_shown(path)}: cannot be read ({exc.strerror or 'unknown reason'})") from exc
    except BadTrajectory as exc:
        raise BadTrajectory(f"{_shown(path)}: {exc}") from exc


def parse_trajectory(text: str, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Read a log from its text; see `read_trajectory`."""
    if not text.strip():
        raise BadTrajectory("the file is empty")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    gathered = _Gathered()
    try:
        for row in _rows(reader, tz):
            gathered.add(row)
    except csv.Error as exc:
        raise BadTrajectory(f"line {reader.line_num}: not CSV ({exc})") from exc
    if not gathered.rows:
        raise BadTrajectory("the file has a header but no rows")
    tracks = {objid: _track(rows) for objid, rows in gathered.rows.items()}
    return Trajectory(tracks=tracks, tz=tz, warnings=gathered.warnings())


def write_trajectory(trajectory: Trajectory, path: Path, decimals: int = 1) -> None:
    """Write a log: rows by time and id, timestamps `YYYY-MM-DD HH:MM:SS.mmm` in the log's zone, coordinates rounded.

    The file appears only when it is complete.
    """
    rows = sorted(
        (int(at_us), order, objid, place)
        for order, (objid, track) in enumerate(trajectory.tracks.items())
        for at_us, place in zip(track.at_us, track.places.tolist(), strict=True)
    )
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for at_us, _, objid, place in rows:
            at = instant(at_us).astimezone(trajectory.tz)
            out.writerow((stamp(at), objid, *(f"{value:.{decimals}f}" for value in place)))
    part.replace(path)


def stamp(at: dt.datetime) -> str:
    """The predecessors' timestamp, `YYYY-MM-DD HH:MM:SS.mmm`, of an instant in its own zone (milliseconds cut, not rounded)."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


@dataclass
class _Gathered:
    """Rows by object while a file is read, with what was odd about them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    latest_us: int | None = None
    unordered: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    seen: dict[tuple[int, str], Row] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take a row in, unless it repeats an earlier one; one that contradicts an earlier one is refused."""
        earlier = self.seen.setdefault((row.at_us, row.objid), row)
        if earlier is not row and earlier.place != row.place:
            raise BadTrajectory(
                f"lines {earlier.line} and {row.line} give two places for {row.objid!r} at {stamp(instant(row.at_us))} UTC"
            )
        if earlier is not row:
            self.repeated.append(row.line)
            return
        if self.latest_us is not None and row.at_us < self.latest_us:
            self.unordered.append(row.line)
        self.latest_us = row.at_us
        self.rows.setdefault(row.objid, []).append(row)

    def warnings(self) -> tuple[str, ...]:
        """One sentence per oddity."""
        found = []
        if self.unordered:
            found.append(f"rows were not in time order (first at line {self.unordered[0]}); they were sorted")
        if self.repeated:
            found.append(
                f"{len(self.repeated)} repeated rows were dropped (first at line {self.repeated[0]})"
            )
        return tuple(found)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadTrajectory("the file is UTF-16 text; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise BadTrajectory(f"line {line}: not UTF-8 text; save the file as UTF-8") from exc


def _rows(reader: Iterator[list[str]], tz: dt.tzinfo) -> Iterator[Row]:
    header = next(reader)
    at, objid, *xyz = _columns(header)
    instants: dict[str, int] = {}  # objects share their ticks: each timestamp is read once
    for line, fields in enumerate(reader, start=2):
        if not any(cell.strip() for cell in fields):
            continue
        if len(fields) != len(header):
            raise BadTrajectory(f"line {line}: {len(fields)} fields where the header has {len(header)}")
        text = fields[at].strip()
        if text not in instants:
            instants[text] = _instant_us(text, line, tz)
        name = fields[objid].strip()
        if not name:
            raise BadTrajectory(f"line {line}: objid is empty")
        x, y, z = (_number(fields[i], COLUMNS[2 + n], line) for n, i in enumerate(xyz))
        yield Row(line=line, at_us=instants[text], objid=name, place=(x, y, z))


def _columns(header: Sequence[str]) -> list[int]:
    """Places of our columns among those of the file."""
    names = [name.strip().lower() for name in header]
    if missing := [name for name in COLUMNS if name not in names]:
        found = ",".join(header)[:80]
        raise BadTrajectory(f"line 1: missing columns {', '.join(missing)} (the header is {found!r})")
    if doubled := [name for name in COLUMNS if names.count(name) > 1]:
        raise BadTrajectory(f"line 1: the column {doubled[0]!r} appears twice")
    return [names.index(name) for name in COLUMNS]


def _instant_us(text: str, line: int, tz: dt.tzinfo) -> int:
    refused = BadTrajectory(f"line {line}: {text[:40]!r} is not a timestamp YYYY-MM-DD HH:MM:SS.mmm")
    if not _TIMESTAMP.fullmatch(text):
        raise refused
    try:
        at = dt.datetime.fromisoformat(text.replace(",", "."))
        return micros(at if at.tzinfo else at.replace(tzinfo=tz))
    except (ValueError, OverflowError) as exc:
        raise refused from exc


def _number(text: str, column: str, line: int) -> float:
    shown = text.strip()
    value = float(shown) if _NUMBER.fullmatch(shown) else math.nan
    if math.isnan(value):
        raise BadTrajectory(f"line {line}: {column} is {shown[:40]!r}, not a finite number")
    if abs(value) > FARTHEST:
        raise BadTrajectory(f"line {line}: {column} is {shown[:40]!r}, beyond any place on Earth")
    return value


def _track(rows: list[Row]) -> Track:
    rows.sort(key=lambda row: row.at_us)
    return Track(
        at_us=np.array([row.at_us for row in rows], dtype=np.int64),
        places=np.array([row.place for row in rows], dtype=np.float64),
    )


def _shown(path: Path) -> str:
    """The file's name, printable whatever bytes it holds."""
    return path.name.encode("utf-8", "replace").decode("utf-8")
