"""The door to trajectory files: CSV (also gzipped) and Parquet with the columns `timestamp,objid,x,y,z`.

Every complaint names the line, or the row in Parquet.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np

from extension.errors import BadTrajectory
from extension.timetravel import log_cache
from extension.timetravel.log_columns import Files, Memory, mapped, read_index, write_index
from extension.timetravel.log_csv import check_utf8, csv_blocks
from extension.timetravel.log_doubts import doubts
from extension.timetravel.log_gather import Gatherer, Oddities
from extension.timetravel.log_labels import label_doubts
from extension.timetravel.log_parquet import MAGIC as PARQUET
from extension.timetravel.log_parquet import parquet_blocks
from extension.timetravel.log_rows import (
    COLUMNS,
    MOST_OBJECTS,
    Block,
    Row,
    columns_of,
    rows_of,
    too_many_objects,
)
from extension.timetravel.trajectory import Track, Trajectory, instant

GZIP: Final = b"\x1f\x8b"
_NO_ROWS: Final = "the file has a header but no rows"


def read_trajectory(
    path: Path,
    tz: dt.tzinfo = dt.UTC,
    cache_dir: Path | None = None,
    named: Mapping[str, str] | None = None,
) -> Trajectory:
    """Read a trajectory log; the content says what it is, whatever its name.

    Rows may come in any order and columns too; further columns are ignored. Rows repeated word for word count once. A long
    log's samples stay on disk (memory is the same however long it is): its `release` frees what reading them took.

    Args:
        path: The file: CSV, gzipped CSV or Parquet.
        tz: Zone of timestamps that state none.
        cache_dir: Folder where long logs are kept as they were read, so that the next time takes no reading; without it
            they lie in the system's folder for temporary files for as long as the trajectory is used.
        named: Labels by objid, in place of the numbers in the ids (see `log_labels.read_labels`).

    Raises:
        BadTrajectory: The file cannot be read as a log; the message names the file, the line and the reason.
        BadInput: `named` gives one label to two objects.
    """
    try:
        trajectory = _read(path, tz, cache_dir)
    except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
        raise BadTrajectory(f"{_shown(path)}: the gzip data is damaged, or not all there") from exc
    except OSError as exc:
        raise BadTrajectory(f"{_shown(path)}: cannot be read ({exc.strerror or 'unknown reason'})") from exc
    except BadTrajectory as exc:
        raise BadTrajectory(f"{_shown(path)}: {exc}") from exc
    return trajectory if named is None else labelled(trajectory, named)


def parse_trajectory(text: str, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Read a CSV log from its text, row by row; see `read_trajectory`."""
    if not text.strip():
        raise BadTrajectory("the file is empty")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    gathered = _Gathered()
    try:
        for row in rows_of(reader, columns_of(next(reader)), tz, 2):
            gathered.add(row)
    except csv.Error as exc:
        raise BadTrajectory(f"line {reader.line_num}: not CSV ({exc})") from exc
    if not gathered.rows:
        raise BadTrajectory(_NO_ROWS)
    tracks = {objid: _track(rows) for objid, rows in gathered.rows.items()}
    places = np.array([row.place for row in gathered.seen.values()])
    odd = (*gathered.odd.sentences(), *doubts(tracks, places.min(axis=0), places.max(axis=0)))
    return Trajectory(tracks=tracks, tz=tz, warnings=odd)


def labelled(trajectory: Trajectory, named: Mapping[str, str]) -> Trajectory:
    """The same log with labels of one's own; objects that only one of the two knows are told as warnings.

    Raises:
        BadInput: Two objects would bear the same label.
    """
    found = label_doubts(named, trajectory.tracks)
    kept = {objid: label for objid, label in named.items() if objid in trajectory.tracks}
    return replace(trajectory, named=kept, warnings=(*trajectory.warnings, *found))


