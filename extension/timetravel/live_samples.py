"""The samples of a log that grows, in memory and in order of time, however late a row comes. 32 bytes a sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from extension.timetravel.log_rows import Row
from extension.timetravel.trajectory import Micros, Places, Track

_FIRST_ROOM: Final = 256
_GROWTH: Final = 1.5


class Growing:
    """One object's samples."""

    def __init__(self) -> None:
        self._at_us: Micros = np.empty(_FIRST_ROOM, dtype=np.int64)
        self._places: Places = np.empty((_FIRST_ROOM, 3), dtype=np.float64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def at_us(self) -> Micros:
        """Shape (n,), int64, rising; a view that the next row may change."""
        return self._at_us[: self._count]

    def place_of(self, at_us: int) -> tuple[float, float, float] | None:
        """The sample at an instant, where there is one."""
        place = int(self.at_us.searchsorted(at_us))
        if place == self._count or self._at_us[place] != at_us:
            return None
        x, y, z = self._places[place].tolist()
        return x, y, z

    def extend(self, at_us: Micros, places: Places) -> None:
        """Take in samples at instants that have none yet, rising; most often all are later than those here."""
        self._make_room(len(at_us))
        stop = self._count + len(at_us)
        if self._count and at_us[0] < self._at_us[self._count - 1]:
            first = int(self.at_us.searchsorted(at_us[0]))
            moved_us = np.concatenate((self._at_us[first : self._count], at_us))
            moved = np.concatenate((self._places[first : self._count], places))
            order = np.argsort(moved_us, kind="stable")
            self._at_us[first:stop], self._places[first:stop] = moved_us[order], moved[order]
        else:
            self._at_us[self._count : stop], self._places[self._count : stop] = at_us, places
        self._count = stop

    def track(self, start_us: int, end_us: int) -> Track | None:
        """A copy of the samples between two instants, both in it, and one more at either side; None where that is nothing."""
        first, stop = (int(i) for i in np.searchsorted(self.at_us, (start_us, end_us + 1)))
        kept = slice(max(0, first - 1), min(stop + 1, self._count))
        at_us = self._at_us[kept].copy()
        return Track(at_us=at_us, places=self._places[kept].copy()) if len(at_us) else None

    def _make_room(self, further: int) -> None:
        needed = self._count + further
        if needed > len(self._at_us):
            room = max(needed, int(len(self._at_us) * _GROWTH))
            at_us, places = np.empty(room, dtype=np.int64), np.empty((room, 3), dtype=np.float64)
            at_us[: self._count], places[: self._count] = self.at_us, self._places[: self._count]
            self._at_us, self._places = at_us, places


def extend_all(samples: dict[str, Growing], rows: Iterable[Row]) -> None:
    """Take in rows of any object and order; no two are of one object and instant, nor is one of them here already."""
    by_object: dict[str, list[Row]] = {}
    for row in rows:
        by_object.setdefault(row.objid, []).append(row)
    for objid, mine in by_object.items():
        mine.sort(key=lambda row: row.at_us)
        samples.setdefault(objid, Growing()).extend(
            np.array([row.at_us for row in mine], dtype=np.int64), np.array([row.place for row in mine])
        )


def counted(samples: Mapping[str, Growing], start_us: int, end_us: int) -> int:
    """How many samples of all objects lie between two instants."""
    spans = (np.searchsorted(growing.at_us, (start_us, end_us + 1)) for growing in samples.values())
    return sum(int(stop - first) for first, stop in spans)
