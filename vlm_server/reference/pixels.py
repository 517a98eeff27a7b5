"""From bytes to pixels, one frame at a time, with a bounded memory; knows nothing of requests or of what is seen.

Frames are H x W x 3 uint8 arrays in BGR order.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

import av
import av.error
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlm_server.reference.errors import FrameUnreadable, RequestRefused

Frame = NDArray[np.uint8]
"""H x W x 3, BGR."""

KEPT_BYTES = 24 << 20  # decoded pixels kept per request; the rest is decoded again when asked for
MAX_FRAME_PIXELS = 3840 * 2160 * 2  # twice 4K; larger pictures are refused before they are unpacked
MAX_FRAMES = 1000


class Frames(Protocol):
    """Frames that can be asked for by index; frames of one request may differ in size."""

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def __getitem__(self, index: int) -> Frame:
        """Return one frame; raises FrameUnreadable."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height in pixels without unpacking the frame; raises FrameUnreadable."""
        ...


class Kept:
    """A few decoded frames, oldest forgotten first, at most `KEPT_BYTES` in all."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._bytes = 0

    def get(self, index: int, decode: Callable[[int], Frame]) -> Frame:
        """Return frame `index`, decoding it if it is not kept."""
        if index in self._frames:
            self._frames.move_to_end(index)
            return self._frames[index]
        frame = decode(index)
        self._frames[index] = frame
        self._bytes += frame.nbytes
        while self._bytes > KEPT_BYTES and len(self._frames) > 1:
            _, dropped = self._frames.popitem(last=False)
            self._bytes -= dropped.nbytes
        return frame


class Pictures:
    """JPEG or PNG frames (anything Pillow opens), decoded when asked for."""

    def __init__(self, encoded: list[bytes], first_index: int = 0) -> None:
        self._encoded = encoded
        self._first = first_index
        self._kept = Kept()

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._encoded)

    def __getitem__(self, index: int) -> Frame:
        """Return one frame; raises FrameUnreadable."""
        return self._kept.get(index, self._decode)

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height in pixels from the picture's header; raises FrameUnreadable."""
        return self._open(index).size

    def _open(self, index: int) -> Image.Image:
        try:
            picture = Image.open(io.BytesIO(self._encoded[index]))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
            raise FrameUnreadable(self._first + index, "cannot identify image file") from exc
        if picture.width * picture.height > MAX_FRAME_PIXELS:
            raise FrameUnreadable(
                self._first + index, f"{picture.width}x{picture.height} pixels are too many"
            )
        return picture

    def _decode(self, index: int) -> Frame:
        picture = self._open(index)
        try:
            rgb = np.asarray(picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError) as exc:
            raise FrameUnreadable(self._first + index, str(exc)) from exc
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), np.uint8)


class Film:
    """The frames of a video container, decoded when asked for; `times_s` are the container's own times."""

    def __init__(self, container: bytes) -> None:
        self._container = container
        self._kept = Kept()
        self._ahead: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self._at = -1
        self._sizes: list[tuple[int, int]] = []
        self.times_s: list[float] = []
        for index, frame in self._play():
            self._note(index, frame)

    def _note(self, index: int, frame: av.VideoFrame) -> None:
        if index >= MAX_FRAMES:
            raise RequestRefused(f"The video has more than {MAX_FRAMES} frames")
        if frame.width * frame.height > MAX_FRAME_PIXELS:
            raise RequestRefused(f"{frame.width}x{frame.height} pixels are too many")
        at_s = float(frame.time) if frame.time is not None else float(index)
        first_s = self.times_s[0] if self.times_s else at_s
        self.times_s.append(max(at_s, first_s))
        self._sizes.append((frame.width, frame.height))

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._sizes)

    def __getitem__(self, index: int) -> Frame:
        """Return one frame; frames asked for in ascending order are decoded once."""
        return self._kept.get(index, self._seek)

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height in pixels."""
        return self._sizes[index]

    def _seek(self, index: int) -> Frame:
        if index <= self._at:
            self._at, self._ahead = -1, self._play()
        elif self._at < 0:
            self._ahead = self._play()
        for at, frame in self._ahead:
            self._at = at
            if at == index:
                return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        raise FrameUnreadable(index, "the video ends before it")

    def _play(self) -> Iterator[tuple[int, av.VideoFrame]]:
        try:
            with av.open(io.BytesIO(self._container), "r") as box:
                if not box.streams.video:
                    raise RequestRefused("Could not open video stream")
                yield from enumerate(box.decode(video=0))
        except (av.error.FFmpegError, ValueError) as exc:
            raise RequestRefused("Could not open video stream") from exc
