"""What is drawn into a simulated camera's picture: people, vehicles, flames, and the yard they are in. Knows no plan and no clock.

Lengths and places are shares of the picture's height, y downwards; times are seconds of an act.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from extension.sources.rtsp.streams import Picture

Course = Sequence[tuple[float, float]]
"""A measure over time: (seconds, value), ascending; even between two entries, standing before the first and after the last."""

Colour = tuple[int, int, int]
"""Red, green, blue."""

WALL_ENDS: Final = 0.30
_ROAD: Final = (0.70, 0.92)
_LEGS, _TRUNK, _HEAD = 0.48, 0.34, 0.07
"""Shares of a body's height, the head as a radius; together with the neck they are the whole."""

_TONGUES: Final = 10
_NOISE: Final = 3.0
"""Grey levels, standard deviation: a cheap sensor by daylight."""

_ROLL_PX: Final = 61
"""By how much the noise may be rolled; a prime, so that it comes again late."""


def at(course: Course, seconds: float) -> float:
    """The measure at a time."""
    times, values = zip(*course, strict=True)
    return float(np.interp(seconds, times, values))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on two legs.

    Attributes:
        x: Of the feet.
        feet: Where they stand, y.
        tall: Height.
        lean: Degrees that the body leans from upright about the feet, to the right.
        bend: Degrees that the trunk leans further at the hips.
        shirt: Colour.
        step: Paces per second while walking.
    """

    x: Course
    feet: float
    tall: float
    lean: Course = ((0.0, 0.0),)
    bend: Course = ((0.0, 0.0),)
    shirt: Colour = (170, 60, 50)
    step: float = 1.8

    def paint(self, picture: Picture, seconds: float) -> None:
        """Draw legs, trunk, arms and head."""
        tall = self.tall * picture.shape[0]
        lean, bend = at(self.lean, seconds), at(self.bend, seconds)
        moving = abs(at(self.x, seconds + 0.1) - at(self.x, seconds - 0.1)) > 1e-4  # noqa: PLR2004 - stands
        swing = 0.11 * tall * math.sin(2 * math.pi * self.step * seconds) if moving and lean == 0 else 0.0
        feet = at(self.x, seconds) * picture.shape[0], self.feet * picture.shape[0]
        hips = _from(feet, lean, _LEGS * tall)
        neck = _from(hips, lean + bend, _TRUNK * tall)
        thick = max(2, round(0.085 * tall))
        across = 0.04 * tall * math.cos(math.radians(lean)), 0.04 * tall * math.sin(math.radians(lean))
        for side in (-1, 1):
            foot = feet[0] + side * (across[0] + swing), feet[1] + side * across[1]
            _line(picture, foot, hips, (45, 45, 60), thick)
        _line(picture, hips, neck, self.shirt, round(2.3 * thick))
        hand = _from(neck, lean + bend + 165 + 40 * swing / tall, 0.3 * tall)
        _line(picture, neck, hand, self.shirt, thick)
        head = _from(neck, lean + bend, (_HEAD + 0.03) * tall)
        cv2.circle(picture, _pixel(head), max(2, round(_HEAD * tall)), (190, 150, 125), -1, cv2.LINE_AA)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A van seen from the side.

    Attributes:
        x: Of its middle.
        y: Of its middle.
        length: From bumper to bumper.
        height: From the road to the roof.
        colour: Of its body.
    """

    x: Course
    y: float
    length: float
    height: float
    colour: Colour

    def paint(self, picture: Picture, seconds: float) -> None:
        """Draw body, windows and wheels."""
        scale = picture.shape[0]
        x, y = at(self.x, seconds) * scale, self.y * scale
        half, up = self.length * scale / 2, self.height * scale / 2
        _box(picture, (x - half, y - up), (x + half, y + 0.7 * up), self.colour)
        _box(picture, (x - 0.7 * half, y - 0.7 * up), (x + 0.7 * half, y - 0.1 * up), (40, 50, 60))
        for side in (-0.6, 0.6):
            cv2.circle(
                picture, _pixel((x + side * half, y + 0.65 * up)), max(2, round(0.35 * up)), (25, 25, 25), -1
            )


