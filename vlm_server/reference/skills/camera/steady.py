"""Makes the frames of a chunk comparable: one small size, no shake, one exposure; judges nothing.

A chunk is held as a whole (at most `MAX_FRAMES` small frames), because every later step asks about all of its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""H x W x 3, BGR."""
Mask = NDArray[np.bool_]
"""H x W."""
Levels = NDArray[np.uint8]
"""H x W grey levels."""

LONG_SIDE_PX = 320  # a person at a tenth of the picture's height is still 18 px tall
MAX_FRAMES = 120  # more are thinned evenly: 12 a second over 10 s show every movement of a body
SHAKE = 0.04  # share of the long side; a mount that swings farther is no fixed camera
FINE_PX = 2
EDGE = 40  # grey levels across 3 px at which an edge counts in full
CLEARER = 0.8  # of what two pictures differ by unmoved, that a shift must leave at most
SETTLED_PX = 0.3  # smaller shifts are below what resampling itself costs
STILL = 0.6  # correlation of edges: two pictures this alike, and most alike unmoved, are not looked for farther off
GAIN = (0.6, 1.7)  # how far exposure may drift; beyond, light was switched and nothing is comparable
FLOOR = 18.0  # grey levels; coding noise of JPEG quality 50 stays below after the blur
NOISE = 6.0  # standard deviations of noise that make a change


class Pictures(Protocol):
    """Frames by index, H x W x 3 uint8 BGR, all of one size."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, index: int) -> Picture:
        """Return one."""
        ...


@dataclass(frozen=True)
class Scene:
    """A chunk made comparable.

    Attributes:
        frames: N x H x W x 3 uint8 BGR, blurred slightly.
        times_s: N float seconds, ascending.
        threshold: Grey levels by which two frames must differ to show different things.
        seen: H x W, False where a steadied frame has no pixels.
    """

    frames: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    threshold: float
    seen: Mask

    @property
    def step_s(self) -> float:
        """Return the usual time between frames, in seconds."""
        return float(np.median(np.diff(self.times_s))) if len(self.times_s) > 1 else 0.0

    def differing(self, index: int, other: Picture) -> Mask:
        """Return where frame `index` shows something other than a picture, H x W."""
        return differs(self.frames[index], other, self.threshold) & self.seen


def differs(one: Picture, other: Picture, threshold: float) -> Mask:
    """Return where two pictures differ in any channel by more than a threshold in grey levels, H x W."""
    blue, green, red = cv2.split(cv2.absdiff(one, other))
    return np.asarray(cv2.max(cv2.max(blue, green), red) > threshold)


def scene_of(frames: Pictures, times_s: NDArray[np.float64]) -> Scene:
    """Return a chunk of at least one frame made comparable; raises what the frames raise."""
    count = len(frames)
    picks = sorted({round(i) for i in np.linspace(0, count - 1, min(count, MAX_FRAMES))})
    small = [_small(frames[i]) for i in picks]
    reference = small[len(small) // 2]
    shifts = _shifts(small, reference)
    seen = np.ones(reference.shape[:2], bool)
    steadied = []
    for picture, (dx, dy) in zip(small, shifts, strict=True):
        steadied.append(_moved(picture, dx, dy, seen))
    middle = np.median(np.stack(steadied[:: max(1, len(steadied) // 9)]), axis=0).astype(np.uint8)
    even = np.stack([_exposed(picture, middle) for picture in steadied])
    return Scene(even, np.asarray(times_s, float)[picks], _threshold(even), seen)


def _small(picture: Picture) -> Picture:
    scale = LONG_SIDE_PX / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), np.uint8)


def _shifts(small: list[Picture], reference: Picture) -> list[tuple[float, float]]:
    """Return by how many pixels each picture lies off the reference, zero where that cannot be told."""
    fixed = _edges(reference)
    return [_shift(_edges(picture), fixed) for picture in small]


def _edges(picture: Picture) -> Levels:
    """Return where edges are, H x W uint8, capped: many weak edges of the ground outvote the strong ones of who moves."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(
        np.minimum(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), EDGE), np.uint8
    )


