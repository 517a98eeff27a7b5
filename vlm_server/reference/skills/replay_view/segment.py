"""What is ground and what is drawn on it; knows nothing of discs, numbers or time.

The ground of a chunk is modelled as a smooth surface (light, gradient), straight lines across the picture
(grid, border rows) and furniture (badges, the clock's box), each learned from a few frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""H x W x 3 BGR."""
Mask = NDArray[np.uint8]
"""H x W, 0 or 255."""

FLOOR = 22  # grey levels; coding noise of flat ground at JPEG quality 50 stays below
CEILING = 60
FIT_COLUMNS = 64  # samples across the picture for the surface
LINE = 0.6  # share of the picture that a line runs across; rows of discs are shorter
FAINT_LINE = 0.6  # share of the threshold that a line must reach: its length tells it from noise, and coding weakens it
BOX_FILL = 0.9  # a box fills its bounding box; a disc fills pi/4 of it, two discs less


@dataclass(frozen=True)
class Ground:
    """The scene without discs.

    Attributes:
        picture: H x W x 3 uint8, what each pixel looks like where nothing is drawn on it.
        furniture: H x W uint8, 255 on boxes, border rows and grid lines, beside which an edge says little.
        threshold: grey levels a pixel must differ by to count as drawn.
    """

    picture: Picture
    furniture: Mask
    threshold: int


def ground_of(samples: list[Picture]) -> Ground:
    """Learn the ground from 1 to 5 frames of a chunk, in time order."""
    middle = _median(samples)
    surface = _surface(middle)
    noise = _noise(samples[0], surface)
    threshold = int(np.clip(4.5 * noise + 10, FLOOR, CEILING))
    picture = surface.copy()
    drawn = _differs(middle, surface, threshold)
    lines = _lines(middle, surface, _differs(middle, surface, round(FAINT_LINE * threshold)), picture)
    boxes = _boxes(samples, drawn & ~lines)
    picture[boxes > 0] = middle[boxes > 0]
    return Ground(picture, lines | boxes, threshold)


def foreground(
    frame: Picture, ground: Ground, threshold: int | None = None, close_px: int = 0, cap: int | None = None
) -> Mask:
    """Return what is drawn on the ground, H x W uint8 of 0 or 255; holes are left open.

    `close_px` is the width of the gaps to close: numbers in the colour of the ground cut discs into pieces.
    `cap` is the difference in grey levels above which all count as equal: numbers may stand out more than their disc.

    A pixel counts when it differs enough and by at least half of what its neighbours differ by: the outline
    then lies at half contrast, whatever the colour of the disc.
    """
    difference = _difference(frame, ground.picture)
    if cap is not None:
        difference = np.asarray(cv2.threshold(difference, cap, 255, cv2.THRESH_TRUNC)[1], np.uint8)
    near = cv2.dilate(difference, np.ones((3, 3), np.uint8))
    clear = above(difference, threshold or ground.threshold)
    half = cv2.compare(difference, cv2.convertScaleAbs(near, alpha=0.5), cv2.CMP_GE)
    mask = cv2.bitwise_and(clear, half)
    if close_px > 1:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (close_px, close_px))
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    return np.asarray(mask, np.uint8)


def contrast_at(frame: Picture, ground: Ground, x: float, y: float, radius: float) -> float:
    """Return by how many grey levels the fill of a disc differs from its ground.

    The upper quarter over the bounding box: its corners are ground, and a number may have the ground's colour.
    """
    x0, y0 = max(0, round(x - radius)), max(0, round(y - radius))
    x1, y1 = round(x + radius) + 1, round(y + radius) + 1
    return float(np.percentile(_difference(frame[y0:y1, x0:x1], ground.picture[y0:y1, x0:x1]), 75))


def _difference(one: Picture, other: Picture) -> Mask:
    blue, green, red = cv2.split(cv2.absdiff(one, other))
    return np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)


def above(levels: Mask, threshold: int) -> Mask:
    """Return 255 where a grey picture is above a threshold, else 0."""
    return np.asarray(cv2.threshold(levels, threshold, 255, cv2.THRESH_BINARY)[1], np.uint8)


def _differs(one: Picture, other: Picture, threshold: int) -> Mask:
    return above(_difference(one, other), threshold)


