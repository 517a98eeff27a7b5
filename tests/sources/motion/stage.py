"""A drawn place under a camera: textured, noisy, with whatever moves in it; as sketches and as recorded files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from extension.sources.camera.segments import Footage, Segment, Stamp
from extension.sources.motion.sketches import Levels, Sketch

Picture = NDArray[np.uint8]
Actor = Callable[[Picture, float], None]
"""Paints something into a picture of the stage, which shows so many seconds."""

START_AT = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
SMALL = (160, 90)
FPS = 10


def nobody(_picture: Picture, _at_s: float) -> None:
    """Nothing moves."""


def box(left: float, top: float, width: float, height: float, level: int = 20) -> Actor:
    """Something that stands still; shares of the picture."""

    def paint(picture: Picture, _at_s: float) -> None:
        high, wide = picture.shape
        area = picture[round(top * high) : round((top + height) * high)]
        area[:, round(left * wide) : round((left + width) * wide)] = level

    return paint


def walker(height: float, *, from_s: float = 0.0, to_s: float = 1e9) -> Actor:
    """A person of a share of the picture's height, who crosses it at 1.4 m/s between two instants and is not there otherwise."""

    def paint(picture: Picture, at_s: float) -> None:
        if from_s <= at_s < to_s:
            high, wide = picture.shape
            left = 0.05 + (at_s - from_s) * 0.8 * height * high / wide
            box(left % 0.9, 0.4, 0.3 * height * high / wide, height)(picture, at_s)

    return paint


def faller(stage_s: float) -> Actor:
    """A person who stands and, at that instant, lies on the ground within half a second and for ever."""

    def paint(picture: Picture, at_s: float) -> None:
        fallen = min(1.0, max(0.0, (at_s - stage_s) / 0.5))
        box(0.4, 0.3 + 0.3 * fallen, 0.08 + 0.15 * fallen, 0.4 - 0.3 * fallen)(picture, at_s)

    return paint


def clock(picture: Picture, at_s: float) -> None:
    """The time of day in the lower left corner, to the second."""
    high, wide = picture.shape
    text = (START_AT + dt.timedelta(seconds=at_s)).strftime("%Y-%m-%d %H:%M:%S")
    scale = high / 720 * 1.2
    cv2.putText(picture, text, (wide // 30, int(high * 0.97)), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1)


@dataclass
class Stage:
    """A place and what is done in it.

    Attributes:
        actors: What is painted into it, in this order.
        size: Width and height, pixels.
        noise: Standard deviation, grey levels.
        light: How bright it is at a second, where 1 is as it was painted.
    """

    actors: tuple[Actor, ...] = ()
    size: tuple[int, int] = (320, 180)
    noise: float = 4.0
    light: Callable[[float], float] = lambda _: 1.0

    def __post_init__(self) -> None:
        """Paint the place: patches of light and dark."""
        chance = np.random.default_rng(3)
        width, height = self.size
        coarse = chance.integers(40, 200, (9, 16)).astype(np.uint8)
        self._ground = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)

    def picture(self, at_s: float) -> Picture:
        """H x W uint8 grey levels at an instant; the same whenever it is asked for."""
        picture = np.asarray(self._ground.copy(), np.uint8)
        for actor in self.actors:
            actor(picture, at_s)
        chance = np.random.default_rng(round(at_s * 1000))
        noisy = picture * self.light(at_s) + chance.normal(0, self.noise, picture.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def levels(self, at_s: float) -> Levels:
        """The sketch's levels at an instant."""
        return np.asarray(cv2.resize(self.picture(at_s), SMALL, interpolation=cv2.INTER_AREA), np.uint8)

    def sketch(self, at_s: float, *, key: bool = True, from_s: float = 0.0) -> Sketch:
        """A sketch at an instant of a piece that begins at `from_s`."""
        return Sketch(at_s - from_s, key, self.levels(at_s))

    def film(
        self,
        path: Path,
        start_s: float,
        end_s: float,
        *,
        key_every_s: float = 1.0,
        codec: str = "libx264",
        **options: str,
    ) -> Path:
        """A file of what is seen from one instant to another, ten pictures a second."""
        keys = round(key_every_s * FPS)
        x26 = f"keyint={keys}:min-keyint={keys}:scenecut=0:bframes={options.pop('bframes', '0')}"
        x26 += ":log-level=error" if codec == "libx265" else ""
        more = {"preset": "superfast", f"{codec.removeprefix('lib')}-params": x26, "crf": "26", **options}
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream(codec, rate=FPS, options=more)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = self.size
            stream.pix_fmt = "yuv420p"
            for index in range(round((end_s - start_s) * FPS)):
                grey = self.picture(start_s + index / FPS)
                colours = np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))
                frame = av.VideoFrame.from_ndarray(colours, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    def segments(
        self, folder: Path, until_s: float, *, camera: str = "gate", long_s: float = 2.0, **options: Any
    ) -> Iterator[Segment]:
        """What a camera records of it, segment by segment."""
        width, height = self.size
        for index in range(round(until_s / long_s)):
            path = self.film(
                folder / f"{camera}-{index:03d}.mp4", index * long_s, (index + 1) * long_s, **options
            )
            yield segment(camera, path, index * long_s, long_s, (width, height))


def segment(
    camera: str, path: Path, start_s: float, long_s: float = 2.0, size: tuple[int, int] = (320, 180)
) -> Segment:
    """A recorded segment by its place in time."""
    start_at = START_AT + dt.timedelta(seconds=start_s)
    footage = Footage("h264", *size, keyframes=1, stamp=Stamp.NTP)
    return Segment(camera, start_at, start_at + dt.timedelta(seconds=long_s), path, 1, footage)
