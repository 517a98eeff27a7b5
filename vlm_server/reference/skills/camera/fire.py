"""Finds flames by colour and flicker; knows nothing of moving bodies.

A flame is bright, between red and yellow, and its pixels go up and down many times a second, each by its own clock. A red car
passes a pixel once; a beacon flickers everywhere at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.finding import Finding, score
from vlm_server.reference.skills.camera.steady import Mask, Picture, Scene

BRIGHT = 150  # grey levels of red that a flame has at least
RED = 45  # grey levels of red above blue
SWING = 14  # grey levels; a change of brightness that counts as up or down
RATE = 0.8  # turns per second; flames flicker at 1 to 12 Hz, and slow sampling shows a part of it
TURNS = 3  # at least; something that passes makes two: up and down
COLOURED = 0.15  # share of the time that a flickering pixel must have the colour
FLAME_SHARE = 0.002  # of the picture: smaller flames are lost among reflections
UNISON = 0.8  # mean correlation of pixels with their region from which on it is a lamp
LEAST_LOOKS = 8
LEAST_S = 1.2


@dataclass(frozen=True)
class Flame:
    """Where flames are.

    Attributes:
        region: H x W, pixels that flicker.
        first: The frame at which they were first seen.
        rate: Turns per second of their pixels.
        unison: Mean correlation of the pixels with their region.
    """

    region: Mask
    first: int
    rate: float
    unison: float


def flame_of(scene: Scene) -> Flame | None:
    """Return the flames of a chunk, or None when there are none or the chunk is too short to tell."""
    times_s = scene.times_s
    if len(times_s) < LEAST_LOOKS or times_s[-1] - times_s[0] < LEAST_S:
        return None
    return _flame(scene, np.stack([_flame_colour(frame) for frame in scene.frames]) & scene.seen)


def fire(flame: Flame, scene: Scene, *, smokes: bool) -> Finding:
    """Describe a fire; smoke seen in the same chunk is a part of it."""
    share = float(flame.region.mean())
    burning = " from the first frame on" if flame.first == 0 else ""
    return Finding(
        kind="fire",
        severity="danger",
        start_s=float(scene.times_s[flame.first]),
        end_s=float(scene.times_s[-1]),
        objects=("fire", "smoke") if smokes else ("fire",),
        description=(
            f"A red to yellow region of {share:.1%} of the picture flickers{burning}: its pixels turn"
            f" {flame.rate:.1f} times a second, not in unison (correlation {flame.unison:.2f})."
        ),
        confidence=score(flame.rate / RATE, share / FLAME_SHARE, UNISON / max(flame.unison, 0.1)),
    )


def _flame_colour(frame: Picture) -> Mask:
    blue, green, red = (frame[..., i].astype(np.int16) for i in range(3))
    return np.asarray((red >= BRIGHT) & (red - blue >= RED) & (red >= green) & (green + 12 >= blue))


def _flame(scene: Scene, coloured: NDArray[np.bool_]) -> Flame | None:
    times_s = scene.times_s
    turns = _turns(scene, coloured)
    needed = max(TURNS, RATE * float(times_s[-1] - times_s[0]))
    lively = (turns >= needed) & (coloured.mean(axis=0) >= COLOURED)
    thick = cv2.morphologyEx(
        lively.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )  # edges shake, flames fill
    joined = cv2.morphologyEx(thick, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    region = np.zeros(lively.shape, bool)
    unisons = []
    for label in range(1, count):
        part = (labels == label) & lively
        if stats[label, cv2.CC_STAT_AREA] < FLAME_SHARE * lively.size:
            continue
        unison = _unison(scene, part)
        if unison < UNISON:
            region |= part
            unisons.append(unison)
    if not unisons:
        return None
    area = np.count_nonzero(coloured[:, region], axis=1)
    first = int(np.argmax(area >= 0.3 * np.median(area[area > 0])))
    rate = float(turns[region].mean() / (times_s[-1] - times_s[0]))
    return Flame(region, first, rate, min(unisons))


def _turns(scene: Scene, coloured: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return how often the brightness of each pixel turned from rising to falling or back, H x W, where it ever had the colour."""
    ever = coloured.any(axis=0)
    turns = np.zeros(ever.shape, np.int32)
    if not ever.any():
        return turns
    levels = scene.frames[:, ever].astype(np.int16).sum(axis=2) / 3
    extreme, heading = levels[0].copy(), np.zeros(levels.shape[1], np.int8)
    count = np.zeros(levels.shape[1], np.int32)
    for level in levels[1:]:
        up, down = level - extreme >= SWING, extreme - level >= SWING
        turned = (up & (heading < 0)) | (down & (heading > 0))
        count += turned
        heading[up], heading[down] = 1, -1
        further = up | down | ((heading > 0) & (level > extreme)) | ((heading < 0) & (level < extreme))
        extreme = np.where(further, level, extreme)
    turns[ever] = count
    return turns


def _unison(scene: Scene, part: Mask) -> float:
    """Return how alike the pixels of a region change over time, mean correlation with their mean."""
    levels = scene.frames[:, part].astype(np.float64).sum(axis=2)
    levels -= levels.mean(axis=0)
    together = levels.mean(axis=1)
    norm = np.linalg.norm(levels, axis=0) * np.linalg.norm(together)
    return float(np.mean((together @ levels) / np.maximum(norm, 1e-9)))
