"""Sketches of a recording's pictures: grey, small, few. Decodes; compares nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import av
import av.error
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from extension.errors import BadSource

Levels = NDArray[np.uint8]
"""H x W grey levels, the longer side `LONG_SIDE_PX`."""

LONG_SIDE_PX: Final = 160
"""A person at a twentieth of the picture's height is still 4 px tall."""

EVERY_S: Final = 0.45
"""Between key frames a picture is sketched once in this time: two a second."""

_PLANAR: Final = frozenset(
    {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"}
)
"""Formats whose first plane holds the grey levels, one byte each."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture made small.

    Attributes:
        at_s: Its time in its file, seconds.
        key: Whether it is a key frame.
        levels: H x W uint8.
    """

    at_s: float
    key: bool
    levels: Levels


class Sketcher:
    """Picks the frames that are sketched: key frames, about two a second between them, and the last one."""

    def __init__(self) -> None:
        self._due_s = -np.inf
        self._held: VideoFrame | None = None

    def take(self, frame: VideoFrame) -> Iterator[Sketch]:
        """The sketch of the next frame, where it is wanted."""
        at_s = float(frame.time or 0.0)
        if frame.key_frame or at_s >= self._due_s:
            self._due_s, self._held = at_s + EVERY_S, None
            yield sketch(frame)
        else:
            self._held = frame

    def end(self) -> Iterator[Sketch]:
        """The sketch of the last frame, where it was not wanted before."""
        if self._held is not None:
            yield sketch(self._held)


class Recording:
    """A video file that is open; a context manager.

    Args:
        path: Of the file.

    Raises:
        BadSource: It cannot be read; so do its methods.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._last_key: int | None = None
        self._read = False
        try:
            self._container = av.open(str(path))
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            raise self._trouble(exc) from exc
        if not self._container.streams.video:
            self._container.close()
            raise BadSource(f"{self._name!r} has no video stream")
        self._stream = self._container.streams.video[0]
        # One thread: several cameras are measured at once, and CPU is what is to be saved.
        self._stream.codec_context.thread_count = 1

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._container.close()

    def keys(self) -> list[Sketch]:
        """Sketches of the key frames; nothing else is decoded."""
        self._rewind("NONKEY")
        try:
            found = []
            for packet in self._container.demux(self._stream):
                if packet.is_keyframe:
                    self._last_key = packet.dts
                if packet.is_keyframe or not packet.size:
                    found += [sketch(frame) for frame in packet.decode()]
        except (av.error.FFmpegError, ValueError) as exc:
            raise self._trouble(exc) from exc
        return found

    def tail(self) -> list[Sketch]:
        """Sketches of what comes after the last key frame that `keys` found: about two pictures a second, and the last one."""
        return [found for found in self._decoded(self._last_key) if not found.key]

    def sketches(self) -> Iterator[Sketch]:
        """Sketches of key frames, of about two pictures a second between them, and of the last one."""
        return self._decoded(None)

    def _decoded(self, from_dts: int | None) -> Iterator[Sketch]:
        """Sketches from a packet on.

        The loop filter is not spared: without it what a still scene shows drifts from picture to picture. Frames that no other needs are.
        """
        sketcher = Sketcher()
        self._rewind("NONREF")
        try:
            for packet in self._container.demux(self._stream):
                if from_dts is None or packet.dts is None or packet.dts >= from_dts:
                    for frame in packet.decode():
                        yield from sketcher.take(frame)
            yield from sketcher.end()
        except (av.error.FFmpegError, ValueError) as exc:
            raise self._trouble(exc) from exc

    def _rewind(self, skipped: Literal["NONKEY", "NONREF"]) -> None:
        self._stream.codec_context.skip_frame = skipped
        if self._read:
            self._container.seek(0)
        self._read = True

    def _trouble(self, exc: Exception) -> BadSource:
        return BadSource(f"{self._name!r} cannot be measured ({type(exc).__name__})")


def sketch(frame: VideoFrame) -> Sketch:
    """A frame made small, by the mean of what falls into each pixel."""
    if frame.format.name in _PLANAR:
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        levels = rows[: frame.height, : frame.width]
    else:
        levels = frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
    scale = LONG_SIDE_PX / max(frame.width, frame.height)
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    small = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
    return Sketch(float(frame.time or 0.0), bool(frame.key_frame), np.asarray(small, np.uint8))