def write_trajectory(trajectory: Trajectory, path: Path, decimals: int = 1) -> None:
    """Write a log as CSV: rows by time and id, timestamps `YYYY-MM-DD HH:MM:SS.mmm` in the log's zone, coordinates rounded.

    Of a part of a log, the samples in the part are written. The file appears only when it is complete.
    """
    first_us, last_us = trajectory.span_us
    inside = {
        objid: np.flatnonzero((track.at_us >= first_us) & (track.at_us <= last_us))
        for objid, track in trajectory.tracks.items()
    }
    rows = sorted(
        (int(at_us), order, objid, place)
        for order, (objid, track) in enumerate(trajectory.tracks.items())
        for at_us, place in zip(track.at_us[inside[objid]], track.places[inside[objid]].tolist(), strict=True)
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
    """Rows by object while a text is read, with what was odd about them."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    odd: Oddities = field(default_factory=Oddities)
    seen: dict[tuple[int, str], Row] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take a row in, unless it repeats an earlier one; one that contradicts an earlier one is refused."""
        mine = self.rows.setdefault(row.objid, [])
        if len(self.rows) > MOST_OBJECTS:
            raise too_many_objects(f"line {row.line}")
        earlier = self.seen.setdefault((row.at_us, row.objid), row)
        if earlier.place != row.place:
            self.odd.clash = (row.line, earlier.line, row.at_us, row.objid)
            self.odd.refuse()
        if earlier is not row:
            self.odd.add_repeated(1, row.line)
            return
        if mine and row.at_us < mine[-1].at_us:
            self.odd.add_back(1, row.line, row.objid)
        mine.append(row)


def _read(path: Path, tz: dt.tzinfo, cache_dir: Path | None) -> Trajectory:
    key = ""
    if cache_dir is not None:
        key = log_cache.key_of(path, tz)
        known = _known(log_cache.entry(cache_dir, key), tz)
        if known is not None:
            return known
    with ExitStack() as stack:
        work: list[Path] = []

        def folder() -> Path:
            work.append(stack.enter_context(log_cache.workshop(cache_dir)))
            return work[0]

        is_parquet = _starts(path, PARQUET)
        gatherer = Gatherer(folder, unit="row" if is_parquet else "line")
        _gather(path, tz, gatherer)
        if not gatherer.spilled:
            memory = Memory()
            odd = gatherer.settle(memory)
            tracks = memory.tracks()
            sentences = (*odd.sentences(), *doubts(tracks, gatherer.low, gatherer.high))
            return Trajectory(tracks=tracks, tz=tz, warnings=sentences)
        with Files(work[0]) as files:
            odd = gatherer.settle(files)
        held, release = mapped(work[0], files.index())
        sentences = (*odd.sentences(), *doubts(held, gatherer.low, gatherer.high, release))
        trajectory = Trajectory(tracks=held, tz=tz, warnings=sentences, release=release)
        if cache_dir is not None:
            write_index(work[0], replace(files.index(), warnings=trajectory.warnings))
            log_cache.publish(work[0], cache_dir, key)
    return trajectory


def _gather(path: Path, tz: dt.tzinfo, gatherer: Gatherer) -> None:
    """Take in all rows; of several faults, the one that the strict reader meets first is told."""
    try:
        with _blocks(path, tz, gatherer.unit) as blocks:
            for block in blocks:
                gatherer.add(block)
    except BadTrajectory:
        if gatherer.unit == "line":
            with _opened(path) as file:
                check_utf8(file)
        gatherer.settle(Memory())
        raise
    if not gatherer.count:
        raise BadTrajectory(_NO_ROWS)


@contextmanager
def _blocks(path: Path, tz: dt.tzinfo, unit: str) -> Iterator[Iterator[Block]]:
    with _opened(path) as file:
        yield parquet_blocks(file, tz) if unit == "row" else csv_blocks(file, tz)


def _opened(path: Path) -> BinaryIO:
    if _starts(path, GZIP):
        return cast("BinaryIO", gzip.open(path, "rb"))  # typeshed calls it by its class
    return path.open("rb")


def _starts(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _known(folder: Path, tz: dt.tzinfo) -> Trajectory | None:
    """What the cache has of a log; None where that is nothing, or not whole."""
    try:
        index = read_index(folder)
        tracks, release = mapped(folder, index)
    except (OSError, ValueError):
        return None
    return Trajectory(tracks=tracks, tz=tz, warnings=index.warnings, release=release)


def _track(rows: list[Row]) -> Track:
    rows.sort(key=lambda row: row.at_us)
    return Track(
        at_us=np.array([row.at_us for row in rows], dtype=np.int64),
        places=np.array([row.place for row in rows], dtype=np.float64),
    )


def _shown(path: Path) -> str:
    """The file's name, printable whatever bytes it holds."""
    return path.name.encode("utf-8", "replace").decode("utf-8")
