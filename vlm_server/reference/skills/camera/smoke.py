"""Finds smoke: a grey veil without an outline that grows; knows nothing of flames or of moving bodies.

A solid body has an outline as strong as its difference from the ground. Smoke fades out, and what is behind it keeps less of its
contrast. A change of light is everywhere at once and does not grow. Steam and dust look alike and cannot be told apart here, which is
why smoke alone is a warning.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.camera.finding import Finding, score
from vlm_server.reference.skills.camera.steady import Mask, Picture, Scene, differs

LOOKS = 12  # evenly over the chunk
SHARE = 0.015  # of the picture
MOST_SHARE = 0.6  # of the picture; more is a change of light or fog
GREY = 45  # grey levels between the strongest and the weakest channel
STEP = 4.0  # Sobel's answer to a step of one grey level
SOFT = 0.35  # of the outline that a solid body of the same difference has
FADED = 0.8  # of the contrast behind it that a veil leaves at most, where there was any
PLAIN = 24.0  # Sobel's answer up to which ground has no contrast to lose
GROWS = 1.5  # times by which the veil grows from the middle of its growth to the end
CHURN = 0.8  # grey levels by which neighbouring parts change differently from look to look; light changes alike everywhere
LEAST_S = 1.5


@dataclass(frozen=True)
class Veil:
    """Where smoke hangs at the end of a chunk.

    Attributes:
        region: H x W.
        first_s: When a tenth of it was there.
        growth: Times by which it grew.
        softness: Its outline over that of a solid body of the same difference.
    """

    region: Mask
    first_s: float
    growth: float
    softness: float


def veil_of(scene: Scene) -> Veil | None:
    """Return the smoke of a chunk, or None when there is none or the chunk is too short to tell."""
    count = len(scene.frames)
    if count < LOOKS // 2 or scene.times_s[-1] - scene.times_s[0] < LEAST_S:
        return None
    clear = np.median(scene.frames[: max(1, count // 10)], axis=0).astype(np.uint8)
    picks = sorted({round(i) for i in np.linspace(0, count - 1, min(count, LOOKS))})
    grey = np.stack([_grey(scene.frames[i], clear, scene.threshold) & scene.seen for i in picks])
    late = grey[-max(2, len(picks) // 3) :]
    region = _large(late.mean(axis=0) >= 0.6)
    share = float(region.mean())
    if not SHARE <= share <= MOST_SHARE:
        return None
    areas = grey[:, region].mean(axis=1)
    growth = float(areas[-2:].mean() / max(0.05, areas[len(areas) // 3]))
    last = np.median(scene.frames[-max(1, count // 10) :], axis=0).astype(np.uint8)
    softness = _softness(region, clear, last)
    lively = _churn(region, scene) >= CHURN
    if growth < GROWS or softness > SOFT or not lively or not _fades(region, clear, last):
        return None
    first = picks[int(np.argmax(areas >= 0.1))]
    return Veil(region, float(scene.times_s[first]), growth, softness)


def smoke(veil: Veil, scene: Scene) -> Finding:
    """Describe smoke."""
    return Finding(
        kind="smoke",
        severity="warn",
        start_s=veil.first_s,
        end_s=float(scene.times_s[-1]),
        objects=("smoke",),
        description=(
            f"A grey veil over {veil.region.mean():.0%} of the picture grew {veil.growth:.1f} times and has no outline"
            f" ({veil.softness:.0%} of a solid body's); steam and dust look the same."
        ),
        confidence=score(veil.growth / GROWS, SOFT / max(veil.softness, 0.05)),
    )


def _grey(frame: Picture, clear: Picture, threshold: float) -> Mask:
    spread = frame.max(axis=2).astype(np.int16) - frame.min(axis=2)
    return np.asarray(differs(frame, clear, threshold) & (spread < GREY))


def _large(mask: Mask) -> Mask:
    """Return the parts of a mask that are large enough to be a veil, holes closed."""
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= SHARE * mask.size]
    return np.asarray(np.isin(labels, large))


def _softness(region: Mask, clear: Picture, last: Picture) -> float:
    """Return the strength of a region's new outline over that of a solid body of the same difference."""
    kernel = np.ones((5, 5), np.uint8)
    rim = (cv2.dilate(region.astype(np.uint8), kernel) > 0) & ~(
        cv2.erode(region.astype(np.uint8), kernel) > 0
    )
    rim[[0, -1]] = rim[:, [0, -1]] = False
    added = cv2.absdiff(last, clear).max(axis=2)
    step = float(added[region].mean())
    edge = _contrast(added)
    return float(np.percentile(edge[rim], 75)) / max(1.0, STEP * step) if rim.any() else 1.0


def _churn(region: Mask, scene: Scene) -> float:
    """Return how differently the parts of a region change between neighbouring frames of the last third, in grey levels."""
    late = scene.frames[-max(3, len(scene.frames) // 3) :, ..., 1]
    soft = [cv2.blur(frame, (7, 7)).astype(np.float32) for frame in late]
    return float(np.median([np.std((b - a)[region]) for a, b in itertools.pairwise(soft)]))


def _fades(region: Mask, clear: Picture, last: Picture) -> bool:
    """Whether what is behind a region lost contrast, or had none."""
    before = float(_contrast(_levels(clear))[region].mean())
    after = float(_contrast(_levels(last))[region].mean())
    return after <= FADED * before if before > PLAIN else after <= PLAIN


def _levels(picture: Picture) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _contrast(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    dx, dy = cv2.Sobel(levels, cv2.CV_32F, 1, 0), cv2.Sobel(levels, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(dx, dy), np.float32)
