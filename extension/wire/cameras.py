"""Cameras on the wire: how their capture is, and what became of their windows."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from extension.wire.form import Wire


class CameraOut(Wire):
    """A camera that is watched. Captured, lost and pending seconds together are all since the start."""

    name: str
    job_id: str = Field(description="The job that holds what was found")
    begin_at: dt.datetime | None = Field(
        default=None, description="Wall clock of second 0 of the job that holds what was found"
    )
    address: str = Field(description="Scheme, host and port; never credentials")
    state: str
    trouble: str | None
    message: str
    last_frame_at: dt.datetime | None
    picture: str | None = Field(description="Codec and size of the stream", examples=["h264 1920x1080"])
    frames: int
    received_bytes: int
    segments: int
    reconnects: int
    clock_offset_s: float | None = Field(description="The camera's clock less ours")
    clock_wrong: bool = Field(
        default=False, description="Whether its clock is not believed; times are then those of arrival"
    )
    captured_s: float
    lost_s: dict[str, float] = Field(description="By reason")
    pending_s: float
    windows: dict[str, int] = Field(
        description="Windows by how they ended: looked, or the code of the failure"
    )
    waiting: int = Field(default=0, description="Windows that wait to be looked at")
    notices: int = Field(default=0, description="Notices of motion that wait until the VLM can be had")
