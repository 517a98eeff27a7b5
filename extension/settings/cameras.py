"""The knobs of the part that watches cameras. What differs from camera to camera lies in their own file instead."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class CameraSettings(BaseSettings):
    """What holds for all cameras."""

    cameras_file: Path | None = Field(
        None, alias="EXT_CAMERAS_FILE", description="YAML file with the cameras to watch (docs/cameras.md)."
    )
    ring_s: int = Field(
        3600, alias="EXT_RING_S", ge=60, description="How long recorded camera video is kept, in seconds."
    )
    ring_bytes: int = Field(
        20 * 1024**3,
        alias="EXT_RING_BYTES",
        ge=100 * 1024**2,
        description="Most bytes of recorded camera video; the oldest goes first.",
    )
    evidence_kept_s: int = Field(
        400 * 86_400,
        alias="EXT_EVIDENCE_KEPT_S",
        ge=3600,
        description="How long evidence of incidents is kept, in seconds, of cameras and of jobs; incidents stay.",
    )
    evidence_bytes: int = Field(
        100 * 1024**3,
        alias="EXT_EVIDENCE_BYTES",
        ge=100 * 1024**2,
        description="Most bytes of evidence; the oldest goes first, never that of an open incident.",
    )
    windows_kept_s: int = Field(
        7 * 86_400,
        alias="EXT_WINDOWS_KEPT_S",
        ge=60,
        description="How long the answers for a camera's windows are kept, in seconds; incidents stay.",
    )
    second_look: bool = Field(
        default=True,
        alias="EXT_SECOND_LOOK",
        description="Whether camera footage that is judged danger or extreme is looked at again, on denser frames, before it is told.",
    )
