"""Where discs of a known radius are in a mask, alone or overlapping; knows nothing of numbers or time.

Coordinates are pixels, x to the right and y down, centre of the first pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.segment import Mask

Points = NDArray[np.float64]
"""N x 2, x and y in pixels."""

SMALLEST_PX = 4.5  # radius; a smaller disc cannot hold a readable number
BINS = 36  # of ten degrees around a circle
MIN_SUPPORT = 0.22  # share of a circle's rim that must be seen as outline
_TURN = np.arange(BINS) * 2 * np.pi / BINS
_UNIT = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
MIN_COVER = 0.9  # share of a circle's area that must be drawn


@dataclass(frozen=True)
class Spot:
    """One disc in one frame: its centre, the share of its rim that is seen, whether it stands alone."""

    x: float
    y: float
    support: float
    alone: bool


def outlines(mask: Mask) -> list[NDArray[np.int32]]:
    """Return the outer outlines of a mask, each N x 1 x 2 whole pixels."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(contour, np.int32) for contour in contours]


def within(contour: NDArray[np.int32], box: tuple[int, int, int, int] | None) -> bool:
    """Whether an outline lies inside a box (x0, y0, x1, y1)."""
    if box is None:
        return False
    x, y, w, h = cv2.boundingRect(contour)
    return bool(box[0] <= x and box[1] <= y and x + w <= box[2] and y + h <= box[3])


def round_one(contour: NDArray[np.int32]) -> tuple[float, float, float] | None:
    """Return centre and radius when an outline is one whole disc, else None.

    A number in the colour of the ground may cut notches into the rim; the hull closes them.
    """
    _, _, w, h = cv2.boundingRect(contour)
    if min(w, h) < 2 * SMALLEST_PX or abs(w - h) > max(2.0, 0.14 * max(w, h)):
        return None
    return whole_round(contour) or whole_round(np.asarray(cv2.convexHull(contour), np.int32))


def whole_round(contour: NDArray[np.int32]) -> tuple[float, float, float] | None:
    """Return centre and radius when an outline is round all the way, else None."""
    moments = cv2.moments(contour)
    if moments["m00"] <= 0:
        return None
    x, y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    rim = cv2.arcLength(contour, closed=True) / 1.05  # whole-pixel steps make a circle's outline 5 % longer
    radius = float(np.sqrt((moments["m00"] + rim / 2 + 1) / np.pi))
    away = np.hypot(contour[:, 0, 0] - x, contour[:, 0, 1] - y)
    if float(away.std()) > max(0.5, 0.045 * radius) or abs(float(away.mean()) + 0.4 - radius) > 1.0:
        return None
    return x, y, radius


def likely_radii(radii: list[float]) -> list[float]:
    """Return the radii that discs agree on (within 8 %), the one that covers most of the picture first."""
    left = np.sort(np.array(radii, float))
    found: list[float] = []
    while len(left):
        near = np.abs(left[:, None] - left[None]) < 0.08 * left[:, None]
        best = near[int(np.argmax(near.sum(axis=1) * left**2))]
        found.append(float(np.median(left[best])))
        left = left[~best]
    return found


def clustered_radius(contours: list[NDArray[np.int32]], furniture: Mask) -> float | None:
    """Return the radius of discs that never stand alone, or None when the outlines are not made of discs.

    The largest circle inside a cluster of equal discs is one of them; the cluster must then be made of such discs.
    """
    radii = []
    for contour in contours:
        x, y, w, h = cv2.boundingRect(contour)
        if min(w, h) < 2 * SMALLEST_PX:
            continue
        filled = np.zeros((h + 4, w + 4), np.uint8)
        cv2.drawContours(filled, [contour], -1, 255, -1, offset=(2 - x, 2 - y))
        radius = float(cv2.distanceTransform(filled, cv2.DIST_L2, cv2.DIST_MASK_5).max()) - 0.3
        spots = _spots_of_blob(contour, furniture, radius)
        px, py = contour[:, 0, 0], contour[:, 0, 1]
        height, width = furniture.shape
        inside = (px > 1) & (py > 1) & (px < width - 2) & (py < height - 2)  # not cut by the picture's edge
        rim = inside.copy()
        for spot in spots:
            rim &= np.abs(np.hypot(px - spot.x, py - spot.y) - radius + 0.5) > 1.2
        if len(spots) >= 2 and np.count_nonzero(rim) < 0.1 * np.count_nonzero(inside):
            radii.append(radius)
    return next(iter(likely_radii(radii)), None)


