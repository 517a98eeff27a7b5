"""Finds the burnt-in clock once per chunk and reads it where asked; knows nothing of discs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.reader import DIGITS, Reader
from vlm_server.reference.skills.replay_view.segment import Picture, above

ALPHABET = DIGITS + ":-/. "
SHOWN = re.compile(r"([0-2]\d)[:.]?([0-5]\d)[:.]?([0-5]\d)$")
SURE = 0.4
EDGE = 45  # grey levels between ink and paper of a clock
TRIED = 6  # text lines read in search of the clock
CHANGED = 40  # grey levels by which a pixel must differ to count as changed
DAY_S = 86400

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, half-open."""


def seconds(clock: str) -> int:
    """Return the seconds since midnight of `HH:MM:SS`."""
    hours, minutes, rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + rest


@dataclass
class Clock:
    """The clock of one chunk: where it is, and what it said in the crops read so far."""

    box: Box
    reader: Reader
    _known: list[tuple[NDArray[np.uint8], str | None]] = field(default_factory=list)

    def crop(self, frame: Picture) -> NDArray[np.uint8]:
        """Return the clock's pixels in grey."""
        x0, y0, x1, y1 = self.box
        return np.asarray(cv2.cvtColor(frame[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY), np.uint8)

    def read(self, crop: NDArray[np.uint8]) -> str | None:
        """Return `HH:MM:SS` from the clock's pixels, or None when something is in front of it."""
        for seen, said in self._known:
            if same(seen, crop):
                return said
        said = _read(crop, self.reader)
        self._known.append((crop, said))
        return said


def same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two crops of the clock show the same text (coding noise aside)."""
    changed = np.count_nonzero(cv2.absdiff(one, other) > CHANGED)
    return bool(changed <= 0.004 * one.size)


def find(frames: list[Picture], reader: Reader) -> Clock | None:
    """Return the clock of a chunk, looked for in a few of its frames, or None."""
    for frame in frames:
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
        for box in _text_lines(grey)[:TRIED]:
            x0, y0, x1, y1 = box
            if _read(grey[y0:y1, x0:x1], reader) is not None:
                return Clock(box, reader)
    return None


def _read(crop: NDArray[np.uint8], reader: Reader) -> str | None:
    reading = reader.read(crop, ALPHABET)
    found = SHOWN.search(reading.text.strip(" .-/"))
    if found is None or reading.confidence < SURE:
        return None
    return ":".join(found.groups())


def _text_lines(grey: NDArray[np.uint8]) -> list[Box]:
    """Return boxes of what may be a line of text, those nearest to a corner first."""
    height, width = grey.shape
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    drawn = above(np.asarray(edges, np.uint8), EDGE)
    _, _, stats, _ = cv2.connectedComponentsWithStats(drawn, connectivity=8)
    letters = [
        (int(x), int(y), int(x + w), int(y + h))
        for x, y, w, h, _ in stats[1:]
        if 3 <= h <= height / 8 and w <= 14 * h and w < 0.6 * width
    ]
    lines = [line for line in _grouped(letters) if _like_a_clock(line, width, height)]
    return [
        _wider(line, width, height) for line in sorted(lines, key=lambda b: _from_corner(b, width, height))
    ]


def _grouped(letters: list[Box]) -> list[Box]:
    """Join letters that stand side by side into lines."""
    lines: list[list[int]] = []
    for x0, y0, x1, y1 in sorted(letters):
        for line in lines:
            tall = max(line[3] - line[1], y1 - y0)
            overlap = min(line[3], y1) - max(line[1], y0)
            if (
                x0 - line[2] < 0.9 * tall
                and overlap > 0.6 * min(y1 - y0, line[3] - line[1])
                and y1 - y0 < 1.6 * (line[3] - line[1]) + 2
            ):
                line[:] = [min(line[0], x0), min(line[1], y0), max(line[2], x1), max(line[3], y1)]
                break
        else:
            lines.append([x0, y0, x1, y1])
    return [(a, b, c, d) for a, b, c, d in lines]


def _like_a_clock(box: Box, width: int, height: int) -> bool:
    w, h = box[2] - box[0], box[3] - box[1]
    return 2.6 * h < w < 20 * h and h >= 7 and h < height / 7 and w < 0.7 * width


def _from_corner(box: Box, width: int, height: int) -> float:
    x, y = min(box[0], width - box[2]), min(box[1], height - box[3])
    return x / width + y / height


def _wider(box: Box, width: int, height: int) -> Box:
    """Leave some paper around a line, as the recogniser expects."""
    pad = max(2, (box[3] - box[1]) // 6)
    return (
        max(0, box[0] - pad - 1),
        max(0, box[1] - pad),
        min(width, box[2] + pad + 1),
        min(height, box[3] + pad),
    )
