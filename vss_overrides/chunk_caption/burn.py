"""Draws each frame's time into the lower right corner of its picture, where the machine has Pillow or OpenCV.

Neither is needed: without them, or with a picture that they cannot read, frames stay as they are. They are imported by name when first
used. Pictures keep their size, so that no token count changes.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
import io
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from chunk_caption.frames import Frame, size_px

_log = logging.getLogger("chunk_caption")

Stamp = npt.NDArray[np.uint8]
Draw = Callable[[bytes, Stamp], bytes]

_ROWS, _COLUMNS = 7, 5
# Each glyph is seven rows of five dots, the leftmost dot the highest bit.
_GLYPHS = {
    "0": (0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E),
    "1": (0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E),
    "2": (0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F),
    "3": (0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E),
    "4": (0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02),
    "5": (0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E),
    "6": (0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E),
    "7": (0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08),
    "8": (0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E),
    "9": (0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C),
    ".": (0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C),
    ":": (0x00, 0x0C, 0x0C, 0x00, 0x0C, 0x0C, 0x00),
    "s": (0x00, 0x00, 0x0F, 0x10, 0x0E, 0x01, 0x1E),
    "Z": (0x1F, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1F),
    " ": (0x00,) * _ROWS,
}
_INK, _PAPER = 255, 0
_SHARE = (
    1 / 24
)  # of the picture's height: 45 px of 1080, which are 20 px still when the VLM's server scales to 480
_LEAST_DOT_PX = 2  # single dots do not survive JPEG
_WIDEST = 0.5  # of the picture's width; what is wider goes without the clock
_SURE_CLOCK_S = 946_684_800.0  # 2000-01-01: for files the engine counts its clock from 1970
_QUALITY = 92  # where the picture's own tables cannot be kept


def clock_s(stated: object) -> float | None:
    """A chunk's wall clock at its start, Unix seconds, from what the engine states (RFC 3339); None where it knows none."""
    if not isinstance(stated, str):
        return None
    try:
        at = dt.datetime.fromisoformat(stated.replace("Z", "+00:00"))  # noqa: FURB162 -- Python 3.10 reads no Z
    except ValueError:
        return None
    seconds = at.timestamp() if at.tzinfo else 0.0
    return seconds if seconds >= _SURE_CLOCK_S else None


def label(time_s: float, start_clock_s: float | None) -> str:
    """What is written on a frame: its second in the chunk, and its time of day in UTC where the chunk's is known."""
    text = f"{time_s:.2f} s"
    if start_clock_s is None:
        return text
    return f"{text} {time.strftime('%H:%M:%S', time.gmtime(start_clock_s + time_s))}Z"


def stamp(text: str, dot_px: int) -> Stamp:
    """The text in white on black with a rim of one dot, uint8, shape (9 dots, 6 dots per letter + 1)."""
    dots = np.zeros((_ROWS + 2, (_COLUMNS + 1) * len(text) + 1), dtype=np.uint8)
    for number, letter in enumerate(text):
        left = (_COLUMNS + 1) * number + 1
        for row, bits in enumerate(_GLYPHS[letter]):
            for column in range(_COLUMNS):
                dots[1 + row, left + column] = bits >> (_COLUMNS - 1 - column) & 1
    painted = np.where(dots > 0, _INK, _PAPER).astype(np.uint8)
    return np.kron(painted, np.ones((dot_px, dot_px), dtype=np.uint8))


def fitted(time_s: float, start_clock_s: float | None, size: tuple[int, int]) -> Stamp | None:
    """The stamp for a picture of that width and height; None where not even the second has room."""
    width, height = size
    dot_px = max(_LEAST_DOT_PX, round(height * _SHARE / _ROWS))
    made = stamp(label(time_s, start_clock_s), dot_px)
    if made.shape[1] > _WIDEST * width:
        made = stamp(label(time_s, None), dot_px)
    return made if made.shape[1] <= width and made.shape[0] <= height else None


class Burner:
    """Draws times into frames; `draw` puts a stamp into a JPEG and raises ValueError or OSError where it cannot.

    Safe to use from many threads. What goes wrong is logged once.
    """

    def __init__(self, draw: Draw | None) -> None:
        self._draw = draw
        self._told = False
        if draw is None:
            self._tell("neither Pillow nor OpenCV is here")

    def burnt(self, frames: Sequence[Frame], start_clock_s: float | None) -> list[Frame]:
        """The frames with their times drawn in; as they came where that is not possible."""
        return [self._one(frame, start_clock_s) for frame in frames]

    def _one(self, frame: Frame, start_clock_s: float | None) -> Frame:
        if self._draw is None:
            return frame
        try:
            made = fitted(frame.time_s, start_clock_s, size_px(frame.jpeg))
            return frame if made is None else replace(frame, jpeg=self._draw(frame.jpeg, made))
        except (ValueError, OSError) as fault:
            self._tell(f"a frame cannot be drawn on ({type(fault).__name__})")
            return frame

    def _tell(self, why: str) -> None:
        if not self._told:
            self._told = True
            _log.warning("frame times are not burnt in: %s", why)


def drawer() -> Draw | None:
    """What draws into JPEGs on this machine; None where nothing does."""
    for library, draw in (("PIL", _with_pil), ("cv2", _with_cv2)):
        if importlib.util.find_spec(library):
            return draw
    return None


def _with_pil(jpeg: bytes, mark: Stamp) -> bytes:
    """Written with the picture's own tables, so that what is not drawn on stays nearly as it was."""
    image_of: Any = importlib.import_module("PIL.Image")
    with image_of.open(io.BytesIO(jpeg)) as picture:
        picture.paste(
            image_of.fromarray(mark), (picture.width - mark.shape[1], picture.height - mark.shape[0])
        )
        file = io.BytesIO()
        picture.save(file, "JPEG", quality="keep")
    return file.getvalue()


def _with_cv2(jpeg: bytes, mark: Stamp) -> bytes:
    cv2: Any = importlib.import_module("cv2")
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("OpenCV cannot read this JPEG")
    picture[-mark.shape[0] :, -mark.shape[1] :] = mark[:, :, None]
    done, made = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError("OpenCV cannot write this JPEG")
    return bytes(made.tobytes())
