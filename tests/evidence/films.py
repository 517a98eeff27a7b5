"""Videos whose frames carry their number, and readings of what was cut out of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

Picture = npt.NDArray[np.uint8]
BITS = 10
SIZE = (160, 96)
_MILLIS = Fraction(1, 1000)


def numbered(number: int, size: tuple[int, int] = SIZE, noise: np.random.Generator | None = None) -> Picture:
    """A picture with ten bars that tell a number in binary, white for one; shape (height, width, 3), RGB."""
    width, height = size
    picture = np.full((height, width, 3), 16, np.uint8)
    if noise is not None:
        picture = noise.integers(0, 256, picture.shape).astype(np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        picture[height // 4 : 3 * height // 4, left:right] = 235 if number >> bit & 1 else 16
    return picture


def number_of(picture: Picture) -> int:
    """The number that a picture tells."""
    height, width = picture.shape[:2]
    row = picture[height // 2, :, 1]
    return sum((int(row[(2 * bit + 1) * width // (2 * BITS)]) > 128) << bit for bit in range(BITS))


@dataclass(frozen=True)
class Look:
    """How a video is packed."""

    codec: str = "libx264"
    pixels: str = "yuv420p"
    size: tuple[int, int] = SIZE
    key_frames: int = 20
    sound: bool = False
    sar: Fraction | None = None
    begin_ms: int = 0
    noise: bool = False
    preset: str = "ultrafast"


def every(seconds: float, fps: int = 10) -> list[float]:
    """When the frames of a video with a steady rate are shown."""
    return [index / fps for index in range(round(seconds * fps))]


def draw(path: Path, times_s: Sequence[float], look: Look | None = None) -> Path:
    """A video whose frame N is shown from the N-th second given on."""
    look = look or Look()
    noise = np.random.default_rng(7) if look.noise else None
    with av.open(str(path), "w") as container:
        stream = cast("VideoStream", container.add_stream(look.codec, rate=10))
        stream.width, stream.height = look.size
        stream.pix_fmt = look.pixels
        stream.codec_context.time_base = _MILLIS
        if look.sar is not None:
            stream.codec_context.sample_aspect_ratio = look.sar
        stream.options = {"preset": look.preset, "crf": "8", "g": str(look.key_frames)}
        if look.codec == "libx265":
            stream.options |= {"x265-params": f"log-level=none:keyint={look.key_frames}"}
        voice = container.add_stream("aac", rate=16000) if look.sound else None
        for number, at_s in enumerate(times_s):
            frame = av.VideoFrame.from_ndarray(numbered(number, look.size, noise), format="rgb24")
            frame.pts, frame.time_base = round(at_s * 1000) + look.begin_ms, _MILLIS
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            _speak(container, voice, times_s[-1])
    return path


def _speak(container: Any, voice: AudioStream, seconds: float) -> None:
    samples = np.sin(np.arange(int(16000 * seconds)) * 0.1).astype(np.float32)[None, :]
    for start in range(0, samples.shape[1] - 1024, 1024):
        frame = av.AudioFrame.from_ndarray(samples[:, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, start
        container.mux(voice.encode(frame))
    container.mux(voice.encode(None))


@dataclass(frozen=True)
class Seen:
    """A clip as a player sees it: when each frame is shown, the number it carries, and how it is packed."""

    times_s: list[float]
    numbers: list[int]
    duration_s: float
    codec: str
    pixels: str
    size: tuple[int, int]
    streams: int
    index_first: bool


def see(path: Path) -> Seen:
    """Decode a whole clip."""
    data = path.read_bytes()
    with av.open(io.BytesIO(data), mode="r") as container:
        stream = container.streams.video[0]
        frames = [
            (frame.time, number_of(frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)))
            for frame in container.decode(stream)
        ]
        return Seen(
            times_s=[round(at or 0.0, 4) for at, _ in frames],
            numbers=[number for _, number in frames],
            duration_s=float((stream.duration or 0) * (stream.time_base or 0)),
            codec=stream.codec_context.name,
            pixels=stream.codec_context.pix_fmt or "",
            size=(stream.width, stream.height),
            streams=len(container.streams),
            index_first=data.index(b"moov") < data.index(b"mdat"),
        )


def number_in(path: Path) -> int:
    """The number that a JPEG file tells."""
    picture = cv2.imread(str(path))
    assert picture is not None
    return number_of(picture.astype(np.uint8, copy=False))
