"""The live part of the service put together: cameras captured into a ring, and a watch that looks at their windows."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import NotFound
from extension.evidence.wanted import Limits
from extension.model import Caption
from extension.pipeline.judging import Announce
from extension.pipeline.live.lane import Lane, Spec, open_lane
from extension.pipeline.live.proofs import Proofs
from extension.pipeline.live.watch import Looking, Watch
from extension.sources.camera.camera import Camera, Refusal
from extension.sources.camera.cameras import Cameras
from extension.sources.camera.capture import CaptureOptions
from extension.sources.camera.reports import CameraStatus
from extension.sources.camera.ring import Ring
from extension.store import Store
from extension.wire import CameraOut


class Live:
    """All cameras that are watched.

    Args:
        cameras: With how each is to be watched.
        store: What must survive a restart.
        via: The via-server.
        announce: Makes the messages of an announcement.
        ring: Where segments go.
        looking: How windows are looked at.
        options: How cameras are captured.
        lookers: Windows looked at together.
        outputs_dir: Where evidence goes, one folder per camera's job.
    """

    def __init__(  # noqa: PLR0913 - one argument per neighbour
        self,
        cameras: Sequence[tuple[Camera, Spec]],
        store: Store,
        via: ViaClient,
        announce: Announce,
        ring: Ring,
        looking: Looking,
        options: CaptureOptions,
        lookers: int,
        *,
        outputs_dir: Path,
    ) -> None:
        self._cameras = cameras
        self._store = store
        self._via = via
        self._announce = announce
        self._ring = ring
        self._looking = looking
        self._options = options
        self._lookers = lookers
        self._outputs_dir = outputs_dir
        self._lanes: dict[str, Lane] = {}
        self._captured: Cameras | None = None

    def work(
        self, clock: Clock, stop: threading.Event, news: Callable[[], None], tz: dt.tzinfo
    ) -> Mapping[str, Callable[[], None]]:
        """What has to run, by name, each in a thread of its own.

        Args:
            clock: Wall clock and processing time.
            stop: Ends everything.
            news: Called whenever new messages lie in the outbox.
            tz: Zone of burnt-in clocks.
        """
        for _, spec in self._cameras:
            if spec.camera not in self._lanes:
                self._lanes[spec.camera] = open_lane(spec, self._store, self._announce, clock, tz)
        proofs = Proofs(self._store, self._ring, self._outputs_dir, Limits(), stop)
        watch = Watch(
            self._lanes, self._store, self._via, self._ring, self._looking, clock, stop, news, proofs=proofs
        )
        self._captured = Cameras(
            [camera for camera, _ in self._cameras],
            self._ring,
            clock,
            stop,
            options=self._options,
            on_segment=watch.heard,
            on_report=watch.told,
        )
        lookers = {f"look {number}": watch.run for number in range(1, self._lookers + 1)}
        return {**self._captured.work(), **lookers, "prove cameras": proofs.run}

    def cameras(self) -> list[CameraOut]:
        """How every camera is."""
        statuses = self._captured.status() if self._captured else ()
        return [_out(status, self._lanes[status.camera]) for status in statuses]

    def explain(self, camera: str, at: dt.datetime) -> list[Caption]:
        """The windows that covered an instant, with their answers: why there was an alert, or none.

        Raises:
            NotFound: when no camera has that name.
        """
        if camera not in self._lanes:
            raise NotFound(f"no camera is called {camera!r}")
        lane = self._lanes[camera]
        first, last = lane.rhythm.around(at)
        found = self._store.captions(lane.job_id, first, last - first + 1)
        return [caption for caption in found if caption.chunk.index <= last]

    def refused(self) -> tuple[Refusal, ...]:
        """Cameras that cannot be captured, and what to mend."""
        return self._captured.refused if self._captured else ()


def _out(status: CameraStatus, lane: Lane) -> CameraOut:
    picture, clock = status.picture, status.clock
    return CameraOut(
        name=status.camera,
        job_id=lane.job_id,
        address=status.address,
        state=status.state,
        trouble=status.code,
        message=status.message,
        last_frame_at=status.last_frame_at,
        picture=f"{picture.codec} {picture.width}x{picture.height}" if picture else None,
        frames=status.frames,
        received_bytes=status.bytes,
        segments=status.segments,
        reconnects=status.reconnects,
        clock_offset_s=clock.offset_s if clock else None,
        captured_s=round(status.account.captured_s, 3),
        lost_s={str(code): round(lost_s, 3) for code, lost_s in status.account.lost_s.items()},
        pending_s=round(status.account.pending_s, 3),
        windows=dict(lane.counts),
    )