def _median(samples: list[Picture]) -> Picture:
    """Return the per-pixel median of 1, 3 or 5 frames by a sorting network; even counts leave one out."""
    odd = list(samples[: len(samples) - 1 + len(samples) % 2])
    for last in range(len(odd) - 1, len(odd) // 2 - 1, -1):
        for i in range(last):
            odd[i], odd[i + 1] = np.minimum(odd[i], odd[i + 1]), np.maximum(odd[i], odd[i + 1])
    return odd[len(odd) // 2]


def _surface(picture: Picture) -> Picture:
    """Fit a quadratic surface per channel, robust against what stands on it."""
    height, width = picture.shape[:2]
    step = max(1, width // FIT_COLUMNS)
    ys, xs = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    values = picture[ys, xs].reshape(-1, 3).astype(np.float64)
    terms = _terms(xs.ravel() / width, ys.ravel() / height)
    weight = np.ones(len(values))
    fit = np.zeros((6, 3))
    fit[0] = np.median(values, axis=0)
    for _ in range(8):
        residual = np.abs(values - terms @ fit).max(axis=1)
        weight = 1.0 / (residual**2 + 9.0)
        scaled = terms * weight[:, None]
        fit = np.linalg.solve(scaled.T @ terms + 1e-9 * np.eye(6), scaled.T @ values)
    if np.abs(fit[1:]).max() < 2.0:
        return np.broadcast_to(np.clip(fit[0].round(), 0, 255).astype(np.uint8), picture.shape).copy()
    small = _terms(*(a.ravel() for a in np.meshgrid(np.linspace(0, 1, 65), np.linspace(0, 1, 65)))) @ fit
    grid = np.clip(small, 0, 255).astype(np.float32).reshape(65, 65, 3)
    reach = np.array([[64 / width, 0, 0], [0, 64 / height, 0]], np.float32)
    smooth = cv2.warpAffine(
        grid,
        reach,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (smooth + 0.5).astype(np.uint8)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _noise(frame: Picture, surface: Picture) -> float:
    """Return the standard deviation of the ground in grey levels (from the median, so discs do not count)."""
    sparse = _difference(frame[::3, ::3].copy(), surface[::3, ::3].copy())
    return float(np.median(sparse)) / 1.1  # the largest of three half-normal channels has its median at 1.1


def _lines(middle: Picture, surface: Picture, drawn: Mask, picture: Picture) -> Mask:
    """Find straight lines across the picture, paint them into `picture`, and return where they are."""
    height, width = drawn.shape
    found = np.zeros_like(drawn)
    for shape, axis in (((1, round(LINE * width)), 0), ((round(LINE * height), 1), 1)):
        runs = np.asarray(cv2.morphologyEx(drawn, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
        for at in np.flatnonzero(runs.any(axis=1 - axis)):
            index: tuple[int | slice, int | slice] = (
                (int(at), slice(None)) if axis == 0 else (slice(None), int(at))
            )
            on = runs[index] > 0
            picture[index][on] = _line_colour(middle[index][on], surface[index][on])
        found |= runs
    return found


def _line_colour(seen: Picture, ground: Picture) -> Picture:
    """Return what a line looks like along its length (N x 3): one colour, or one shade over the ground.

    Per pixel the one nearer to what is seen; discs that stand on the line are neither.
    """
    shade = np.median(seen.astype(np.int16) - ground, axis=0)
    shaded = np.clip(ground + shade, 0, 255)
    even = np.broadcast_to(np.median(seen, axis=0), seen.shape)
    nearer = np.abs(seen - shaded).max(axis=1) < np.abs(seen - even).max(axis=1)
    return np.where(nearer[:, None], shaded, even).astype(np.uint8)


def _boxes(samples: list[Picture], drawn: Mask) -> Mask:
    """Return the static boxes: rectangular, and the same in the first and the last frame."""
    found = np.zeros_like(drawn)
    moved = above(_difference(samples[0], samples[-1]), FLOOR)
    whole = cv2.morphologyEx(drawn, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))  # without coding noise
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        _, _, w, h = cv2.boundingRect(contour)
        area = cv2.contourArea(contour) + len(contour) / 2 + 1
        if min(w, h) < 8 or area < BOX_FILL * w * h or area > 0.25 * drawn.size:
            continue
        edge = moved[contour[:, 0, 1], contour[:, 0, 0]]
        if np.count_nonzero(edge) < 0.2 * len(edge):
            cv2.drawContours(found, [contour], -1, 255, -1)
            cv2.drawContours(found, [contour], -1, 255, 3)
    return found
