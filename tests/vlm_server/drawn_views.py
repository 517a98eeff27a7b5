"""Random replay views with known truth: where every numbered disc is, and which of them overlap when.

A view is a value; positions are exact, so the contacts are arithmetic.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
FONTS = [
    str(f)
    for f in sorted(Path("/usr/share/fonts/truetype/dejavu").glob("DejaVu*.ttf"))
    if "TeX" not in f.name
]
HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
SIZES = ((480, 270), (532, 280), (640, 360), (854, 480), (960, 540), (1280, 720), (1920, 1080))
PALETTE: tuple[Colour, ...] = (
    (0, 0, 0), (40, 40, 200), (200, 60, 40), (40, 150, 40), (200, 30, 160), (20, 120, 220),
    (120, 120, 0), (90, 30, 90), (60, 60, 60), (230, 160, 30), (240, 240, 240), (60, 220, 220),
)  # fmt: skip
SAMPLE_S = 0.2  # between two entries of a log


@dataclass(frozen=True)
class View:
    """One replay view; colours are BGR, lengths in pixels, times in seconds."""

    seed: int
    width: int
    height: int
    radius: float
    numbers: tuple[str, ...]
    fills: tuple[Colour, ...]
    font: str = "default"
    glyph: float = 1.25  # text height in radii
    ring: Colour | None = None
    smooth: bool = True  # sub-pixel drawing; whole pixels otherwise
    ground: str = "flat"  # flat, gradient, grid, texture
    ground_colour: Colour = (228, 228, 228)
    clock: str = "box"  # box, plain, dated, none
    corner: int = 3  # 0 top left, 1 top right, 2 bottom left, 3 bottom right
    clock_over: bool = True  # the clock hides discs; otherwise discs are drawn over it
    badge: bool = False
    border: bool = False
    speed: float = 1.0
    stale: int = 0  # first frames that still show another time
    codec: str = "jpeg"
    quality: int = 85
    fps: float = 12.0
    seconds: float = 8.0
    start_clock_s: int = 0
    replay_speed: float = 1.0
    level: str = "abstract"  # abstract; simplified: walls, grid and arrows; full: trails as well
    trail_s: float = 4.0  # how far trails reach back
    jitter: float = 0.0  # radii; standard deviation of the error of positions, five times a second
    note: str = ""


@dataclass(frozen=True)
class Contact:
    """Two numbers that overlap over a span; `sure` is False where a reader may answer either way."""

    pair: tuple[str, str]
    start_s: float
    end_s: float
    sure: bool = True


def light(colour: Colour) -> float:
    """Return the perceived lightness, 0 to 255."""
    return 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]


def random_view(seed: int, **fixed: Any) -> View:
    """Return a view drawn by lot from all variations; `fixed` fields are set afterwards."""
    rng = np.random.default_rng(seed)
    width, height = SIZES[rng.choice(len(SIZES), p=[0.2, 0.25, 0.2, 0.13, 0.12, 0.07, 0.03])]
    radius = float(
        np.clip(rng.choice([6, 7, 8, 8, 10, 12, 14, 18]) * rng.uniform(0.95, 1.1) * height / 300, 6, 60)
    )
    room = int(width * height / (np.pi * radius**2) / 14)
    count = int(min(rng.choice([2, 3, 4, 4, 5, 6, 8, 12, 16, 20]), max(2, room)))
    upper = 10 if radius < 7 or rng.random() < 0.5 else 100
    numbers = tuple(str(n) for n in rng.choice(upper, size=min(count, upper), replace=False))
    dark_ground = rng.random() < 0.35
    base = rng.integers(10, 60) if dark_ground else rng.integers(190, 250)
    ground_colour: Colour = tuple(int(np.clip(base + d, 0, 255)) for d in rng.integers(-8, 9, 3))  # type: ignore[assignment]  # three of them
    usable = [c for c in PALETTE if abs(light(c) - light(ground_colour)) > 60]
    if rng.random() < 0.5:
        fills = (usable[rng.integers(len(usable))],) * len(numbers)
    else:
        fills = tuple(usable[i] for i in rng.integers(len(usable), size=len(numbers)))
    ring = None
    if rng.random() < 0.25:
        ring = (255, 255, 255) if dark_ground else (0, 0, 0)
    fonts = [*FONTS, "default", "default", *(f"cv{h}" for h in HERSHEY), "face:sans", "face:serif"]
    view = View(
        seed=seed, width=width, height=height, radius=radius, numbers=numbers, fills=fills,
        font=fonts[rng.integers(len(fonts))], glyph=float(rng.uniform(1.05, 1.4)), ring=ring,
        smooth=bool(rng.random() < 0.7), ground=str(rng.choice(["flat", "flat", "gradient", "grid", "texture"])),
        ground_colour=ground_colour, clock=str(rng.choice(["box", "box", "plain", "dated", "none"])),
        corner=int(rng.integers(4)), clock_over=bool(rng.random() < 0.6), badge=bool(rng.random() < 0.4),
        border=bool(rng.random() < 0.3), speed=float(rng.uniform(0.5, 1.6)), codec="jpeg" if rng.random() < 0.7 else "h264",
        quality=int(rng.integers(50, 96)), fps=float(rng.choice([10, 12, 15])), start_clock_s=int(rng.integers(0, 80000)),
        replay_speed=float(rng.choice([1, 3])),
    )  # fmt: skip
    return replace(view, **fixed)


def times_of(view: View) -> NDArray[np.float64]:
    """Return the times of all frames."""
    return np.arange(round(view.seconds * view.fps)) / view.fps


@lru_cache(maxsize=4)
def _routes(view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return way times K and way points K x N x 2; some legs are meetings, near misses and stops."""
    rng = np.random.default_rng(view.seed + 7)
    count, radius = len(view.numbers), view.radius
    legs = max(2, round(view.seconds / 1.6) + 1)
    knots = np.linspace(0, view.seconds, legs)
    margin = radius * 0.8
    reach = view.speed * radius * 9 * (knots[1] - knots[0]) / 1.6
    points = np.zeros((legs, count, 2))
    low, high = np.array([margin, margin]), np.array([view.width - margin, view.height - margin])
    points[0] = rng.uniform(low, high, (count, 2))
    for leg in range(1, legs):
        step = rng.normal(0, reach * 0.6, (count, 2))
        step[rng.random(count) < 0.15] = 0
        points[leg] = np.clip(points[leg - 1] + step, low, high)
        if rng.random() < 0.75:
            one, two = rng.choice(count, 2, replace=False)
            angle, gap = rng.uniform(0, 2 * np.pi), rng.choice([0.1, 0.6, 1.2, 1.6, 2.15, 2.3]) * radius
            points[leg, two] = points[leg, one] + gap * np.array([np.cos(angle), np.sin(angle)])
            points[leg, two] = np.clip(points[leg, two], low, high)
    return knots, points


