"""Keeps a log's samples as columns: in memory, or in two files that are mapped, so that only what is looked at takes memory.

A folder of columns holds `at_us.bin` (int64) and `places.bin` (float64, three a sample), one object after another,
`guide.bin` (every 512th instant of each object), and `index.json`, which says whose they are. Folders in a cache are whole or not there; they are made by `log_cache`.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np

from extension.timetravel.trajectory import GUIDE_STEP, Micros, Places, Track

_AT, _PLACES, _GUIDE, _INDEX = "at_us.bin", "places.bin", "guide.bin", "index.json"
_AXES: Final = 3
_PIECE_BYTES: Final = 64 * 1024
"""Written at once: Linux keeps what is written in pieces of that size, and a look at one sample maps the whole piece."""


@dataclass(frozen=True, slots=True)
class Index:
    """What columns hold: ids and numbers of samples, in the order in which they lie, and the warnings."""

    objids: tuple[str, ...]
    counts: tuple[int, ...]
    warnings: tuple[str, ...] = ()


@dataclass
class Memory:
    """Samples in memory."""

    _taken: dict[str, tuple[list[Micros], list[Places]]] = field(default_factory=dict)
    _current: tuple[list[Micros], list[Places]] = field(default_factory=lambda: ([], []))

    def begin(self, objid: str) -> None:
        """The next object's samples follow."""
        self._current = self._taken[objid] = ([], [])

    def put(self, at_us: Micros, places: Places) -> None:
        """Some of its samples."""
        self._current[0].append(at_us)
        self._current[1].append(places)

    def tracks(self) -> dict[str, Track]:
        """All objects' samples, in arrays of their own."""
        return {
            objid: Track(
                np.concatenate(at_us).astype(np.int64),
                np.ascontiguousarray(np.concatenate(places), np.float64),
            )
            for objid, (at_us, places) in self._taken.items()
        }


class Files:
    """Samples on their way into a folder; a context manager that closes its files."""

    def __init__(self, folder: Path) -> None:
        with ExitStack() as stack:
            self._at = stack.enter_context((folder / _AT).open("wb"))
            self._places = stack.enter_context((folder / _PLACES).open("wb"))
            self._guide = stack.enter_context((folder / _GUIDE).open("wb"))
            self._stack = stack.pop_all()
        self._counts: dict[str, int] = {}
        self._objid = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def begin(self, objid: str) -> None:
        """The next object's samples follow."""
        self._objid = objid
        self._counts[objid] = 0

    def put(self, at_us: Micros, places: Places) -> None:
        """Some of its samples."""
        first = -self._counts[self._objid] % GUIDE_STEP
        self._counts[self._objid] += len(at_us)
        _write(self._at, np.ascontiguousarray(at_us, "<i8").tobytes())
        self._guide.write(np.ascontiguousarray(at_us[first::GUIDE_STEP], "<i8").tobytes())
        _write(self._places, np.ascontiguousarray(places, "<f8").tobytes())

    def index(self) -> Index:
        """Whose samples were put."""
        return Index(tuple(self._counts), tuple(self._counts.values()))


def mapped(folder: Path, index: Index) -> tuple[Mapping[str, Track], Callable[[], None]]:
    """The samples in a folder, and how to free the memory that looked-at ones take; they stay after the folder is removed."""
    at_map, places_map = _mapped(folder / _AT), _mapped(folder / _PLACES)
    at_us = np.frombuffer(at_map, "<i8")
    places = np.frombuffer(places_map, "<f8").reshape(-1, _AXES)
    guide_us = np.fromfile(folder / _GUIDE, "<i8")
    ends = np.cumsum(index.counts)
    guide_ends = np.cumsum([-(-count // GUIDE_STEP) for count in index.counts])
    if (ends[-1], ends[-1], guide_ends[-1]) != (len(at_us), len(places), len(guide_us)):
        raise ValueError("the columns are not those of the index")
    guides = np.split(guide_us, guide_ends[:-1])
    tracks = {
        objid: Track(at_us[end - count : end], places[end - count : end], guide)
        for objid, count, end, guide in zip(index.objids, index.counts, ends, guides, strict=True)
    }

    def release() -> None:
        for held in (at_map, places_map):
            held.madvise(mmap.MADV_DONTNEED)

    return tracks, release


def write_index(folder: Path, index: Index) -> None:
    """Complete a folder of columns."""
    (folder / _INDEX).write_text(json.dumps(asdict(index), ensure_ascii=False), encoding="utf-8")


def read_index(folder: Path) -> Index:
    """What a complete folder holds.

    Raises:
        OSError: It is not there.
        ValueError: It is not what `write_index` wrote.
    """
    page = json.loads((folder / _INDEX).read_text("utf-8"))
    try:
        return Index(tuple(page["objids"]), tuple(page["counts"]), tuple(page["warnings"]))
    except (KeyError, TypeError) as exc:
        raise ValueError("not an index of columns") from exc


def _write(file: BinaryIO, data: bytes) -> None:
    file.writelines(data[first : first + _PIECE_BYTES] for first in range(0, len(data), _PIECE_BYTES))


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with suppress(OSError):  # a kernel without huge pages knows no such advice
        held.madvise(mmap.MADV_NOHUGEPAGE)  # a look at one sample shall not map two megabytes
    return held
