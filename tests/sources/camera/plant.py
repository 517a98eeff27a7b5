"""A plant with simulated cameras that are captured: server, ring, threads and all that was heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from extension.clock import Clock, SystemClock
from extension.sources.camera.backoff import Backoff
from extension.sources.camera.camera import Camera
from extension.sources.camera.cameras import Cameras
from extension.sources.camera.capture import CaptureOptions
from extension.sources.camera.cutting import Limits
from extension.sources.camera.reader import Patience
from extension.sources.camera.reports import CameraStatus, Report
from extension.sources.camera.ring import Ring
from extension.sources.camera.segments import Segment
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.server import RtspServer
from extension.sources.rtsp.streams import Stream
from extension.supervisor import Supervisor
from tests.sources.rtsp.clips import until

News = TypeVar("News")
QUICK = CaptureOptions(
    limits=Limits(target_s=0.4, early_s=0.05),
    patience=Patience(open_s=4.0, stall_s=1.8),
    backoff=Backoff(first_s=0.05, most_s=0.2, lasting_s=0.3),
    down_after_s=1.5,
)
"""Everything faster than in a plant, so that tests are."""


class Capturing:
    """Cameras under capture, in threads as the service runs them; a context manager."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        ring: Ring,
        options: CaptureOptions = QUICK,
        clock: Clock | None = None,
    ) -> None:
        self.supervisor = Supervisor()
        self.segments: list[Segment] = []
        self.reports: list[Report] = []
        self._lock = threading.Lock()
        self.cameras = Cameras(
            cameras,
            ring,
            clock or SystemClock(),
            self.supervisor.stop,
            options=options,
            on_segment=self._hear(self.segments),
            on_report=self._hear(self.reports),
            chance=lambda: 0.0,
        )

    def __enter__(self) -> Self:
        """Start capturing."""
        for name, work in self.cameras.work().items():
            self.supervisor.keep_running(name, work)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; nothing may have broken."""
        self.supervisor.shut_down()
        assert not self.supervisor.crashes

    def of(self, camera: str) -> list[Segment]:
        """The camera's new segments."""
        with self._lock:
            return [segment for segment in self.segments if segment.camera == camera]

    def heard(self, kind: type[News], camera: str = "") -> list[News]:
        """Reports of a kind, of one camera or of all."""
        with self._lock:
            found = [report for report in self.reports if isinstance(report, kind)]
        return [report for report in found if not camera or getattr(report, "camera", None) == camera]

    def status(self, camera: str) -> CameraStatus:
        """How the camera is."""
        return next(status for status in self.cameras.status() if status.camera == camera)

    def wait_for(self, camera: str, segments: int) -> None:
        """Until so many segments of the camera are there."""
        until(lambda: len(self.of(camera)) >= segments)

    def wait_for_more(self, camera: str, segments: int) -> None:
        """Until so many more segments of the camera are there."""
        self.wait_for(camera, len(self.of(camera)) + segments)

    def _hear(self, heard: list[Any]) -> Callable[[Any], None]:
        def listener(news: Any) -> None:
            with self._lock:
                heard.append(news)

        return listener


class Plant(Capturing):
    """Simulated cameras, each captured under its stream's name."""

    def __init__(
        self,
        folder: Path,
        streams: Mapping[str, Stream | Sequence[Stream]],
        *,
        options: CaptureOptions = QUICK,
        ring: Ring | None = None,
        credentials: Credentials | None = None,
        others: Callable[[RtspServer], Sequence[Camera]] = lambda _: (),
    ) -> None:
        self._running = ExitStack()
        self.server = self._running.enter_context(RtspServer(streams, credentials=credentials, seed=1))
        self.ring = ring or Ring(folder, reserve_bytes=0)
        user = (credentials.user, credentials.password) if credentials else ("", "")
        cameras = [
            Camera(name, self.server.url(name, user=user[0], password=user[1])) for name in self.server.names
        ]
        super().__init__([*cameras, *others(self.server)], self.ring, options)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop capturing, then the cameras."""
        with self._running:
            super().__exit__(kind, exc, trace)
