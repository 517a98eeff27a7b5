"""What richer levels of abstraction add to a replay view: walls and a grid, arrows, fading trails; and views by lot at such a level."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vlm_server.drawn_views import Colour, View, light, positions, random_view

LEVELS = ("simplified", "full")
TONES: tuple[Colour, ...] = (
    (180, 119, 31), (65, 69, 214), (74, 140, 44), (173, 68, 142), (0, 104, 196), (150, 138, 22),
    (50, 74, 120), (133, 61, 196), (160, 80, 70), (30, 130, 110), (110, 100, 90), (50, 50, 170),
)  # fmt: skip
FADES = (0.78, 0.62, 0.46, 0.3)
TRAIL_POINTS = 16
LOOK_S = 0.25
STILL = 0.1  # radii in half a second; what moves less heads nowhere
FINE = 16


def level_view(seed: int, level: str, *, dark: bool, **fixed: Any) -> View:
    """Return a view by lot as a level draws it: coloured discs, white numbers, a clock in a box."""
    rng = np.random.default_rng([seed, 17])
    width, height = ((480, 270), (532, 280), (640, 360), (854, 480))[seed % 4]
    numbers = fixed.get("numbers") or tuple(str(n + 1) for n in range(int(rng.integers(2, 15))))
    chosen = {
        "width": width,
        "height": height,
        "radius": 0.032 * height,
        "numbers": numbers,
        "fills": tuple(TONES[n % len(TONES)] for n in range(len(numbers))),
        "ground_colour": (32, 26, 24) if dark else (229, 229, 229),
        "ground": "flat",
        "font": "default",
        "glyph": 1.3,
        "ring": None,
        "smooth": True,
        "clock": "box",
        "corner": 3,
        "badge": False,
        "border": False,
        "quality": 90,
        "seconds": 4.0,
        "speed": 1.0,
        "level": level,
    }
    return random_view(seed, **{**chosen, **fixed})


def draw_place(image: NDArray[np.uint8], view: View) -> None:
    """Draw walls with a light grid inside, on ground that is a shade off outside."""
    height, width = image.shape[:2]
    left, top, right, bottom = width // 14, 2, width - width // 14, height - height // 7
    inside = image[top:bottom, left:right].copy()
    image[:] = (image * 0.94).astype(np.uint8)
    image[top:bottom, left:right] = inside
    ink = 255 if light(view.ground_colour) < 128 else 0
    grid, wall = (_mixed(view.ground_colour, (ink,) * 3, share) for share in (0.07, 0.45))
    step = max(26, height // 8)
    for x in range(left + step // 3, right, step):
        cv2.line(image, (x, top), (x, bottom), grid, 1, cv2.LINE_AA)
    for y in range(top + step // 3, bottom, step):
        cv2.line(image, (left, y), (right, y), grid, 1, cv2.LINE_AA)
    cv2.rectangle(image, (left, top), (right, bottom), wall, max(1, round(height / 180)), cv2.LINE_AA)


def draw_trails(image: NDArray[np.uint8], view: View, at_s: float) -> None:
    """Draw where every disc was in the last seconds, paler the longer ago; `trail_s` reaches back before the start too."""
    times = np.maximum(np.linspace(at_s - view.trail_s, at_s, TRAIL_POINTS + 1), 0)
    ways = np.round(np.stack([positions(view, t) for t in times], axis=1) * FINE).astype(np.int32)
    thick = max(1, round(0.22 * view.radius))
    part = TRAIL_POINTS // len(FADES)
    for fill, way in zip(view.fills, ways, strict=True):
        for index, share in enumerate(FADES):
            line = way[index * part : (index + 1) * part + 1]
            colour = _mixed(fill, view.ground_colour, share)
            cv2.polylines(image, [line], isClosed=False, color=colour, thickness=thick, lineType=cv2.LINE_AA, shift=4)  # fmt: skip


def draw_arrow(
    image: NDArray[np.uint8],
    centre: NDArray[np.float64],
    ahead: NDArray[np.float64],
    radius: float,
    colour: Colour,
) -> None:
    """Draw a small triangle ahead of a disc, just outside; `ahead` is a unit vector."""
    beside = np.array([-ahead[1], ahead[0]])
    corners = [
        centre + radius * (far * ahead + wide * beside)
        for far, wide in ((1.8, 0.0), (1.14, 0.32), (1.14, -0.32))
    ]
    cv2.fillConvexPoly(image, np.round(np.array(corners) * FINE).astype(np.int32), colour, cv2.LINE_AA, 4)


def headings(view: View, at_s: float) -> NDArray[np.float64]:
    """Return unit vectors N x 2 of where the discs are going; zero for those that stand."""
    way = positions(view, min(at_s + LOOK_S, view.seconds)) - positions(view, max(at_s - LOOK_S, 0.0))
    length = np.hypot(*way.T)[:, None]
    return np.asarray(np.where(length < STILL * view.radius, 0.0, way / np.maximum(length, 1e-9)))


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return blue, green, red
