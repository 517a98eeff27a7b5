"""The moving pictures of a summary cut from the source video itself: decoded from the key frame before each clip on, and no further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import av.error
import numpy as np
from av.video.frame import VideoFrame

from extension.errors import BadSource
from extension.playback.clips import Clip, Roll, Shot, clips, instants_s
from extension.sources.probe import FORMATS
from extension.sources.replay.glyphs import Picture
from extension.timetravel.summary import Summary

_OPTIONS: Final = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
_HOLD_S: Final = 1.0
"""The last frame that can be decoded stands for this long; what lies behind it was not seen."""
_BACK_S: Final = (0.0, 15.0, float("inf"))
"""How far before a clip a key frame is sought, one after the other."""
_TINY_S: Final = 1e-3
"""A frame that begins this much after an instant still shows it: timestamps are rounded."""


class Excerpt:
    """A source video as a recording whose seconds are media seconds.

    Args:
        path: The video.
        media_s: Its length.
        width: Of the pictures, pixels, even.
        height: Of the pictures, pixels, even; a video of another shape stands in the middle.
        fps: Frames per second.

    Raises:
        BadSource: The video cannot be opened.
    """

    def __init__(self, path: Path, media_s: float, width: int, height: int, fps: int) -> None:
        self._media_s = media_s
        self._width, self._height, self._fps = width, height, fps
        try:
            self._container = av.open(path, mode="r", options=_OPTIONS)
            self._stream = self._container.streams.video[0]
        except (av.error.FFmpegError, OSError, IndexError) as exc:
            raise BadSource(f"{path.name}: the video cannot be opened again") from exc
        self._stream.thread_type = "AUTO"
        self._zero_s = float((self._stream.start_time or 0) * (self._stream.time_base or 0))

    def __enter__(self) -> Self:
        """Itself, to be closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the video."""
        self._container.close()

    def clips(self, summary: Summary, roll: Roll) -> tuple[Clip, ...]:
        """The parts of the video to show."""
        shots = [Shot(m, m.span.start_s, m.span.end_s) for m in summary.shown_moments]
        return clips(shots, roll, 0.0, self._media_s)

    def pictures(self, parts: Sequence[Clip]) -> Iterator[tuple[Clip, float, Picture]]:
        """The frames of the clips one after another, each with its clip and the second it shows.

        A clip has fewer, or none, where the video cannot be decoded.
        """
        for part in parts:
            for now_s, picture in self._pictures(part):
                yield part, now_s, picture

    def _pictures(self, clip: Clip) -> Iterator[tuple[float, Picture]]:
        pending = iter(instants_s(clip, self._fps).tolist())
        now_s = next(pending)
        shown: VideoFrame | None = None
        shown_s = 0.0
        for frame, frame_s in self._decoded(clip):
            if frame_s > now_s + _TINY_S:
                # The frame before was shown until this one began; the first one also stands for what lies before it.
                picture = self._fitted(shown or frame)
                while frame_s > now_s + _TINY_S:
                    yield now_s, picture.copy()
                    if (now_s := next(pending, -1.0)) < 0:
                        return
            shown, shown_s = frame, frame_s
        if shown is not None and now_s <= shown_s + _HOLD_S:
            picture = self._fitted(shown)
            for later_s in (now_s, *(second for second in pending if second <= shown_s + _HOLD_S)):
                yield later_s, picture.copy()

    def _decoded(self, clip: Clip) -> Iterator[tuple[VideoFrame, float]]:
        """Frames from the key frame before the clip on, with their media seconds; ends where decoding does."""
        for back_s in _BACK_S:
            from_s = max(0.0, clip.start_s - back_s)
            frames = self._decoded_from(from_s)
            first = next(frames, None)
            # Containers without an index lead to a key frame that may lie behind the place asked for.
            if first is not None and (first[1] <= clip.start_s + _TINY_S or from_s == 0.0):
                yield first
                yield from frames
                return

    def _decoded_from(self, from_s: float) -> Iterator[tuple[VideoFrame, float]]:
        base = self._stream.time_base
        if base is None:
            return
        try:
            self._container.seek(int((from_s + self._zero_s) / base), stream=self._stream)
            for frame in self._container.decode(self._stream):
                if frame.pts is not None:
                    yield frame, float(frame.pts * base) - self._zero_s
        except (av.error.FFmpegError, EOFError):
            return

    def _fitted(self, frame: VideoFrame) -> Picture:
        """The frame as large as fits, on black; shape (height, width, 3), blue-green-red."""
        scale = min(self._width / frame.width, self._height / frame.height)
        width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
        width, height = min(width, self._width), min(height, self._height)
        small = frame.reformat(width=width, height=height, format="bgr24").to_ndarray()
        picture: Picture = np.zeros((self._height, self._width, 3), dtype=np.uint8)
        top, left = (self._height - height) // 2, (self._width - width) // 2
        picture[top : top + height, left : left + width] = small
        return picture
