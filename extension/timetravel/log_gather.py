"""Gathers the rows of a log by object, in bounded memory: rows that do not fit go to files, one for each object.

It finds what contradicts itself, what is there twice and clocks that go back; it reads no log file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from extension.errors import BadTrajectory
from extension.timetravel.log_rows import MOST_OBJECTS, Block, too_many_objects
from extension.timetravel.trajectory import Micros, Places, instant

RAW: Final = np.dtype([("at_us", "<i8"), ("line", "<i8"), ("place", "<f8", (3,))])
"""A row as it waits for its object's others."""

Raw = npt.NDArray[np.void]
Lines = npt.NDArray[np.int64]

_ROWS_IN_MEMORY: Final = 250_000
"""Rows that are held before they go to files: 10 MB, and some three times that while they are sorted."""


class Sink(Protocol):
    """Where an object's samples go, one object after another."""

    def begin(self, objid: str) -> None:
        """The next object's samples follow."""
        ...

    def put(self, at_us: Micros, places: Places) -> None:
        """Some of its samples, in order of time."""
        ...


@dataclass
class Oddities:
    """What was odd about the order of rows, told the same by every reader.

    Attributes:
        unit: What the numbers count: line, or row.
        clash: The first row that contradicts an earlier one, that earlier row, the instant (microseconds) and the id.
        repeated: Numbers of rows dropped because they repeat earlier ones: how many, and the first.
        back: Rows at which an object's clock goes back: how many, the first and its id.
    """

    unit: str = "line"
    clash: tuple[int, int, int, str] | None = None
    repeated: tuple[int, int] = (0, 0)
    back: tuple[int, int, str] = (0, 0, "")

    def add_repeated(self, count: int, first: int) -> None:
        """Further repeated rows."""
        if count:
            known, earliest = self.repeated
            self.repeated = (known + count, min(first, earliest) if known else first)

    def add_back(self, count: int, first: int, objid: str) -> None:
        """Further rows at which a clock goes back."""
        if count:
            known, earliest, name = self.back
            if not known or first < earliest:
                earliest, name = first, objid
            self.back = (known + count, earliest, name)

    def refuse(self) -> None:
        """Raise `BadTrajectory` where a row contradicts an earlier one."""
        if self.clash is not None:
            line, earlier, at_us, objid = self.clash
            raise BadTrajectory(
                f"{self.unit}s {earlier} and {line} give two places for {objid!r} at "
                f"{instant(at_us).replace(tzinfo=None).isoformat(' ', 'milliseconds')} UTC"
            )

    def sentences(self) -> list[str]:
        """One warning per oddity."""
        found = []
        if self.back[0]:
            count, first, objid = self.back
            found.append(
                f"rows were not in time order: the clock of {objid!r} goes back at {self.unit} {first} "
                f"({count} such {'row' if count == 1 else 'rows'} in all); they were sorted"
            )
        if self.repeated[0]:
            count, first = self.repeated
            found.append(f"{count} repeated rows were dropped (first at {self.unit} {first})")
        return found


