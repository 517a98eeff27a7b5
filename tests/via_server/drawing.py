"""Draws small clips: a grey picture per frame whose shade tells the frame's number."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

_TICKS = 90_000  # timestamps per second


def shade_of(index: int) -> int:
    """The grey of frame `index`; neighbours differ by 8, which survives encoding."""
    return 16 + index * 8 % 224


def index_of(jpeg: bytes) -> int:
    """The number (below 28) of the frame that `jpeg` shows."""
    picture = cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return round((float(picture.mean()) - 16) / 8)


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height of `jpeg`."""
    picture = cv2.imdecode(np.frombuffer(jpeg, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height_px, width_px = picture.shape[:2]
    return width_px, height_px


def draw(
    path: Path,
    times_s: Sequence[float],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    size_px: tuple[int, int] = (64, 48),
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A clip at `path` with one frame at each of `times_s`."""
    width_px, height_px = size_px
    with av.open(str(path), "w", format=container) as out:
        gap_s = times_s[1] - times_s[0] if len(times_s) > 1 else 1 / 30
        rate = Fraction(1 / gap_s).limit_denominator(1000)  # says how long the last frame lasts
        stream = out.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, pix_fmt
        stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
        for index, time_s in enumerate(times_s):
            picture = np.full((height_px, width_px, 3), shade_of(index), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time_s * _TICKS), Fraction(1, _TICKS)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def even(count: int, fps: float, start_s: float = 0.0) -> list[float]:
    """`count` times at a constant rate."""
    return [start_s + index / fps for index in range(count)]


def draw_sound(path: Path, seconds: int = 1) -> Path:
    """A file with sound and no picture."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16_000 * seconds))
    return path


def draw_sound_mp4(path: Path, seconds: int = 1) -> Path:
    """An mp4 with sound and no picture."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=8000)
        assert isinstance(stream, av.AudioStream)
        for index in range(seconds * 8):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1000), dtype=np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts, frame.time_base = 8000, index * 1000, Fraction(1, 8000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
