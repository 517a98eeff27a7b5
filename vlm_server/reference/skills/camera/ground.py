"""What a fixed camera would see if nothing that moves were there; knows nothing of kinds of objects.

A median over time fails exactly when it matters: somebody who lies still for most of a chunk becomes ground. So the ground
is decided from the first and the last look of the chunk. Where both agree, that is the ground. Where they differ, something
left or something came: the difference is cut into pieces that came to rest at about the same time, and each piece takes the
look (first, usual, last) that has the weakest outline there: ground runs on across the border of a piece, an object ends at it.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.steady import Mask, Picture, Scene, differs

ENDS = 3  # frames whose median is the first look, and as many the last
SAMPLES = 9  # frames whose median is the usual look
LEAST_SHARE = 0.0008  # of the picture; smaller pieces are noise at the working size
APART_S = 0.3  # two pieces that rest at times closer than this moved as one


def ground_of(scene: Scene) -> Picture:
    """Learn the ground of a chunk of at least one frame, H x W x 3 uint8."""
    ends = min(ENDS, max(1, len(scene.frames) // 3))
    first = np.median(scene.frames[:ends], axis=0).astype(np.uint8)
    last = np.median(scene.frames[-ends:], axis=0).astype(np.uint8)
    middle = np.median(scene.frames[:: max(1, len(scene.frames) // SAMPLES)], axis=0).astype(np.uint8)
    changed = _opened(differs(first, last, scene.threshold) & scene.seen)
    picture: Picture = first.copy()
    if changed.any():
        looks = (first, middle, last)
        edges = [_outline(look) for look in looks]
        for piece in _pieces(changed, _settled(scene, last)):
            rim = _rim(piece, changed)
            picture[piece] = looks[int(np.argmin([edge[rim].mean() for edge in edges]))][piece]
    return picture


def _opened(mask: Mask) -> Mask:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0)


def _settled(scene: Scene, last: Picture) -> NDArray[np.float64]:
    """Return when each pixel began to show its last look for good, H x W seconds."""
    settled = np.full(last.shape[:2], scene.times_s[0])
    for index in range(len(scene.frames)):
        after = scene.times_s[min(index + 1, len(scene.times_s) - 1)]
        settled[scene.differing(index, last)] = after
    return np.asarray(cv2.medianBlur(settled.astype(np.float32), 5), float)


def _pieces(changed: Mask, settled_s: NDArray[np.float64]) -> list[Mask]:
    """Cut what changed into connected parts, and each part by when it came to rest."""
    joined = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    pieces = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < LEAST_SHARE * changed.size:
            continue
        part = (labels == label) & changed
        pieces += [finer for piece in _split(part, settled_s) for finer in _split(piece, settled_s)]
    return pieces


def _split(part: Mask, settled_s: NDArray[np.float64]) -> list[Mask]:
    cut_s = _cut(settled_s[part])
    return [part] if cut_s is None else [part & (settled_s <= cut_s), part & (settled_s > cut_s)]


def _cut(times_s: NDArray[np.float64]) -> float | None:
    """Return the time that splits early from late best (Otsu's), or None when all are of one time."""
    values = np.unique(times_s)
    best, cut = 0.0, None
    for one, after in itertools.pairwise(values.tolist()):
        early, late = times_s[times_s <= one], times_s[times_s > one]
        share = len(early) / len(times_s)
        between = share * (1 - share) * (late.mean() - early.mean()) ** 2
        if between > best and late.mean() - early.mean() > APART_S:
            best, cut = between, float((one + after) / 2)
    return cut


def _rim(piece: Mask, changed: Mask) -> Mask:
    """Return the border of a piece towards what never changed; its whole border where it has none there."""
    kernel = np.ones((3, 3), np.uint8)
    grown = cv2.dilate(piece.astype(np.uint8), kernel) > 0
    core = cv2.erode(piece.astype(np.uint8), kernel) > 0
    quiet = ~(cv2.dilate(changed.astype(np.uint8), kernel) > 0)
    beside = cv2.dilate(quiet.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    border = np.asarray(grown & ~core)
    return border & beside if (border & beside).any() else border


def _outline(picture: Picture) -> NDArray[np.float32]:
    """Return how strong edges are, the strongest channel's gradient, H x W."""
    dx = np.abs(cv2.Sobel(picture, cv2.CV_32F, 1, 0)).max(axis=2)
    dy = np.abs(cv2.Sobel(picture, cv2.CV_32F, 0, 1)).max(axis=2)
    return np.asarray(np.minimum(dx + dy, 400.0), np.float32)
