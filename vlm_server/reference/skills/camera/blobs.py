"""Silhouettes of what stands out from the ground, one frame at a time; knows nothing of time or of accidents."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from vlm_server.reference.skills.camera.steady import Mask, Picture, Scene

LEAST_SHARE = 0.002  # of the picture: a person at a tenth of its height
MOST_SHARE = 0.5  # of the picture; more is a change of light
GAP = 0.02  # of the picture's long side: clothes in the colour of the ground cut a body into pieces
TAIL = (
    0.04  # share of a blob's pixels that may stick out on each side without counting: shadows, a chair's edge
)
MAX_BLOBS = 24  # per frame, the largest
SLENDER = 1.2  # times as tall as wide: the least of somebody who stands or sits upright
SOLID = 1.0  # pixels over its box without tails: a body of sheet metal passes one, a person has 0.5 to 0.95


@dataclass(frozen=True)
class Blob:
    """One silhouette; places and lengths in pixels of the small frame, y downwards.

    Attributes:
        index: Of its frame.
        x: Centre of its mass.
        y: Centre of its mass.
        left: Its box, without the tails that few pixels make.
        top: Its box.
        right: Its box, out.
        bottom: Its box, out.
        area: Pixels.
        sunk: Whether it reaches the lower border of the picture, where bodies leave it head last.
        mask: Its pixels, H x W bool.
    """

    index: int
    x: float
    y: float
    left: float
    top: float
    right: float
    bottom: float
    area: int
    sunk: bool
    mask: Mask = field(repr=False, compare=False)

    @property
    def height(self) -> float:
        """Return its height in pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Return its width in pixels."""
        return self.right - self.left

    @property
    def fill(self) -> float:
        """Return the share of its box that it covers."""
        return self.area / max(1.0, self.height * self.width)

    @property
    def size(self) -> float:
        """Return the longer side of its box in pixels."""
        return max(self.height, self.width)


def blobs_of(scene: Scene, ground: Picture) -> tuple[list[list[Blob]], list[Mask]]:
    """Return the silhouettes of every frame, largest first, and where anything stands out in it, H x W."""
    long_side = max(ground.shape[:2])
    gap = max(3, round(GAP * long_side)) | 1
    close = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap))
    thin = np.ones((3, 3), np.uint8)
    found, taken = [], []
    for index in range(len(scene.frames)):
        mask = scene.differing(index, ground).astype(np.uint8)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, thin), np.uint8)
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, close)
        found.append(_parts(index, joined))
        taken.append(np.asarray(joined > 0))
    return found, taken


def _parts(index: int, joined: np.ndarray) -> list[Blob]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2 or np.count_nonzero(joined) > MOST_SHARE * joined.size:
        return []
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = [int(i) + 1 for i in np.argsort(-areas)[:MAX_BLOBS] if areas[i] >= LEAST_SHARE * joined.size]
    return [_blob(index, labels == label, stats[label]) for label in large]


def _blob(index: int, mask: Mask, stats: np.ndarray) -> Blob:
    x0, y0, width, height, area = (int(v) for v in stats)
    inside = mask[y0 : y0 + height, x0 : x0 + width]
    left, right, x = _extent(inside.sum(axis=0))
    top, bottom, y = _extent(inside.sum(axis=1))
    sunk = y0 + height >= mask.shape[0] - 1
    return Blob(index, x0 + x, y0 + y, x0 + left, y0 + top, x0 + right, y0 + bottom, area, sunk, mask)


def _extent(mass: np.ndarray) -> tuple[float, float, float]:
    """Return where a profile of mass starts and ends without its tails, and its centre."""
    total = np.cumsum(mass)
    low = int(np.searchsorted(total, TAIL * total[-1]))
    high = int(np.searchsorted(total, (1 - TAIL) * total[-1])) + 1
    return float(low), float(high), float((np.arange(len(mass)) + 0.5) @ mass / total[-1])
