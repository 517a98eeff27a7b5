"""Everything that can be wrong with a camera, by code; the words for it hold no address and no password."""

from __future__ import annotations

import enum
from typing import Final

from extension.errors import Unavailable


class Code(enum.StrEnum):
    """Why a camera is not captured, or why a span of it is lost."""

    BAD_NAME = "BadName"
    BAD_URL = "BadUrl"
    DUPLICATE_NAME = "DuplicateName"
    STARTING = "Starting"
    NOT_RUNNING = "NotRunning"
    UNREACHABLE = "Unreachable"
    NOT_ENCRYPTED = "NotEncrypted"
    UNAUTHORIZED = "Unauthorized"
    NOT_FOUND = "NotFound"
    NOT_VIDEO = "NotVideo"
    UNSUPPORTED_CODEC = "UnsupportedCodec"
    UNDECODABLE = "Undecodable"
    MALFORMED = "Malformed"
    PROTOCOL = "ProtocolError"
    DISCONNECTED = "Disconnected"
    STALLED = "Stalled"
    NO_KEY_FRAME = "NoKeyFrame"
    MISSING_FRAMES = "MissingFrames"
    CLOCK_STEP = "ClockStep"
    CLOCK_WRONG = "ClockWrong"
    DISK_FULL = "DiskFull"
    UNWRITABLE = "Unwritable"


MESSAGES: Final = {
    Code.STARTING: "no picture has come yet",
    Code.NOT_RUNNING: "the service did not run",
    Code.UNREACHABLE: "nothing answers at this address: check host, port and network",
    Code.NOT_ENCRYPTED: "no encrypted connection comes about: the camera speaks no TLS on this port, or shows another certificate",
    Code.UNAUTHORIZED: "the camera refuses the user name or password",
    Code.NOT_FOUND: "the camera knows no stream under this path",
    Code.NOT_VIDEO: "the stream holds no video",
    Code.UNSUPPORTED_CODEC: "the video is neither H.264 nor H.265: choose one of them in the camera's settings",
    Code.UNDECODABLE: "pictures arrive, but they cannot be decoded",
    Code.MALFORMED: "pictures arrive in an order or form that no file can hold",
    Code.PROTOCOL: "what answers at this address is no RTSP camera, or one that is not ready yet",
    Code.DISCONNECTED: "the camera ended the connection",
    Code.STALLED: "the connection stands, but no picture comes",
    Code.NO_KEY_FRAME: "no key frame came for too long, and without one nothing can be played",
    Code.MISSING_FRAMES: "the camera left out frames",
    Code.CLOCK_STEP: "the camera's clock jumped",
    Code.CLOCK_WRONG: "the camera's clock is wrong; times are those of arrival",
    Code.DISK_FULL: "the disk of the recordings is full: make room, capture goes on by itself",
    Code.UNWRITABLE: "recordings cannot be written to their folder",
}
"""One sentence each, for people."""

LASTING: Final = frozenset(
    {
        Code.NOT_ENCRYPTED,
        Code.UNAUTHORIZED,
        Code.NOT_FOUND,
        Code.NOT_VIDEO,
        Code.UNSUPPORTED_CODEC,
        Code.UNDECODABLE,
    }
)
"""What somebody has to mend: tried again rarely, so that a camera does not lock the account."""


class CameraTrouble(Unavailable):
    """A camera cannot be captured at present; `code` says why."""

    def __init__(self, code: Code) -> None:
        super().__init__(MESSAGES[code])
        self.code = code
