"""What is known about one camera while it is captured: counters, account and clock. Read by any thread, written by its own."""

from __future__ import annotations

import datetime as dt
import threading

from extension.clock import Clock
from extension.sources.camera.camera import Camera
from extension.sources.camera.ledger import Gap, Ledger
from extension.sources.camera.reports import CameraStatus, Picture, State
from extension.sources.camera.timing import ClockReading, SteadyTime
from extension.sources.camera.trouble import MESSAGES, Code


class Book:
    """One camera's numbers.

    Args:
        camera: Whose they are.
        clock: Ours.
        recorded_at: End of what is on disk from before; the time since then counts as lost, for the service did not run.
    """

    def __init__(self, camera: Camera, clock: Clock, recorded_at: dt.datetime | None) -> None:
        self.camera = camera
        self._clock = clock
        self._lock = threading.Lock()
        self._time = SteadyTime(clock.now(), clock.monotonic_s())
        now_at = self.now()
        if recorded_at is not None and recorded_at <= now_at:
            self._ledger = Ledger(camera.name, recorded_at, Code.NOT_RUNNING)
            self._ledger.lose(Code.STARTING, now_at)
        else:
            self._ledger = Ledger(camera.name, now_at)
        self._started_at = now_at
        self._state = State.CONNECTING
        self._code: Code | None = None
        self._last_frame_s: float | None = None
        self._frames = self._bytes = self._segments = self._connections = 0
        self._picture: Picture | None = None
        self._reading: ClockReading | None = None

    def now(self) -> dt.datetime:
        """The wall clock; never runs backwards."""
        with self._lock:
            return self._time.read(self._clock.now(), self._clock.monotonic_s())

    @property
    def cursor_at(self) -> dt.datetime:
        """Up to here it is decided what is captured and what is lost."""
        return self._ledger.cursor_at

    @property
    def heard_at(self) -> dt.datetime:
        """When the last frame came, or when capture started."""
        if self._last_frame_s is None:
            return self._started_at
        return self.now() - dt.timedelta(seconds=self._clock.monotonic_s() - self._last_frame_s)

    @property
    def code(self) -> Code:
        """The trouble it has; while none is known: why it is silent, if it is."""
        return self._code or (Code.STARTING if self._last_frame_s is None else Code.STALLED)

    def connecting(self) -> None:
        """A connection is tried."""
        self._state = State.CONNECTING

    def connected(self) -> None:
        """Frames come, and can be decoded."""
        self._connections += 1
        self._state = State.RECORDING

    def shows(self, picture: Picture) -> None:
        """What the frames are, from now on."""
        self._picture = picture

    def frame(self, size_bytes: int, now_s: float, *, part: bool = False) -> None:
        """A frame came at this processing time, or another part of one."""
        self._frames += not part
        self._bytes += size_bytes
        self._last_frame_s = now_s

    def read_clock(self, reading: ClockReading) -> None:
        """What is known about the camera's clock now."""
        self._reading = reading

    def stored(self, start_at: dt.datetime, end_at: dt.datetime) -> tuple[Gap, ...]:
        """A segment is on disk; the gaps that it closes."""
        with self._lock:
            self._segments += 1
            self._code = None
            return self._ledger.capture(start_at, end_at)

    def lost(self, code: Code, at: dt.datetime) -> None:
        """Time is lost from `at` on, and before it as far as it is not on disk."""
        with self._lock:
            self._code = code
            self._ledger.lose(code, at)

    def waiting(self) -> None:
        """No connection, and none is tried just now."""
        self._state = State.WAITING

    def stopped(self) -> None:
        """Nobody captures it any more; what comes after is lost for that."""
        self._state = State.STOPPED
        with self._lock:
            self._ledger.lose(Code.NOT_RUNNING, self._time.read(self._clock.now(), self._clock.monotonic_s()))

    def status(self) -> CameraStatus:
        """All of it."""
        now_at, heard_at = self.now(), self.heard_at
        with self._lock:
            return CameraStatus(
                camera=self.camera.name,
                address=self.camera.address,
                state=self._state,
                code=self._code,
                message=MESSAGES[self._code] if self._code else "",
                last_frame_at=None if self._last_frame_s is None else heard_at,
                frames=self._frames,
                bytes=self._bytes,
                segments=self._segments,
                reconnects=max(0, self._connections - 1),
                picture=self._picture,
                clock=self._reading,
                account=self._ledger.standing(now_at),
                recent_gaps=self._ledger.recent,
            )