def positions(view: View, at_s: float) -> NDArray[np.float64]:
    """Return the centres N x 2 at a time; motion eases in and out of every way point."""
    knots, points = _routes(view)
    leg = int(np.clip(np.searchsorted(knots, at_s, side="right") - 1, 0, len(knots) - 2))
    part = np.clip((at_s - knots[leg]) / (knots[leg + 1] - knots[leg]), 0, 1)
    eased = 0.5 * part + 0.5 * part * part * (3 - 2 * part)
    return np.asarray(points[leg] * (1 - eased) + points[leg + 1] * eased + _error(view, at_s))


@lru_cache(maxsize=4)
def _errors(view: View) -> NDArray[np.float64]:
    """Return the errors of positions, one per sample of the log: K x N x 2."""
    rng = np.random.default_rng(view.seed + 11)
    count = int(view.seconds / SAMPLE_S) + 2
    return rng.normal(0, view.jitter * view.radius, (count, len(view.numbers), 2))


def _error(view: View, at_s: float) -> NDArray[np.float64] | float:
    if view.jitter == 0:
        return 0.0
    sample, part = divmod(at_s / SAMPLE_S, 1)
    errors = _errors(view)
    before = min(int(sample), len(errors) - 2)
    return np.asarray(errors[before] * (1 - part) + errors[before + 1] * part)


def truth(view: View) -> list[Contact]:
    """Return all contacts; grazing or very short ones are not sure."""
    fine = np.arange(0, view.seconds, 0.02)
    seen = times_of(view)
    where = np.array([positions(view, t) for t in fine])
    limit = 2 * view.radius
    found = []
    for i, j in itertools.combinations(range(len(view.numbers)), 2):
        gap = np.hypot(*(where[:, i] - where[:, j]).T)
        for start, end in runs(gap < limit * 1.02):
            start_s, end_s = fine[start], fine[end - 1] + 0.02
            deep = gap[start:end].min() < limit * 0.92
            inside = [t for t in seen if start_s <= t < end_s and np.interp(t, fine, gap) < limit * 0.94]
            late = start_s > seen[-1] - 0.15 or end_s < seen[min(view.stale + 1, len(seen) - 1)] + 0.15
            sure = deep and len(inside) >= 2 and not late and not _hidden(view, where[start:end, [i, j]])
            pair = tuple(sorted((view.numbers[i], view.numbers[j]), key=int))
            found.append(Contact((pair[0], pair[1]), float(start_s), float(end_s), sure=sure))
    return found


def _hidden(view: View, places: NDArray[np.float64]) -> bool:
    """Whether a contact (T x 2 x 2 centres) is mostly under the clock or about to leave the picture."""
    if not view.clock_over or view.clock == "none":
        return False
    long, tall = view.height / 22 * (14 if view.clock == "dated" else 7), view.height / 22 * 2.2
    x, y = places[..., 0], places[..., 1]
    beside = x < long + view.radius if view.corner % 2 == 0 else x > view.width - long - view.radius
    level = y < tall + view.radius if view.corner < 2 else y > view.height - tall - view.radius
    return bool((beside & level).mean() > 0.4)


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return half-open index spans where the flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