def _shift(grey: Levels, fixed: Levels) -> tuple[float, float]:
    """Search at half size, then around the best place at full size; what moves by itself hardly counts in the whole."""
    reach = max(2, round(SHAKE * max(fixed.shape) / 2))
    if min(fixed.shape) < 8 * reach:
        return 0.0, 0.0
    (_, unmoved), (dx, dy) = _best(grey, fixed, FINE_PX, (0, 0))
    if unmoved > STILL and np.hypot(dx, dy) < SETTLED_PX:
        return 0.0, 0.0  # a mount that does not move, as nearly all: two thirds of the search are spared
    half, fixed_half = (np.ascontiguousarray(p[::2, ::2]) for p in (grey, fixed))
    _, (dx, dy) = _best(half, fixed_half, reach, (0, 0))
    (gained, unmoved), (dx, dy) = _best(grey, fixed, FINE_PX, (2 * dx, 2 * dy))
    far = np.hypot(dx, dy)
    steadier = 1 - gained < CLEARER * (1 - unmoved)
    return (float(dx), float(dy)) if steadier and SETTLED_PX < far < 2 * reach else (0.0, 0.0)


def _best(
    grey: Levels, fixed: Levels, reach: int, about: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the best correlation and the one unmoved, and the shift of the best, within `reach` pixels of a place."""
    height, width = fixed.shape
    ax, ay = round(about[0]), round(about[1])
    mx, my = reach + abs(ax), reach + abs(ay)
    core = fixed[my : height - my, mx : width - mx]
    around = grey[my + ay - reach : height - my + ay + reach, mx + ax - reach : width - mx + ax + reach]
    scores = np.asarray(cv2.matchTemplate(around, core, cv2.TM_CCOEFF_NORMED), np.float32)
    y, x = np.unravel_index(int(np.argmax(scores)), scores.shape)
    unmoved = cv2.matchTemplate(grey[my : height - my, mx : width - mx], core, cv2.TM_CCOEFF_NORMED)[0, 0]
    dx = x - reach + ax + _between(scores[y], int(x))
    dy = y - reach + ay + _between(scores[:, x], int(y))
    return (float(scores[y, x]), float(unmoved)), (float(dx), float(dy))


def _between(scores: NDArray[np.float32], best: int) -> float:
    """Return by what part of a pixel the top of a parabola through the best score and its neighbours lies off."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    before, here, after = (float(v) for v in scores[best - 1 : best + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _moved(picture: Picture, dx: float, dy: float, seen: Mask) -> Picture:
    """Return a picture moved back by a shift; pixels it does not have are struck from `seen`."""
    if dx == 0.0 and dy == 0.0:
        return picture
    height, width = picture.shape[:2]
    back = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    ys, xs = int(np.ceil(abs(dy))), int(np.ceil(abs(dx)))
    seen[: ys if dy < 0 else 0] = False
    seen[height - ys if dy > 0 else height :] = False
    seen[:, : xs if dx < 0 else 0] = False
    seen[:, width - xs if dx > 0 else width :] = False
    return np.asarray(
        cv2.warpAffine(picture, back, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _exposed(picture: Picture, middle: Picture) -> Picture:
    """Return a picture at the exposure of another: each channel by the median ratio, which objects hardly move."""
    ours, wanted = picture[::4, ::4].reshape(-1, 3), middle[::4, ::4].reshape(-1, 3)
    usable = ((ours > 20) & (ours < 235) & (wanted > 20) & (wanted < 235)).all(axis=1)
    if np.count_nonzero(usable) < 0.2 * len(ours):
        return picture
    gains = np.median(wanted[usable].astype(np.float64) / ours[usable], axis=0)
    if not ((gains > GAIN[0]) & (gains < GAIN[1])).all():
        return picture
    levels = np.clip(np.arange(256)[:, None] * gains + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, levels[None]), np.uint8)


def _threshold(frames: NDArray[np.uint8]) -> float:
    """Return the grey levels that noise does not reach, from what changes between neighbouring frames."""
    if len(frames) < 2:
        return FLOOR
    pairs = range(0, len(frames) - 1, max(1, len(frames) // 8))
    steps = [cv2.absdiff(frames[i], frames[i + 1])[::2, ::2, 1] for i in pairs]
    sigma = 1.4826 * float(np.median([np.percentile(step, 60) for step in steps])) / np.sqrt(2)
    return float(max(FLOOR, NOISE * sigma))
