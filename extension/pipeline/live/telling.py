"""Turns what capture reports into incidents: a camera without pictures, and recordings that cannot be written. Looks at no picture.

Reports come from the threads that capture; they wait here until the store takes them, so that a busy store costs no report and no frame.
A camera's clock that is wrong is no incident: nothing is lost by it, and times are then those of arrival. It is logged and shown.
"""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import structlog

from extension.errors import Unavailable
from extension.incidents import revise
from extension.model import Basis, Event, Incident, Kind, Severity, Span
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.recordings import Recordings
from extension.pipeline.live.register import Register
from extension.sources.camera.reports import (
    CameraClock,
    CameraDown,
    CameraUp,
    Report,
    StorageDown,
    StorageUp,
)

_LOG = structlog.get_logger(__name__)
_NAMESPACE: Final = uuid.UUID("8f0c5c8e-5a4c-5a53-9d6a-2b7f5a1f0d11")
_WAIT_S: Final = 0.5
_STORE_WAIT_S: Final = 2.0
_HOLD_S: Final = 10.0
"""A camera that comes and goes within this is down all the while: one incident, not one for each time."""

Judged = Callable[[Lane, tuple[Incident, ...]], None]


class Telling:
    """Hears reports and tells of them; `run` does the work, in a thread of its own.

    Args:
        lanes: The cameras by name.
        recordings: Tells of the recordings of all of them.
        register: Where judgements go.
        judged: Hears of a camera's incidents that changed.
        stop: Ends everything.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        recordings: Recordings,
        register: Register,
        judged: Judged,
        stop: threading.Event,
    ) -> None:
        self._lanes = lanes
        self._recordings = recordings
        self._register = register
        self._judged = judged
        self._stop = stop
        self._inbox: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._down: set[str] = set()

    def told(self, report: Report) -> None:
        """Take a report; returns at once."""
        self._inbox.put(report)

    def run(self) -> None:
        """Tell until the service stops."""
        while not self._stop.is_set():
            try:
                report = self._inbox.get(timeout=_WAIT_S)
            except queue.Empty:
                self._until_stored(self._end)
            else:
                self._until_stored(partial(self._deal, report))

    def _until_stored(self, work: Callable[[], None]) -> None:
        """Do it, however long the store is away; the same report twice is one event."""
        while not self._stop.is_set():
            try:
                work()
            except Unavailable as exc:
                _LOG.warning("not_stored", reason=str(exc))
                self._stop.wait(_STORE_WAIT_S)
            else:
                return

    def _deal(self, report: Report) -> None:
        match report:
            case CameraDown():
                self._camera_down(self._lanes[report.camera], report)
            case CameraUp():
                self._camera_up(self._lanes[report.camera], report)
            case StorageDown():
                self._recordings.down(report)
            case StorageUp():
                self._recordings.up(report)
            case CameraClock(wrong=True):
                _LOG.warning("camera_clock_wrong", camera=report.camera, offset_s=report.offset_s)
            case CameraClock():
                _LOG.info("camera_clock_right", camera=report.camera, offset_s=report.offset_s)
            case _:
                # Closed gaps are in the camera's account, to the second.
                return

    def _camera_down(self, lane: Lane, report: CameraDown) -> None:
        self._down.add(lane.camera)
        event = _blind(lane, report)
        self._judged(lane, self._register.enter(lane, lambda judge: judge.tell((event,))))

    def _camera_up(self, lane: Lane, report: CameraUp) -> None:
        lengthen = partial(revise.lengthened, end_s=lane.media_s(report.at), end_at=report.at)
        self._judged(lane, self._register.revise(lane, lengthen))
        self._down.discard(lane.camera)

    def _end(self) -> None:
        """Failures that are mended for a while are over: also those from before a restart, of which nobody says that they are."""
        recorded = [lane.recorded_until_at for lane in self._lanes.values()]
        for lane in self._lanes.values():
            if lane.recorded_until_at is not None and lane.camera not in self._down:
                good_s = lane.media_s(lane.recorded_until_at)
                ended = partial(revise.ended, good_until_s=good_s, hold_s=_HOLD_S)
                self._judged(lane, self._register.revise(lane, ended))
        if known := [at for at in recorded if at is not None]:
            self._recordings.written(max(known))


def _blind(lane: Lane, report: CameraDown) -> Event:
    """A camera that shows nothing: nobody can say that all is well there."""
    since_s = lane.media_s(report.since_at)
    return Event(
        id=str(uuid.uuid5(_NAMESPACE, f"{lane.job_id}/down/{report.since_at.isoformat()}")),
        job_id=lane.job_id,
        chunk_index=-1,
        kind=Kind.OTHER,
        span=Span(since_s, lane.media_s(report.at)),
        severity=Severity.DANGER,
        objects=(lane.camera,),
        description=f"Camera {lane.camera} shows no picture: {report.message}",
        start_at=report.since_at,
        end_at=report.at,
        basis=Basis.CAPTURE,
    )
