"""Which windows of a camera are due, and which are let go when the VLM is too slow. Pure but for the lock of the backlog."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SHED: Final = "Shed"
"""The failure of a window that was let go."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Windows of `length_s`, one beginning every `stride_s`, counted from `epoch_at`; both in seconds of the wall clock."""

    epoch_at: dt.datetime
    length_s: float
    stride_s: float

    def span(self, number: int) -> tuple[dt.datetime, dt.datetime]:
        """From when to when a window reaches."""
        start_at = self.epoch_at + dt.timedelta(seconds=number * self.stride_s)
        return start_at, start_at + dt.timedelta(seconds=self.length_s)

    def first_from(self, at: dt.datetime) -> int:
        """The first window that begins at an instant or later."""
        return max(0, -int(-((at - self.epoch_at).total_seconds()) // self.stride_s))

    def around(self, at: dt.datetime) -> tuple[int, int]:
        """The first and the last window that show an instant."""
        passed_s = (at - self.epoch_at).total_seconds()
        last = int(passed_s // self.stride_s)
        first = int((passed_s - self.length_s) // self.stride_s) + 1
        return max(first, 0), last

    def complete_at(self, at: dt.datetime) -> int:
        """How many windows, counted from 0, have ended at an instant."""
        whole_s = (at - self.epoch_at).total_seconds() - self.length_s
        return int(whole_s // self.stride_s) + 1 if whole_s >= 0 else 0


@dataclass
class _Queue:
    """What waits for one camera: windows to look at, by number, and windows that were shed and not yet recorded."""

    waiting: deque[int] = field(default_factory=deque)
    shed: list[int] = field(default_factory=list)
    busy: bool = False
    served: int = 0


class Backlog:
    """Windows that wait, for all cameras: bounded for each, oldest shed first, and served in turn. Safe to use from several threads.

    Args:
        cameras: Their names.
        most: Windows that may wait for one camera; when one more comes, the oldest goes.
    """

    def __init__(self, cameras: Iterable[str], most: int) -> None:
        self._queues = {name: _Queue() for name in cameras}
        self._most = most
        self._turn = 0
        self._change = threading.Condition()

    def add(self, camera: str, number: int) -> None:
        """A window is complete."""
        with self._change:
            queue = self._queues[camera]
            queue.waiting.append(number)
            while len(queue.waiting) > self._most:
                queue.shed.append(queue.waiting.popleft())
            self._change.notify()

    def take(self, timeout_s: float) -> tuple[str, int, list[int]] | None:
        """The next window of the camera that has waited longest, and the windows shed before it; None when nothing came in time.

        The camera is busy until `done` is called.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._free() is not None, timeout_s):
                return None
            name = self._free()
            if name is None:
                return None
            queue = self._queues[name]
            self._turn += 1
            queue.served, queue.busy = self._turn, True
            shed, queue.shed = queue.shed, []
            return name, queue.waiting.popleft(), shed

    def put_back(self, camera: str, number: int, shed: list[int]) -> None:
        """What was taken could not be dealt with: it waits again, in its place, unless it is too late for that."""
        with self._change:
            queue = self._queues[camera]
            if queue.shed:
                queue.shed[:0] = [*shed, number]
                return
            queue.waiting.appendleft(number)
            queue.shed = list(shed)
            while len(queue.waiting) > self._most:
                queue.shed.append(queue.waiting.popleft())

    def done(self, camera: str) -> None:
        """The window that was taken is dealt with."""
        with self._change:
            self._queues[camera].busy = False
            self._change.notify_all()

    def waiting(self, camera: str) -> int:
        """How many windows wait."""
        with self._change:
            return len(self._queues[camera].waiting)

    def _free(self) -> str | None:
        """The camera to serve next: not busy, something waits, and served longest ago."""
        free = [name for name, queue in self._queues.items() if queue.waiting and not queue.busy]
        return min(free, key=lambda name: self._queues[name].served, default=None)
