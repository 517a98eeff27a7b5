"""Which windows of a camera are due, and which are let go when the VLM is too slow. Pure but for the lock of the backlog."""

from __future__ import annotations

import bisect
import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from extension.model import Beat

SHED: Final = "Shed"
"""The failure of a window that was let go."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Windows of `length_s`, one beginning every so often; seconds of the wall clock, counted from `epoch_at`.

    Attributes:
        epoch_at: Media second 0 of the camera.
        length_s: Of a window.
        beats: How windows are numbered, by number, at least one; the last holds for all that are to come.
    """

    epoch_at: dt.datetime
    length_s: float
    beats: tuple[Beat, ...]

    @property
    def stride_s(self) -> float:
        """A window begins every so many seconds."""
        return self.beats[-1].stride_s

    def start_s(self, number: int) -> float:
        """The media second at which a window begins."""
        beat = self.beats[max(bisect.bisect_right(self.beats, number, key=lambda beat: beat.number) - 1, 0)]
        return beat.media_s + (number - beat.number) * beat.stride_s

    def span(self, number: int) -> tuple[dt.datetime, dt.datetime]:
        """From when to when a window reaches."""
        start_at = self.epoch_at + dt.timedelta(seconds=self.start_s(number))
        return start_at, start_at + dt.timedelta(seconds=self.length_s)

    def first_from(self, at: dt.datetime) -> int:
        """The first window to come that begins at an instant or later."""
        beat = self.beats[-1]
        return beat.number + max(0, -int(-(self._media_s(at) - beat.media_s) // beat.stride_s))

    def around(self, at: dt.datetime) -> tuple[int, int]:
        """The first and the last window that show an instant; of one before the first window: none, as an empty range."""
        passed_s = self._media_s(at)
        # A clock that was set back makes a later beat begin before an earlier one.
        place = max((n for n, beat in enumerate(self.beats) if beat.media_s <= passed_s), default=0)
        beat = self.beats[place]
        last = beat.number + int((passed_s - beat.media_s) // beat.stride_s)
        if place + 1 < len(self.beats):
            last = min(last, self.beats[place + 1].number - 1)
        first = last + 1
        while first > 0 and 0 <= passed_s - self.start_s(first - 1) < self.length_s:
            first -= 1
        return first, last

    def complete_at(self, at: dt.datetime) -> int:
        """The number of the first window to come that has not ended at an instant."""
        beat = self.beats[-1]
        whole_s = self._media_s(at) - beat.media_s - self.length_s
        return beat.number + (int(whole_s // beat.stride_s) + 1 if whole_s >= 0 else 0)

    def _media_s(self, at: dt.datetime) -> float:
        return (at - self.epoch_at).total_seconds()


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
