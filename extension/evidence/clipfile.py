"""One clip under way: encoded packets into an MP4 file (index first), from its own second 0 on."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final, cast

import av
import av.error
from av.packet import Packet
from av.video.stream import VideoStream

TICKS: Final = 90_000
"""Units of a second in which clips tell time: MPEG's own, fine enough for every frame rate."""


class ClipFile:
    """A clip that is being written; finished, or thrown away.

    Args:
        path: Of the file.
        width: Of the pictures, pixels.
        height: Of the pictures, pixels.
        from_tick: Where the clip begins on the packets' own axis.
        rate: About how many frames a second has, for players that want to know.

    Attributes:
        fault: Why no clip came of it, in a few words; None as long as all is well.
        frames: How many it holds.
    """

    def __init__(self, path: Path, width: int, height: int, from_tick: int, rate: Fraction) -> None:
        self.path = path
        self.fault: str | None = None
        self.frames = 0
        self._from_tick = from_tick
        self._held: Packet[VideoStream] | None = None
        try:
            self._container = av.open(path, "w", format="mp4", options={"movflags": "+faststart"})
            self._stream = self._container.add_mux_stream(
                "h264", rate=rate, width=width, height=height, time_base=Fraction(1, TICKS)
            )
        except (av.error.FFmpegError, OSError) as exc:
            self.fault = _words(exc)

    def take(self, packet: Packet[VideoStream]) -> None:
        """Take the next packet, in order; the first one is a key frame, and on show when the clip begins."""
        if self.fault is not None:
            return
        tick = max(0, (packet.pts or 0) - self._from_tick)
        if self._held is not None:
            self._write(self._held, tick - (self._held.pts or 0))
        mine = cast("Packet[VideoStream]", Packet(bytes(packet)))
        mine.pts = mine.dts = tick
        mine.time_base = Fraction(1, TICKS)
        mine.is_keyframe = packet.is_keyframe
        self._held = mine

    def finish(self, until_tick: int) -> None:
        """Close the file; its last frame is shown until that tick of the packets' own axis."""
        if self._held is not None:
            self._write(self._held, until_tick - self._from_tick - (self._held.pts or 0))
            self._held = None
        if self.fault is None and not self.frames:
            self.fault = "no frame can be decoded there"
        try:
            self._container.close()
        except AttributeError:
            return  # it could not be opened
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            self._fail(exc)
        if self.fault is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _write(self, packet: Packet[VideoStream], duration: int) -> None:
        if self.fault is not None:
            return
        packet.duration = max(1, duration)
        packet.stream = self._stream  # type: ignore[assignment]  # a stream without a codec context; nothing is decoded by it
        try:
            self._container.mux(packet)
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            self._fail(exc)
        else:
            self.frames += 1

    def _fail(self, exc: Exception) -> None:
        self.fault = self.fault or _words(exc)


def _words(exc: Exception) -> str:
    """What went wrong, without a path."""
    return getattr(exc, "strerror", None) or type(exc).__name__
