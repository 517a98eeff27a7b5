"""What differs between two small pictures of one scene: noise and brightness taken out, the rest as blobs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from extension.sources.motion.sketches import Levels

Mask = NDArray[np.bool_]
"""H x W."""

FLOOR: Final = 6.0
"""Grey levels after the blur by which things differ at least; what coding does to a still picture stays below."""

CEILING: Final = 16.0
"""Grey levels that always count, whatever noise there seems to be: where most of the picture moves, all of it looks like noise."""

_ENCODED_AGAIN: Final = 2
"""Grey levels by which two encodings of one picture differ at most, once made small; a living camera's noise goes beyond somewhere."""

_NOISES: Final = 5.0
_CALM: Final = 10.0
_MAD: Final = 1.4826
"""Standard deviations in a median of absolute deviations, for normal noise."""

LEAST_PX: Final = 6
"""Smaller blobs are no motion."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A region that differs: its box in pixels of the sketch and how many pixels of it do."""

    left: int
    top: int
    width: int
    height: int
    area_px: int

    def inside(self, box: Blob) -> bool:
        """Whether it lies wholly within another's box."""
        return (
            box.left <= self.left
            and box.top <= self.top
            and self.left + self.width <= box.left + box.width
            and self.top + self.height <= box.top + box.height
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """Between two pictures: where, in which blobs, and whether they are the same picture, encoded twice at most."""

    mask: Mask
    blobs: tuple[Blob, ...]
    same: bool


def difference(before: Levels, after: Levels) -> Difference:
    """What differs, whatever the lamps or the exposure did to the whole picture.

    Args:
        before: H x W uint8.
        after: Of the same shape.
    """
    if not np.any(cv2.absdiff(before, after) > _ENCODED_AGAIN):
        return Difference(np.zeros(before.shape, np.bool_), (), same=True)
    rest = cv2.blur(_relit(before.astype(np.float32), after.astype(np.float32)), (3, 3))
    distance = np.abs(rest)
    threshold = min(max(FLOOR, _NOISES * _MAD * float(np.median(distance))), CEILING)
    mask = distance > threshold
    return Difference(mask, blobs(mask), same=False)


def blobs(mask: Mask) -> tuple[Blob, ...]:
    """The connected regions of a mask that are no specks."""
    if not mask.any():
        return ()
    _, _, table, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return tuple(
        Blob(int(left), int(top), int(width), int(height), int(area))
        for left, top, width, height, area in table[1:]
        if area >= LEAST_PX
    )


def _relit(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Their difference without what brightness and contrast of the whole picture did.

    Both are fitted to the pixels that hardly differ, so that what moves does not count.
    """
    rest = after - before
    rest -= np.median(rest)
    calm = np.abs(rest) < _CALM
    if np.count_nonzero(calm) < calm.size // 2:
        return rest
    levels, left = before[calm], rest[calm]
    middle = levels - levels.mean()
    spread = float(middle @ middle)
    gain = float(middle @ left) / spread if spread > 0 else 0.0
    relit: NDArray[np.float32] = rest - gain * (before - levels.mean()) - left.mean()
    return relit
