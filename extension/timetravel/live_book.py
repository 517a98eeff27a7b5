"""All logs that grow, by name, each in a folder of its own; safe for the threads of one program."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from extension.errors import BadInput, NotFound
from extension.timetravel.live_log import JOURNAL, LiveLog
from extension.timetravel.live_receipt import ObjectSummary, Receipt, Summary
from extension.timetravel.live_rows import Kind, read_batch
from extension.timetravel.log_doubts import doubts
from extension.timetravel.trajectory import Trajectory

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_MOST_OPEN: Final = 4
_GOING: Final = ".going-"
_JUDGED_US: Final = 600_000_000
"""The last ten minutes say what is odd about a log."""


class LiveBook:
    """The logs in a folder.

    Args:
        folder: Where they lie; made when the first row comes.
        tz: Zone of timestamps that state none.
    """

    def __init__(self, folder: Path, tz: dt.tzinfo = dt.UTC) -> None:
        self.tz = tz
        self._folder = folder
        for left in folder.glob(f"{_GOING}*"):
            shutil.rmtree(left, ignore_errors=True)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._open: OrderedDict[str, LiveLog] = OrderedDict()

    def append(self, name: str, data: bytes, kind: Kind, key: str | None) -> Receipt:
        """Store a batch of rows; the log begins with its first good row.

        Raises:
            BadInput: The name, the text or the key cannot be used.
            OSError: The disk is full or broken; nothing was stored.
        """
        with self._held(name) as log:
            return log.append(read_batch(data, kind, self.tz), key, data)

    def names(self) -> list[str]:
        """All logs that have rows."""
        if not self._folder.is_dir():
            return []
        return sorted(f.name for f in self._folder.iterdir() if _is_name(f.name) and (f / JOURNAL).exists())

    def summary(self, name: str) -> Summary:
        """How far a log is. Raises `NotFound`."""
        with self._known(name) as log:
            return log.summary

    def objects(self, name: str) -> list[ObjectSummary]:
        """Every object of a log. Raises `NotFound`."""
        with self._known(name) as log:
            return log.objects()

    def part(self, name: str, start_us: int, end_us: int) -> Trajectory | None:
        """A log between two instants; None where nobody was there. Raises `NotFound`, `BadInput` for too long a part."""
        with self._known(name) as log:
            return log.part(start_us, end_us)

    def warnings(self, name: str) -> list[str]:
        """What is odd about a log: over all its batches, and in its last ten minutes. Raises `NotFound`."""
        with self._known(name) as log:
            told, end_us = _told(log.summary), log.summary.end_us
            latest = log.part(end_us - _JUDGED_US, end_us)
        if latest is None:
            return told
        places = np.concatenate([track.places for track in latest.tracks.values()])
        return [*told, *doubts(latest.tracks, places.min(axis=0), places.max(axis=0))]

    def snapshot(self, name: str) -> Path:
        """A file of a log as it is now, for a job to name as its trajectory. Raises `NotFound`."""
        with self._known(name) as log:
            return log.snapshot()

    def delete(self, name: str) -> None:
        """Remove a log and its rows. Raises `NotFound`."""
        with self._known(name):
            going = self._folder / f"{_GOING}{name}"
            shutil.rmtree(going, ignore_errors=True)
            (self._folder / name).rename(going)
            with self._lock:
                self._open.pop(name, None)
        shutil.rmtree(going, ignore_errors=True)

    @contextmanager
    def _held(self, name: str) -> Iterator[LiveLog]:
        """A log that nobody else uses meanwhile, open."""
        if not _is_name(name):
            raise BadInput("the name of a log must be 1 to 64 letters, digits, hyphens or underscores")
        with self._lock:
            mine = self._locks.setdefault(name, threading.Lock())
        with mine:
            with self._lock:
                log = self._open.get(name)
            if log is None:
                log = LiveLog(self._folder / name)
            with self._lock:
                self._open[name] = log
                self._open.move_to_end(name)
                self._close_others()
            yield log

    @contextmanager
    def _known(self, name: str) -> Iterator[LiveLog]:
        if not _is_name(name) or not (self._folder / name / JOURNAL).exists():
            raise NotFound(f"There is no trajectory {name[:64]!r}.")
        with self._held(name) as log:
            if not log.summary.rows:
                raise NotFound(f"There is no trajectory {name!r}.")
            yield log

    def _close_others(self) -> None:
        """Let go of the logs least recently used, but for those in use."""
        for name in list(self._open)[:-_MOST_OPEN]:
            lock = self._locks[name]
            if lock.acquire(blocking=False):
                del self._open[name]
                lock.release()


def _is_name(name: str) -> bool:
    return re.fullmatch(NAME, name) is not None


def _told(summary: Summary) -> list[str]:
    counts = (
        (summary.rejected, f"rejected (the last: {summary.last_fault})"),
        (summary.repeated, "sent again and counted once"),
        (summary.late, "late and put in their places"),
    )
    return [f"{count} {'row was' if count == 1 else 'rows were'} {what}" for count, what in counts if count]