def spots_in(
    mask: Mask, furniture: Mask, radius: float, text: tuple[int, int, int, int] | None
) -> list[Spot]:
    """Return every disc of about `radius` in a mask, leaving out what lies within the box `text`."""
    found: list[Spot] = []
    for contour in outlines(mask):
        _, _, w, h = cv2.boundingRect(contour)
        if within(contour, text):
            continue
        if max(w, h) < radius or w * h < radius * radius * 0.8:
            continue
        one = round_one(contour) if max(w, h) < 2.4 * radius + 2 else None
        if one is not None and abs(one[2] - radius) < max(0.8, 0.1 * radius):
            found.append(Spot(one[0], one[1], 1.0, alone=True))
        elif one is None or one[2] > radius:
            found.extend(_spots_of_blob(contour, furniture, radius))
    return found


def _spots_of_blob(contour: NDArray[np.int32], furniture: Mask, radius: float) -> list[Spot]:
    """Explain a blob as a union of discs: vote, take the best, strike off what it explains, repeat."""
    blob = _Blob(contour, furniture, radius)
    centres: list[Points] = []
    free = blob.trusted.copy()
    rim = radius - 0.5  # outlines run through the centres of the outermost pixels
    for _ in range(blob.room):
        best = blob.vote(free, rim)
        if best is None:
            break
        centre, support = best
        if support < MIN_SUPPORT:
            break
        centre = refine(blob.points[free], centre[None], rim, rounds=2)[0]
        centres.append(centre)
        away = np.abs(np.hypot(*(blob.points - centre).T) - rim)
        free &= away > max(1.3, 0.06 * radius)
    if not centres:
        return []
    settled = refine(blob.points[blob.trusted], np.array(centres), rim, rounds=4)
    spots = []
    for centre in _apart(settled, radius):
        support = rim_support(blob.points[blob.trusted], centre, rim)
        if support >= MIN_SUPPORT * 0.8 and blob.cover(centre) >= MIN_COVER - 0.08:
            spots.append(Spot(float(centre[0] + blob.x0), float(centre[1] + blob.y0), support, alone=False))
    return spots


class _Blob:
    """One blob in its own small picture, with the outline points that can be trusted."""

    def __init__(self, contour: NDArray[np.int32], furniture: Mask, radius: float) -> None:
        x, y, w, h = cv2.boundingRect(contour)
        self._radius = radius
        pad = int(radius) + 3
        self.x0, self.y0 = x - pad, y - pad
        self.filled = np.zeros((h + 2 * pad, w + 2 * pad), np.uint8)
        cv2.drawContours(self.filled, [contour], -1, 255, -1, offset=(-self.x0, -self.y0))
        self.points = contour[:, 0, :].astype(np.float64) - (self.x0, self.y0)
        height, width = furniture.shape
        px, py = contour[:, 0, 0], contour[:, 0, 1]
        inside = (px > 0) & (py > 0) & (px < width - 1) & (py < height - 1)
        beside = np.zeros(len(contour), bool)
        for dx, dy in ((-2, 0), (2, 0), (0, -2), (0, 2)):
            beside |= furniture[np.clip(py + dy, 0, height - 1), np.clip(px + dx, 0, width - 1)] > 0
        self.trusted = inside & ~beside
        self._extend(contour, (height, width), pad)
        area = cv2.contourArea(contour) + len(contour) / 2
        self.room = 2 + int(2.5 * area / (np.pi * radius * radius))

    def _extend(self, contour: NDArray[np.int32], shape: tuple[int, int], pad: int) -> None:
        """Count what lies outside the picture as drawn where the blob runs out of it."""
        x, y, w, h = cv2.boundingRect(contour)
        if x == 0:
            self.filled[:, :pad] = self.filled[:, pad : pad + 1]
        if y == 0:
            self.filled[:pad] = self.filled[pad]
        if x + w == shape[1]:
            self.filled[:, pad + w :] = self.filled[:, pad + w - 1 : pad + w]
        if y + h == shape[0]:
            self.filled[pad + h :] = self.filled[pad + h - 1]

    def cover(self, centre: Points) -> float:
        """Return the share of a disc at `centre` that is drawn."""
        disc = np.zeros_like(self.filled)
        shifted = (round(float(centre[0]) * 16), round(float(centre[1]) * 16))
        cv2.circle(disc, shifted, round((self._radius - 0.6) * 16), 255, -1, cv2.LINE_8, 4)
        total = cv2.countNonZero(disc)
        return cv2.countNonZero(cv2.bitwise_and(disc, self.filled)) / total if total else 0.0

    def vote(self, free: NDArray[np.bool_], rim: float) -> tuple[Points, float] | None:
        """Return the centre that most free outline points lie around, and the share of its rim they make."""
        if np.count_nonzero(free) < 4:
            return None
        edge = np.zeros(self.filled.shape, np.float32)
        at = self.points[free].astype(int)
        edge[at[:, 1], at[:, 0]] = 1
        votes = cv2.filter2D(edge, -1, _ring(rim), borderType=cv2.BORDER_CONSTANT)
        votes[self.filled == 0] = 0
        for _ in range(6):
            _, top, _, (x, y) = cv2.minMaxLoc(votes)
            if top <= 0:
                return None
            centre = np.array([x, y], float)
            if self.cover(centre) >= MIN_COVER - 0.06:
                return centre, rim_support(self.points[free], centre, rim)
            cv2.circle(votes, (x, y), max(1, round(0.25 * self._radius)), 0, -1)
        return None