@dataclass(frozen=True, slots=True)
class Flames:
    """A fire at one place.

    Attributes:
        x: Of its foot.
        y: Of its foot.
        size: Height of its tallest tongues over time; nothing burns at 0.
        seed: Of its flicker.
    """

    x: float
    y: float
    size: Course
    seed: int

    def paint(self, picture: Picture, seconds: float) -> None:
        """Draw tongues of fire, other ones at each instant."""
        size = at(self.size, seconds) * picture.shape[0]
        if size <= 0:
            return
        chance = np.random.default_rng((self.seed, round(seconds * 1000)))
        x, y = self.x * picture.shape[0], self.y * picture.shape[0]
        for tongue, aside, tilt, hot in chance.uniform(0, 1, (_TONGUES, 4)):
            tall = size * (0.35 + 0.65 * tongue)
            middle = x + size * 0.8 * (aside - 0.5), y - 0.5 * tall
            colour = (int(230 + 25 * hot), int(110 + 120 * hot), int(15 + 70 * hot))
            axes = max(1, round(0.17 * size)), max(1, round(0.5 * tall))
            cv2.ellipse(picture, _pixel(middle), axes, 30 * (tilt - 0.5), 0, 360, colour, -1, cv2.LINE_AA)


Figure = Person | Vehicle | Flames


class Yard:
    """A wall with doors, a floor and a road before it, as a camera with a noisy sensor sees them.

    Args:
        size: Width and height, pixels.
        chance: What it looks like.
    """

    def __init__(self, size: tuple[int, int], chance: np.random.Generator) -> None:
        self._ground = _ground(size, chance)
        width, height = size
        noise = chance.normal(0, _NOISE, (height + _ROLL_PX, width + _ROLL_PX, 3))
        self._lighter = np.clip(noise, 0, 255).astype(np.uint8)
        self._darker = np.clip(-noise, 0, 255).astype(np.uint8)

    def empty(self) -> Picture:
        """The yard without anybody, shape (height, width, 3) uint8, RGB; the caller's own."""
        return self._ground.copy()

    def exposed(self, picture: Picture, gain: float, roll: int) -> Picture:
        """The picture as the sensor takes it: brighter by a factor, with noise that differs from `roll` to `roll`."""
        height, width = picture.shape[:2]
        top, left = roll * 17 % _ROLL_PX, roll * 29 % _ROLL_PX
        here = np.s_[top : top + height, left : left + width]
        taken = cv2.convertScaleAbs(picture, alpha=gain)
        return np.asarray(cv2.subtract(cv2.add(taken, self._lighter[here]), self._darker[here]), np.uint8)


def _ground(size: tuple[int, int], chance: np.random.Generator) -> Picture:
    width, height = size
    picture: Picture = np.empty((height, width, 3), np.uint8)
    picture[:] = chance.integers(100, 145) + chance.integers(-12, 13, 3)
    picture[: round(WALL_ENDS * height)] = chance.integers(130, 180) + chance.integers(-12, 13, 3)
    for x in chance.uniform(0, width, 3):
        low, high = (x, 0.06 * height), (x + 0.1 * height, WALL_ENDS * height)
        _box(picture, low, high, _any_colour(chance, 60, 190))
    top, bottom = (round(share * height) for share in _ROAD)
    picture[top:bottom] = int(chance.integers(70, 95))
    for x in range(0, width, max(8, width // 12)):
        cv2.line(
            picture, (x, (top + bottom) // 2), (x + width // 30, (top + bottom) // 2), (205, 205, 200), 1
        )
    for x, y in zip(chance.uniform(0, width, 50), chance.uniform(WALL_ENDS, _ROAD[0], 50), strict=True):
        spot = max(1, round(height * chance.uniform(0.004, 0.012)))
        cv2.circle(picture, _pixel((x, y * height)), spot, _any_colour(chance, 70, 150), -1)
    coarse = chance.normal(0, 8, (height // 8 + 1, width // 8 + 1)).astype(np.float32)
    uneven = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    ground: Picture = np.clip(picture + uneven, 0, 255).astype(np.uint8)
    return ground


def _any_colour(chance: np.random.Generator, low: int, high: int) -> Colour:
    red, green, blue = (int(value) for value in chance.integers(low, high, 3))
    return red, green, blue


def _from(place: tuple[float, float], lean_degrees: float, length: float) -> tuple[float, float]:
    lean = math.radians(lean_degrees)
    return place[0] + length * math.sin(lean), place[1] - length * math.cos(lean)


def _pixel(place: tuple[float, float]) -> tuple[int, int]:
    return round(place[0]), round(place[1])


def _line(
    picture: Picture, one: tuple[float, float], other: tuple[float, float], colour: Colour, thick: int
) -> None:
    cv2.line(picture, _pixel(one), _pixel(other), colour, thick, cv2.LINE_AA)


def _box(picture: Picture, low: tuple[float, float], high: tuple[float, float], colour: Colour) -> None:
    cv2.rectangle(picture, _pixel(low), _pixel(high), colour, -1)
