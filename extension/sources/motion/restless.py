"""Learns which small regions of a scene never rest: a burnt-in clock, a blinking lamp. What stays inside of them is no motion. Pure."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from extension.sources.motion.difference import Blob, Mask, blobs

MEMORY_S: Final = 120.0
"""A region that changes all the time is known as restless after seven tenths of this, and forgotten as slowly."""

_OFTEN: Final = 0.5
"""Of the time remembered, a restless pixel changes in at least this share."""

MOST_SHARE: Final = 0.04
"""Of the picture, a restless region and all of them together cover at most this; what is larger is something to look at."""

_TEXT_PX: Final = 8
_LINE: Final = 12
"""Digits that change once a minute stand beside those that change every second: a line of text reaches this many heights to both sides."""

_EDGE_PX: Final = 2
"""From one digit to the next not the same pixels change: those around them count as well."""


class Restless:
    """How often each pixel of a scene changes.

    Args:
        shape: Height and width of the sketches.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._often: NDArray[np.float32] = np.zeros(shape, np.float32)
        self._boxes: tuple[Blob, ...] = ()

    def learn(self, changed: Mask, during_s: float) -> None:
        """Take in which pixels changed at least once within so many seconds."""
        keep = math.exp(-during_s / MEMORY_S)
        around = cv2.dilate(changed.astype(np.uint8), np.ones((2 * _EDGE_PX + 1,) * 2, np.uint8))
        self._often *= keep
        self._often += (1.0 - keep) * around
        self._boxes = self._found()

    def moving(self, found: tuple[Blob, ...]) -> tuple[Blob, ...]:
        """The blobs that do not lie wholly inside a restless region."""
        return tuple(blob for blob in found if not any(blob.inside(box) for box in self._boxes))

    def _found(self) -> tuple[Blob, ...]:
        often = self._often > _OFTEN
        regions = blobs(often)
        most_px = MOST_SHARE * often.size
        if sum(region.area_px for region in regions) > most_px:
            return ()
        return tuple(_box(region) for region in regions)


def _box(region: Blob) -> Blob:
    """The region; with the whole line, where it is as small as text."""
    height = max(1, region.height - 2 * _EDGE_PX)
    aside = _LINE * height if height <= _TEXT_PX else 0
    return Blob(region.left - aside, region.top, region.width + 2 * aside, region.height, region.area_px)