def _ring(rim: float) -> NDArray[np.float32]:
    reach = int(rim) + 3
    ys, xs = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.abs(np.hypot(xs, ys) - rim)
    return np.asarray(np.clip(1.6 - away, 0, 1), np.float32)


def rim_support(points: Points, centre: Points, rim: float) -> float:
    """Return the share of a circle's rim, in steps of ten degrees, that has an outline point on it."""
    offset = points - centre
    away = np.abs(np.hypot(offset[:, 0], offset[:, 1]) - rim)
    on = offset[away < max(1.0, 0.05 * rim)]
    bins = ((np.arctan2(on[:, 1], on[:, 0]) / (2 * np.pi) + 0.5) * BINS).astype(int) % BINS
    return len(np.unique(bins)) / BINS


def rim_inside(spot: Spot, radius: float, size: tuple[int, int]) -> float:
    """Return the share of a disc's rim that lies in a picture of a size (width, height), for a centre inside."""
    x = spot.x + radius * _UNIT[:, 0]
    y = spot.y + radius * _UNIT[:, 1]
    inside = (x >= 0) & (y >= 0) & (x <= size[0] - 1) & (y <= size[1] - 1)
    return max(float(np.count_nonzero(inside)) / BINS, 1 / BINS)


def refine(points: Points, centres: Points, rim: float, rounds: int) -> Points:
    """Move centres so that each outline point lies on the circle nearest to it (damped least squares)."""
    centres = centres.copy()
    for turn in range(rounds):
        tolerance = max(1.0, 0.05 * rim) * (2.0 if turn == 0 else 1.3)
        offset = points[:, None, :] - centres[None]
        away = np.hypot(offset[..., 0], offset[..., 1])
        residual = away - rim
        owner = np.abs(residual).argmin(axis=1)
        for i in range(len(centres)):
            mine = (owner == i) & (np.abs(residual[:, i]) < tolerance)
            if np.count_nonzero(mine) < 4:
                continue
            normal = offset[mine, i] / np.maximum(away[mine, i], 1e-6)[:, None]
            pull = normal.T @ residual[mine, i]
            system = normal.T @ normal
            # a short arc says nothing about the direction along it: keep the centre there
            centres[i] += np.linalg.solve(system + 0.02 * np.trace(system) * np.eye(2), pull)
    return centres


def _apart(centres: Points, radius: float) -> list[Points]:
    """Drop centres that fell together."""
    kept: list[Points] = []
    for centre in centres:
        if all(np.hypot(*(centre - other)) > 0.12 * radius for other in kept):
            kept.append(centre)
    return kept
