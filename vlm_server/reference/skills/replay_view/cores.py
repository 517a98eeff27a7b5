"""The round cores of what is drawn: discs without the trails and arrows that hang on them; knows nothing of numbers or time.

Opening a mask by a circle keeps what such a circle fits into: discs, alone or overlapping, keep their outline, while
whatever is thinner than the circle is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.circles import SMALLEST_PX, outlines, round_one
from vlm_server.reference.skills.replay_view.segment import Mask

CORE = 0.42  # radii of the circle that must fit; trails and arrows are half as wide
HOLE = 0.5  # share of a disc's area up to which a hole is part of a number
HELD = 0.7  # share of a disc's area from which on a core is one
STEP = 1.3  # from one tried radius to the next
LARGEST = 0.16  # share of the picture's height up to which a radius is tried
SMALLEST = 1 / 120  # and from which on
FINE_PX = 8.0  # a radius in pixels that is large enough to tell discs from strokes


def core_of(mask: Mask, radius: float) -> Mask:
    """Return a mask without what is much thinner than a disc of `radius`; outlines of what stays are as they were.

    Large discs are told from strokes in a smaller picture.
    """
    shrink = max(1, int(radius / FINE_PX))
    if shrink == 1:
        return _opened(_filled(mask, HOLE * np.pi * radius**2), CORE * radius)
    height, width = mask.shape
    sides = (-(-width // shrink), -(-height // shrink))
    framed = cv2.copyMakeBorder(
        mask, 0, sides[1] * shrink - height, 0, sides[0] * shrink - width, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(framed, sides, interpolation=cv2.INTER_AREA)
    halves = np.asarray(cv2.threshold(small, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    core = _opened(_filled(halves, HOLE * np.pi * (radius / shrink) ** 2), CORE * radius / shrink)
    near = cv2.dilate(core, np.ones((3, 3), np.uint8))
    large = cv2.resize(near, (framed.shape[1], framed.shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.bitwise_and(mask, np.ascontiguousarray(large[:height, :width])), np.uint8)


def radii(height: int) -> Iterator[float]:
    """Yield the radii in pixels worth trying in a picture of that height, the largest first."""
    radius = max(LARGEST * height, 2 * SMALLEST_PX)
    while radius > max(SMALLEST * height, SMALLEST_PX):
        yield radius
        radius /= STEP


def rounds_of(mask: Mask, radius: float) -> tuple[list[tuple[float, float, float]], float]:
    """Return centre and radius of the round cores about as large as `radius`, and the area of all cores in pixels."""
    contours = outlines(core_of(mask, radius))
    found = [one for contour in contours if (one := round_one(contour)) is not None]
    return [one for one in found if 1 / STEP < one[2] / radius < STEP], sum(map(drawn_px, contours))


def thin_px(contour: NDArray[np.int32], radius: float) -> int:
    """Return the area of what hangs on the discs of `radius` in an outlined thing; 0 for what holds no disc."""
    x, y, w, h = cv2.boundingRect(contour)
    alone = np.zeros((h + 4, w + 4), np.uint8)
    cv2.drawContours(alone, [contour], -1, 255, -1, offset=(2 - x, 2 - y))
    core = cv2.countNonZero(core_of(alone, radius))
    return cv2.countNonZero(alone) - core if core > HELD * np.pi * radius**2 else 0


def drawn_px(contour: NDArray[np.int32]) -> float:
    """Return the area within an outline in pixels, the outline counted."""
    return cv2.contourArea(contour) + len(contour) / 2 + 1


def _filled(mask: Mask, most_px: float) -> Mask:
    """Fill holes of at most so many pixels; what reaches the picture's edge is no hole."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(mask), connectivity=4)
    if count <= 1:
        return mask
    x, y, w, h, area = stats.T
    inside = (x > 0) & (y > 0) & (x + w < mask.shape[1]) & (y + h < mask.shape[0])
    holes = (inside & (area <= most_px)).astype(np.uint8) * 255
    holes[0] = 0
    return np.asarray(cv2.bitwise_or(mask, holes[labels]), np.uint8)


def _opened(mask: Mask, reach: float) -> Mask:
    """Keep what a circle of radius `reach` fits into; the picture's edge does not count as an edge."""
    pad = int(reach) + 2
    framed = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    inner = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_5)
    outer = (inner <= reach).astype(np.uint8)
    away = cv2.distanceTransform(outer, cv2.DIST_L2, cv2.DIST_MASK_5)
    grown = (away < reach).astype(np.uint8) * 255
    return np.ascontiguousarray(cv2.bitwise_and(grown, framed)[pad:-pad, pad:-pad])
