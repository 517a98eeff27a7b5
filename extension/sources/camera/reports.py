"""What a camera's state is, and what there is to say when it changes. Values; the incident stage and the page take them."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from extension.sources.camera.ledger import Account, Gap
from extension.sources.camera.timing import ClockReading
from extension.sources.camera.trouble import MESSAGES, Code


class State(enum.StrEnum):
    """Where a camera's capture stands."""

    CONNECTING = "connecting"
    RECORDING = "recording"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class CameraDown:
    """No picture of this camera has come for too long; said once."""

    camera: str
    since_at: dt.datetime
    at: dt.datetime
    code: Code

    @property
    def message(self) -> str:
        """Why, in a sentence."""
        return MESSAGES[self.code]


@dataclass(frozen=True, slots=True)
class CameraUp:
    """Pictures come again; `since_at` and `code` are those of the `CameraDown` that this takes back."""

    camera: str
    since_at: dt.datetime
    at: dt.datetime
    code: Code


@dataclass(frozen=True, slots=True)
class CameraClock:
    """A camera's clock became wrong, or is right again; `offset_s` is its clock less ours."""

    camera: str
    at: dt.datetime
    wrong: bool
    offset_s: float


@dataclass(frozen=True, slots=True)
class StorageDown:
    """Segments cannot be written; said once for all cameras."""

    at: dt.datetime
    code: Code

    @property
    def message(self) -> str:
        """Why, in a sentence."""
        return MESSAGES[self.code]


@dataclass(frozen=True, slots=True)
class StorageUp:
    """Segments can be written again; `since_at` is when they last could not."""

    since_at: dt.datetime
    at: dt.datetime
    code: Code


@dataclass(frozen=True, slots=True)
class GapClosed:
    """A span of a camera is lost for good."""

    gap: Gap


Report = CameraDown | CameraUp | CameraClock | StorageDown | StorageUp | GapClosed


@dataclass(frozen=True, slots=True)
class Picture:
    """What the stream is: codec, size in pixels, and frames per second as stated (0.0 where it is not)."""

    codec: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """Everything there is to show about a camera.

    Attributes:
        camera: Its name.
        address: Scheme, host and port.
        state: Of its capture.
        code: Of the trouble it has, or had last; None while none was seen.
        message: The trouble in a sentence.
        last_frame_at: Our wall clock when the last frame came: the heartbeat.
        frames: Received since the start.
        bytes: Of these frames.
        segments: Written since the start.
        reconnects: Connections after the first one.
        picture: Of the present or last connection.
        clock: Of the present or last connection.
        account: Of every second since the start.
        recent_gaps: The latest, oldest first.
    """

    camera: str
    address: str
    state: State
    code: Code | None
    message: str
    last_frame_at: dt.datetime | None
    frames: int
    bytes: int
    segments: int
    reconnects: int
    picture: Picture | None
    clock: ClockReading | None
    account: Account
    recent_gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watch on one camera remembers: since when it is down, if it is, and whether that was said."""

    down: CameraDown | None = None


def watch(
    seen: Seen, camera: str, last_at: dt.datetime, now_at: dt.datetime, code: Code, patience_s: float
) -> tuple[Seen, CameraDown | CameraUp | None]:
    """Decide whether to say that a camera is down, or up again.

    Args:
        seen: From the time before.
        camera: Its name.
        last_at: When its last frame came, or when it was started.
        now_at: The wall clock.
        code: What its trouble is now.
        patience_s: A camera without frames for longer is down.
    """
    silent = (now_at - last_at).total_seconds() > patience_s
    if silent and seen.down is None:
        down = CameraDown(camera, last_at, now_at, code)
        return Seen(down), down
    if not silent and seen.down is not None:
        return Seen(), CameraUp(camera, seen.down.since_at, now_at, seen.down.code)
    return seen, None
