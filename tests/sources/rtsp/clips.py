"""Draws small clips for streams, and reads back what was recorded of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FPS = 25
FRAMES = 50
PATIENCE_S = 30.0


def draw_clip(
    path: Path,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (160, 120),
    frames: int = FRAMES,
    key_every: int = 5,
    b_frames: int = 0,
) -> Path:
    """A bright bar that walks over noise, one step per frame; 25 fps, two slices a frame in H.264."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 120, (height, width, 3), np.uint8)
    x265 = f"log-level=error:keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes={b_frames}"
    x264 = f"keyint={key_every}:min-keyint={key_every}:scenecut=0:bframes={b_frames}:slices=2"
    options = {"x265-params": x265} if codec == "libx265" else {"x264-params": x264}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options={"preset": "ultrafast", **options})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            picture = noise.copy()
            left = index * width // frames
            picture[:, left : left + 4] = 255
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def frames_in(path: Path) -> list[float]:
    """Times of the frames that can be decoded from a file, seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(container.streams.video[0])]


def bar_places(path: Path) -> list[int]:
    """Which of the clip's frames a file holds, by where the bar stands; for clips of 160 pixels and 50 frames."""
    lefts = np.array([index * 160 // FRAMES for index in range(FRAMES)])
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(container.streams.video[0])]
    found = []
    for picture in pictures:
        columns = picture.astype(np.float64).mean(axis=0)
        left = int(np.convolve(columns, np.ones(4), "valid").argmax())
        found.append(int(np.abs(lefts - left).argmin()))
    return found


def until(condition: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that will happen; fails when it does not."""
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)