@dataclass
class Gatherer:
    """Takes blocks of rows, in the order of the file.

    Attributes:
        folder: Makes the folder for rows that do not fit; called at most once.
        unit: What the rows' numbers count: line, or row.
        most_rows: Rows held in memory.
        count: Rows taken so far.
        low: Shape (3,), smallest coordinates so far; `high` likewise.
    """

    folder: Callable[[], Path]
    unit: str = "line"
    most_rows: int = _ROWS_IN_MEMORY
    count: int = 0
    low: Places = field(default_factory=lambda: np.full(3, np.inf))
    high: Places = field(default_factory=lambda: np.full(3, -np.inf))
    _numbers: dict[str, int] = field(default_factory=dict)
    _held: list[tuple[npt.NDArray[np.int64], Raw]] = field(default_factory=list)
    _held_rows: int = 0
    _spilled: Path | None = None

    @property
    def spilled(self) -> bool:
        """Whether rows went to files."""
        return self._spilled is not None

    def add(self, block: Block) -> None:
        """Take rows in.

        Raises:
            BadTrajectory: There are more objects than a log can have; rows before the one too many are taken.
        """
        owners = np.array([self._numbers.setdefault(name, len(self._numbers)) for name in block.names])
        who = owners[block.who]
        if len(self._numbers) > MOST_OBJECTS:
            beyond = int(np.argmax(who >= MOST_OBJECTS))
            self._hold(who[:beyond], block, beyond)
            raise too_many_objects(f"{self.unit} {block.line[beyond]}")
        self._hold(who, block, len(who))

    def settle(self, sink: Sink) -> Oddities:
        """Hand every object's samples on: sorted, each instant once.

        Raises:
            BadTrajectory: Two rows give two places for one object at one instant.
        """
        if self._spilled is not None:
            self._spill()
        odd = Oddities(self.unit)
        for objid, pieces in self._objects():
            sink.begin(objid)
            if _rising(pieces()):
                for raw in pieces():
                    sink.put(raw["at_us"], raw["place"])
            else:
                sink.put(*_settled(np.concatenate(list(pieces())), objid, odd))
        odd.refuse()
        return odd

    def _hold(self, who: npt.NDArray[np.int64], block: Block, count: int) -> None:
        if not count:
            return
        raw = np.empty(count, dtype=RAW)
        raw["at_us"], raw["line"] = block.at_us[:count], block.line[:count]
        raw["place"] = places = block.places[:count]
        self.low = np.minimum(self.low, places.min(axis=0))
        self.high = np.maximum(self.high, places.max(axis=0))
        self._held.append((who, raw))
        self._held_rows += count
        self.count += count
        if self._held_rows > self.most_rows:
            self._spill()

    def _spill(self) -> None:
        if self._spilled is None:
            self._spilled = self.folder()
        for number, raw in self._held_by_object():
            with (self._spilled / f"{number}.raw").open("ab") as file:
                file.write(raw.tobytes())

    def _held_by_object(self) -> Iterator[tuple[int, Raw]]:
        """What is held, by object; it is held no longer."""
        if not self._held:
            return
        who = np.concatenate([who for who, _ in self._held])
        raw = np.concatenate([raw for _, raw in self._held])
        self._held, self._held_rows = [], 0
        order = np.argsort(who, kind="stable")
        who, raw = who[order], raw[order]
        cuts = np.flatnonzero(np.diff(who)) + 1
        for piece in np.split(np.arange(len(who)), cuts):
            yield int(who[piece[0]]), raw[piece[0] : piece[-1] + 1]

    def _objects(self) -> Iterator[tuple[str, Callable[[], Iterator[Raw]]]]:
        """Each object's rows in the order of the file, in pieces, as often as asked."""
        names = list(self._numbers)
        if self._spilled is None:
            for number, raw in self._held_by_object():
                yield names[number], partial(iter, (raw,))
            return
        for number, name in enumerate(names):
            file = self._spilled / f"{number}.raw"
            if file.exists():  # one object too many has a number and no rows
                yield name, partial(_read, file)
                file.unlink()


def _read(path: Path, rows: int = _ROWS_IN_MEMORY) -> Iterator[Raw]:
    with path.open("rb") as file:
        while len(raw := np.fromfile(file, dtype=RAW, count=rows)):
            yield raw


def _rising(pieces: Iterator[Raw]) -> bool:
    """Whether each row is later than the one before."""
    last = None
    for raw in pieces:
        at_us = raw["at_us"]
        if (last is not None and at_us[0] <= last) or (np.diff(at_us) <= 0).any():
            return False
        last = at_us[-1]
    return True


def _settled(raw: Raw, objid: str, odd: Oddities) -> tuple[Micros, Places]:
    """An object's samples by time, each instant once; what was odd is added to `odd`."""
    by_time = raw[np.argsort(raw["at_us"], kind="stable")]
    at_us, line, place = by_time["at_us"], by_time["line"], by_time["place"]
    is_first = np.concatenate(([True], np.diff(at_us) > 0))
    first = np.flatnonzero(is_first)[np.cumsum(is_first) - 1]
    differs = (place != place[first]).any(axis=1)
    if differs.any():
        clashing = np.flatnonzero(differs)
        worst = clashing[np.argmin(line[clashing])]
        clash = (int(line[worst]), int(line[first[worst]]), int(at_us[worst]), objid)
        odd.clash = clash if odd.clash is None else min(odd.clash, clash)
    if not is_first.all():
        again: Lines = line[~is_first]
        odd.add_repeated(len(again), int(again.min()))
    in_file = np.argsort(line[is_first], kind="stable")
    back = np.flatnonzero(np.diff(at_us[is_first][in_file]) < 0) + 1
    if len(back):
        odd.add_back(len(back), int(line[is_first][in_file][back[0]]), objid)
    return at_us[is_first], place[is_first]
