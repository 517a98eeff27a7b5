"""Captures one camera for as long as it is wanted: connects, records, and comes back after every fault."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from extension.clock import Clock
from extension.sources.camera.backoff import Backoff
from extension.sources.camera.book import Book
from extension.sources.camera.cutting import Limits
from extension.sources.camera.reader import Patience, Reader
from extension.sources.camera.recording import Awaited, Recording, Store, nobody_waits
from extension.sources.camera.reports import CameraClock
from extension.sources.camera.trouble import CameraTrouble, Code

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How cameras are captured.

    Attributes:
        limits: When segments are cut.
        patience: How long a camera may take.
        backoff: How long to wait after a fault.
        down_after_s: A camera without frames for longer is reported as down.
        clock_tolerance_s: A camera's clock that differs from ours by more is wrong, and arrival counts.
        awaited: Who waits for a segment gets it at the next key frame.
    """

    limits: Limits = field(default_factory=Limits)
    patience: Patience = field(default_factory=Patience)
    backoff: Backoff = field(default_factory=Backoff)
    down_after_s: float = 15.0
    clock_tolerance_s: float = 5.0
    awaited: Awaited = nobody_waits


class Capture:
    """One camera's capture; `run` is its thread's work.

    Args:
        book: The camera's.
        store: Where segments go.
        clock: Ours.
        options: How.
        chance: From 0 up to 1; spreads reconnects.
        tell: Hears about the camera's clock.
        stop: Set when it is to end.
    """

    def __init__(
        self,
        book: Book,
        store: Store,
        clock: Clock,
        options: CaptureOptions,
        chance: Callable[[], float],
        tell: Callable[[CameraClock], None],
        stop: threading.Event,
    ) -> None:
        self._book = book
        self._store = store
        self._clock = clock
        self._options = options
        self._chance = chance
        self._tell = tell
        self._stop = stop
        self._said: Code | None = None

    def run(self) -> None:
        """Capture until `stop` is set."""
        failures = 0
        try:
            while not self._stop.is_set():
                self._book.connecting()
                segments = self._book.status().segments
                code = self._connect()
                failures = 1 if self._book.status().segments > segments else failures + 1
                if code is not None:
                    self._wait(code, failures)
        finally:
            self._book.stopped()

    def _wait(self, code: Code, failures: int) -> None:
        now_at = self._book.now()
        self._book.lost(code, now_at)
        self._book.waiting()
        if code is not self._said:
            self._said = code
            _LOG.warning("camera_lost", camera=self._book.camera.name, code=code.value)
        self._stop.wait(self._options.backoff.wait_s(failures, code, self._chance()))

    def _connect(self) -> Code | None:
        """One connection, from its start to its end; why it ended, or None when it was to end."""
        try:
            with Reader(self._book.camera, self._options.patience) as reader:
                return self._record(reader)
        except CameraTrouble as trouble:
            return trouble.code

    def _record(self, reader: Reader) -> Code | None:
        options = self._options
        recording = Recording(
            reader,
            self._book,
            self._store,
            self._clock,
            options.limits,
            options.clock_tolerance_s,
            self._tell,
            options.awaited,
        )
        try:
            for packet in reader.packets():
                if self._stop.is_set():
                    return None
                recording.take(packet)
                self._said = None
        finally:
            recording.close()
        # The library reports a camera that died as the plain end of its stream.
        return Code.DISCONNECTED
