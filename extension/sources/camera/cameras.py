"""All cameras together: one thread for each, one that keeps watch and lets old segments go, and one place that hears of everything."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from extension.clock import Clock
from extension.sources.camera.book import Book
from extension.sources.camera.camera import Camera, admit
from extension.sources.camera.capture import Capture, CaptureOptions
from extension.sources.camera.reports import (
    CameraDown,
    CameraStatus,
    CameraUp,
    GapClosed,
    Report,
    Seen,
    StorageDown,
    StorageUp,
    watch,
)
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Footage, Segment
from extension.sources.camera.trouble import CameraTrouble

_LOG = structlog.get_logger(__name__)
_WATCH_EVERY_S: Final = 0.5
_TRIM_EVERY: Final = 10
"""Old segments are let go of at every tenth look."""


class Cameras:
    """Captures cameras into a ring.

    `work` names what has to run, each in a thread of its own that a supervisor may start again; all of it returns soon after `stop` is
    set, a stalled camera's when its patience ends.

    Args:
        cameras: Wanted. Those that cannot be captured at all are in `refused`, and the others are not harmed by them.
        ring: Where segments go.
        clock: Ours.
        stop: Ends everything.
        options: How.
        on_segment: Hears of each new segment, in its camera's thread, in order; it must be quick.
        on_report: Hears of everything that changes, in any of the threads; it must be quick.
        chance: Spreads reconnects; seconds only, nothing secret.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        ring: Ring,
        clock: Clock,
        stop: threading.Event,
        *,
        options: CaptureOptions | None = None,
        on_segment: Callable[[Segment], None] = lambda _: None,
        on_report: Callable[[Report], None] = lambda _: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        admitted, self.refused = admit(cameras)
        for refusal in self.refused:
            _LOG.error("camera_refused", camera=refusal.camera, code=refusal.code.value)
        self._ring = ring
        self._clock = clock
        self._stop = stop
        self._options = options or CaptureOptions()
        self._on_segment = on_segment
        self._on_report = on_report
        self._books = {camera.name: Book(camera, clock, _end_of(ring, camera)) for camera in admitted}
        self._seen = dict.fromkeys(self._books, Seen())
        self._storage: StorageDown | None = None
        self._storage_lock = threading.Lock()
        self._captures = {
            name: Capture(book, self._store, clock, self._options, chance, on_report, stop)
            for name, book in self._books.items()
        }

    def work(self) -> Mapping[str, Callable[[], None]]:
        """What has to run, by name."""
        return {f"camera {name}": capture.run for name, capture in self._captures.items()} | {
            "camera watch": self.watch
        }

    def status(self) -> tuple[CameraStatus, ...]:
        """How every captured camera is."""
        return tuple(book.status() for book in self._books.values())

    def watch(self) -> None:
        """Say which cameras went down or came up, and let old segments go, until `stop` is set."""
        looks = 0
        while not self._stop.wait(_WATCH_EVERY_S):
            for book in self._books.values():
                self._look(book)
            if looks % _TRIM_EVERY == 0:
                self._ring.trim(self._clock.now())
            looks += 1

    def _look(self, book: Book) -> None:
        name = book.camera.name
        self._seen[name], news = watch(
            self._seen[name], name, book.heard_at, book.now(), book.code, self._options.down_after_s
        )
        if isinstance(news, CameraDown):
            _LOG.error("camera_down", camera=name, code=news.code.value, address=book.camera.address)
        elif isinstance(news, CameraUp):
            _LOG.info("camera_up", camera=name, down_s=(news.at - news.since_at).total_seconds())
        if news is not None:
            self._on_report(news)

    def _store(
        self,
        camera: str,
        start_at: dt.datetime,
        end_at: dt.datetime,
        footage: Footage,
        pieces: Sequence[bytes],
    ) -> Segment | None:
        """Write a segment and enter it in its camera's book."""
        book = self._books[camera]
        try:
            segment = self._ring.store(camera, start_at, end_at, footage, pieces)
        except CameraTrouble as trouble:
            book.lost(trouble.code, start_at)
            self._storage_failed(trouble, book.now())
            return None
        self._storage_works(book.now())
        for gap in book.stored(start_at, end_at):
            self._on_report(GapClosed(gap))
        self._on_segment(segment)
        return segment

    def _storage_failed(self, trouble: CameraTrouble, at: dt.datetime) -> None:
        with self._storage_lock:
            if self._storage is not None:
                return
            self._storage = StorageDown(at, trouble.code)
        _LOG.error("recordings_cannot_be_written", code=trouble.code.value)
        self._on_report(self._storage)

    def _storage_works(self, at: dt.datetime) -> None:
        with self._storage_lock:
            down, self._storage = self._storage, None
        if down is not None:
            _LOG.info("recordings_are_written_again")
            self._on_report(StorageUp(down.at, at, down.code))


def _end_of(ring: Ring, camera: Camera) -> dt.datetime | None:
    latest = ring.index.latest(camera.name)
    return latest.end_at if latest else None
