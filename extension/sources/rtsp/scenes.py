"""Pictures for simulated cameras: a drawn scene or a file's frames, with the wall clock burnt in where wanted."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from extension.clock import Clock
from extension.sources.rtsp.streams import Picture

_GROUND: Final = (58, 64, 70)
_LANES: Final = 3
_BOX: Final = (0.09, 0.12)
"""Width and height of what moves, as shares of the picture's height."""

_LAP_S: Final = 8.0
"""The slowest thing crosses the picture in this time."""

_CLOCK_HEIGHT: Final = 0.045
_WHITE: Final = (255, 255, 255)


class DrawnScene:
    """Boxes that cross a floor on lanes of their own, for ever, with the camera's name and the wall clock on top.

    Args:
        name: Shown, and what colours and speeds follow from.
        size: Width and height, pixels.
        fps: Pictures per second.
        clock: Ours.
    """

    def __init__(self, name: str, size: tuple[int, int], fps: float, clock: Clock) -> None:
        self._name = name
        self._size = size
        self._fps = fps
        self._clock = clock

    def __iter__(self) -> Iterator[Picture]:
        """The scene from its start; it never ends."""
        width, height = self._size
        chance = np.random.default_rng(zlib.crc32(self._name.encode()))
        colours = [tuple(int(value) for value in row) for row in chance.integers(90, 255, (_LANES, 3))]
        laps_s = _LAP_S / chance.uniform(1.0, 2.5, _LANES)
        box_width, box_height = (round(share * height) for share in _BOX)
        index = 0
        while True:
            picture = np.full((height, width, 3), _GROUND, np.uint8)
            for lane, (colour, lap_s) in enumerate(zip(colours, laps_s, strict=True)):
                left = round((index / self._fps / lap_s) % 1.0 * (width + box_width)) - box_width
                top = round(height * (lane + 1) / (_LANES + 1))
                cv2.rectangle(picture, (left, top), (left + box_width, top + box_height), colour, -1)
            burn(picture, f"{self._name} {clock_text(self._clock.now())}")
            yield picture
            index += 1


class FilePictures:
    """A file's frames as pictures of a wanted size, once through.

    Args:
        path: Of the file.
        size: Width and height, pixels.
        name: Shown with the wall clock; None burns nothing in.
        clock: Ours.
    """

    def __init__(self, path: Path, size: tuple[int, int], name: str | None, clock: Clock) -> None:
        self._path = path
        self._size = size
        self._name = name
        self._clock = clock

    def __iter__(self) -> Iterator[Picture]:
        """From the first frame to the last."""
        width, height = self._size
        with av.open(str(self._path)) as container:
            for frame in container.decode(container.streams.video[0]):
                picture = frame.reformat(width, height, "rgb24").to_ndarray().astype(np.uint8, copy=False)
                if self._name is not None:
                    burn(picture, f"{self._name} {clock_text(self._clock.now())}")
                yield picture


def clock_text(at: dt.datetime) -> str:
    """The clock as it is burnt in: UTC, to a tenth of a second."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-5] + "Z"


def burn(picture: Picture, text: str) -> None:
    """Write a line of text on a dark strip at the bottom left of a picture, in place."""
    height = picture.shape[0]
    wanted_px = max(8, round(height * _CLOCK_HEIGHT))
    scale = cv2.getFontScaleFromHeight(cv2.FONT_HERSHEY_SIMPLEX, wanted_px)
    (text_width, text_height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    top = height - text_height - 2 * below
    picture[top:, : text_width + 2 * below] = 0
    place = (below, height - below)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, 1, cv2.LINE_AA)
