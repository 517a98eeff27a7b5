"""Cameras for the wire: those that are captured, and those that cannot be. Reads; changes nothing."""

from __future__ import annotations

from typing import Final

from extension.pipeline.live.lane import Lane
from extension.sources.camera.camera import Camera, Refusal
from extension.sources.camera.reports import CameraStatus
from extension.wire import CameraOut

REFUSED: Final = "refused"
"""The state of a camera that is not captured at all, before somebody mends what its message says."""


def captured(status: CameraStatus, lane: Lane, waiting: int, notices: int) -> CameraOut:
    """How a camera is that is captured.

    Args:
        status: Of its capture.
        lane: Its windows.
        waiting: Windows that wait to be looked at.
        notices: Notices of motion that wait for the VLM.
    """
    picture, clock = status.picture, status.clock
    return CameraOut(
        name=status.camera,
        job_id=lane.job_id,
        begin_at=lane.rhythm.epoch_at,
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
        clock_wrong=clock is not None and clock.wrong,
        captured_s=round(status.account.captured_s, 3),
        lost_s={str(code): round(lost_s, 3) for code, lost_s in status.account.lost_s.items()},
        pending_s=round(status.account.pending_s, 3),
        windows=dict(lane.counts),
        waiting=waiting,
        notices=notices,
    )


def refused(camera: Camera, refusal: Refusal, lane: Lane) -> CameraOut:
    """A camera that cannot be captured, and what to mend.

    Args:
        camera: As it is configured.
        refusal: Why it cannot be captured.
        lane: Of the camera of this name: what it showed before, or what another of this name shows.
    """
    return CameraOut(
        name=camera.name,
        job_id=lane.job_id,
        begin_at=lane.rhythm.epoch_at,
        address=camera.address,
        state=REFUSED,
        trouble=refusal.code,
        message=refusal.message,
        last_frame_at=None,
        picture=None,
        frames=0,
        received_bytes=0,
        segments=0,
        reconnects=0,
        clock_offset_s=None,
        captured_s=0.0,
        lost_s={},
        pending_s=0.0,
        windows={},
    )
