"""Text as small pictures drawn once: every number and clock text of a replay is stamped from these."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from extension.sources.replay.style import OPENCV, PILLOW, Colour, bgr

Picture = npt.NDArray[np.uint8]
"""Shape (height, width, 3), blue-green-red."""

_MASTER_PX: Final = 96
"""Size at which text is drawn before it is scaled down."""

_MASTERS: Final = 512
"""Large drawings that are kept: every second of a log has its own clock text."""

_STAMPS: Final = 4096
"""Stamps that are kept; a picture that zooms needs ever new sizes."""

_EVEN: Final = 1.12
_BASELINE: Final = 0.44
_DASH: Final = 0.08
"""Distance of two characters in widths of a "0", and how far the middles of full stop and dash lie below a digit's, in heights."""

PHASES: Final = 4
"""A stamp can stand at quarters of a pixel, so that numbers glide with their discs."""


@dataclass(frozen=True, eq=False)
class Stamp:
    """Text scaled to its size, in one of the sub-pixel places.

    Attributes:
        kept: Shape (h, w, 3), uint16: 256ths of the ground that show through.
        added: Shape (h, w, 3), uint16: 256 times the colour's part, blue-green-red.
        left_px: Column of the picture's left edge relative to the whole pixel that holds the text's middle.
        top_px: The same for rows.
    """

    kept: npt.NDArray[np.uint16]
    added: npt.NDArray[np.uint16]
    left_px: int
    top_px: int


@functools.lru_cache(maxsize=_MASTERS)
def _master(text: str, font: str) -> npt.NDArray[np.uint8]:
    """The text drawn large, cropped to its ink, shape (h, w), 0 to 255."""
    room = np.zeros((3 * _MASTER_PX, (len(text) + 2) * _MASTER_PX), dtype=np.uint8)
    if font == OPENCV:
        cv2.putText(
            room,
            text,
            (_MASTER_PX // 2, 2 * _MASTER_PX),
            cv2.FONT_HERSHEY_SIMPLEX,
            3.0,
            (255,),
            6,
            cv2.LINE_AA,
        )
        drawn = room
    else:
        face = ImageFont.load_default(_MASTER_PX) if font == PILLOW else ImageFont.truetype(font, _MASTER_PX)
        image = Image.fromarray(room)
        ImageDraw.Draw(image).text((_MASTER_PX // 2, _MASTER_PX // 2), text, fill=255, font=face)
        drawn = np.asarray(image)
    ys, xs = np.nonzero(drawn)
    return drawn[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]


def width_per_height(text: str, font: str) -> float:
    """Width of a text over the height of a "0"."""
    return float(_master(text, font).shape[1] / _master("0", font).shape[0])


@functools.lru_cache(maxsize=_STAMPS)
def _stamp(text: str, font: str, height_px: float, column: int, row: int, colour: Colour) -> Stamp:
    """The text with digits `height_px` high, its middle `column` and `row` phases right of and below a pixel's centre."""
    master = _master(text, font)
    scale = height_px * PHASES / _master("0", font).shape[0]
    fine_h, fine_w = (max(1, round(side * scale)) for side in master.shape)
    fine = cv2.resize(master, (fine_w, fine_h), interpolation=cv2.INTER_AREA)
    # In units of phases, with a pixel's centre at PHASES / 2 from its edge:
    left = PHASES // 2 + column - fine_w // 2
    top = PHASES // 2 + row - fine_h // 2
    left_px, top_px = left // PHASES, top // PHASES
    before_x, before_y = left - left_px * PHASES, top - top_px * PHASES
    after_x, after_y = -(before_x + fine_w) % PHASES, -(before_y + fine_h) % PHASES
    padded = np.pad(fine, ((before_y, after_y), (before_x, after_x))).astype(np.float64)
    h, w = padded.shape[0] // PHASES, padded.shape[1] // PHASES
    share = padded.reshape(h, PHASES, w, PHASES).mean(axis=(1, 3)) / 255
    ink = np.repeat(np.round(share * 256).astype(np.uint16)[:, :, np.newaxis], 3, axis=2)
    added = ink * np.array(bgr(colour), dtype=np.uint16)
    return Stamp(kept=256 - ink, added=added, left_px=left_px, top_px=top_px)


def stamp_text(
    picture: Picture, text: str, font: str, height_px: float, middle: tuple[float, float], colour: Colour
) -> None:
    """Stamp text into a picture.

    Args:
        picture: Changed in place.
        text: What to write.
        font: "pillow", "opencv" or the path of a TrueType file.
        height_px: Height of a "0".
        middle: Column and row of the middle of the text; whole numbers are centres of pixels.
        colour: Of the text.
    """
    (column_px, column), (row_px, row) = (divmod(round(value * PHASES), PHASES) for value in middle)
    stamp = _stamp(text, font, round(height_px, 2), column, row, colour)
    left, top = column_px + stamp.left_px, row_px + stamp.top_px
    height, width = stamp.kept.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, picture.shape[1]), min(top + height, picture.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    under = picture[y0:y1, x0:x1]
    under[:] = (under * stamp.kept[part] + stamp.added[part]) >> 8


def even_width(characters: int, font: str) -> float:
    """Width of a text stamped evenly over the height of a "0"."""
    return characters * _EVEN * width_per_height("0", font)


def stamp_evenly(
    picture: Picture, text: str, font: str, height_px: float, middle: tuple[float, float], colour: Colour
) -> None:
    """Stamp text character by character, each as wide as a "0", so that a text that keeps changing stands still; see `stamp_text`."""
    column, row = middle
    step_px = _EVEN * width_per_height("0", font) * height_px
    for place, character in enumerate(text):
        if not character.isspace():
            left_px = (place - (len(text) - 1) / 2) * step_px
            low_px = (
                _BASELINE * height_px if character == "." else _DASH * height_px if character == "-" else 0.0
            )
            stamp_text(picture, character, font, height_px, (column + left_px, row + low_px), colour)
