"""Drawn camera scenes: a textured room or road, people, boxes on wheels, flames and smoke, and what disturbs a camera.

Every scene is a list of frames (H x W x 3 uint8 BGR) and their times; everything falls by the given generator's chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
Motion = Callable[[float], float]
"""A measure by seconds."""


@dataclass(frozen=True)
class Scene:
    """What a request would show."""

    frames: list[Picture]
    times_s: list[float]


@dataclass(frozen=True)
class Pose:
    """A person at one moment.

    Attributes:
        x: Of the feet, pixels.
        y: Of the feet, pixels.
        lean: Degrees that the whole body leans from upright about the feet.
        bend: Degrees that the trunk leans forward at the hips.
        crouch: Share of the legs' length that the hips are lowered by.
    """

    x: float
    y: float
    lean: float = 0.0
    bend: float = 0.0
    crouch: float = 0.0


def times(seconds: float, fps: float = 5.0) -> list[float]:
    """Times of the frames of a chunk."""
    return [round(i / fps, 3) for i in range(round(seconds * fps))]


def ramp(start_s: float, length_s: float, low: float, high: float) -> Motion:
    """A measure that goes evenly from one value to another within some seconds."""
    return lambda t: float(np.interp(t, [start_s, start_s + length_s], [low, high]))


def room(chance: np.random.Generator, size: tuple[int, int] = (640, 360)) -> Picture:
    """A wall, a patterned floor and a door."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = chance.integers(120, 190, 3)
    picture[round(0.55 * height) :] = chance.integers(80, 150, 3)
    for _ in range(60):
        at = int(chance.integers(width)), int(chance.integers(round(0.56 * height), height))
        cv2.circle(picture, at, int(chance.integers(2, max(3, width // 60))), _colour(chance, 70, 160), -1)
    x = int(chance.integers(width))
    cv2.rectangle(
        picture,
        (x, round(0.15 * height)),
        (x + width // 8, round(0.55 * height)),
        _colour(chance, 60, 200),
        -1,
    )
    return _uneven(chance, picture)


def road(chance: np.random.Generator, size: tuple[int, int] = (640, 360)) -> Picture:
    """Asphalt from above, with marks."""
    width, height = size
    picture = np.full((height, width, 3), int(chance.integers(70, 130)), np.uint8)
    for i in range(6):
        x = round((i + 0.5) * width / 6)
        cv2.line(picture, (x, 0), (x - width // 20, height // 12), (220, 220, 220), max(1, width // 200))
    return _uneven(chance, picture)


def _uneven(chance: np.random.Generator, picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    coarse = chance.normal(0, 9, (height // 8 + 1, width // 8 + 1, 1)).astype(np.float32)
    broad = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(picture + broad + chance.normal(0, 4, (height, width, 1)), 0, 255).astype(np.uint8)


def _colour(chance: np.random.Generator, low: int, high: int) -> Colour:
    blue, green, red = (int(v) for v in chance.integers(low, high, 3))
    return blue, green, red


def people(
    ground: Picture,
    at_s: list[float],
    tall: float,
    moves: list[Callable[[float], Pose]],
    shirt: Colour = (60, 40, 150),
) -> Scene:
    """People of a height in pixels on a ground."""
    frames = []
    for t in at_s:
        frame = ground.copy()
        for move in moves:
            _person(frame, move(t), tall, shirt, phase=t)
        frames.append(frame)
    return Scene(frames, at_s)


def _person(frame: Picture, pose: Pose, tall: float, shirt: Colour, phase: float) -> None:
    """Draw legs, trunk, arm and head; `phase` swings the legs of those who walk."""
    lean = np.radians(pose.lean)
    legs, trunk, head = 0.47 * tall * (1 - pose.crouch), 0.36 * tall, 0.085 * tall
    feet = np.array([pose.x, pose.y])
    up = np.array([np.sin(lean), -np.cos(lean)])
    along = np.radians(pose.lean + pose.bend)
    trunk_up = np.array([np.sin(along), -np.cos(along)])
    hips = feet + legs * up
    neck = hips + trunk * trunk_up
    thick = max(2, round(0.09 * tall))
    for side in (-1, 1):
        foot = feet + side * 0.05 * tall * np.array([np.cos(lean), np.sin(lean)])
        _line(frame, foot, hips, (40, 35, 30), thick)
    _line(frame, hips, neck, shirt, round(2.2 * thick))
    _line(
        frame,
        neck,
        neck - 0.3 * tall * trunk_up + 0.08 * tall * np.array([1.0, 0.1 * np.sin(6 * phase)]),
        shirt,
        thick,
    )
    middle = neck + 1.1 * head * trunk_up
    cv2.circle(
        frame, (round(float(middle[0])), round(float(middle[1]))), round(head), (60, 90, 140), -1, cv2.LINE_AA
    )


def _line(
    frame: Picture, one: NDArray[np.float64], other: NDArray[np.float64], colour: Colour, thick: int
) -> None:
    ends = [(round(float(p[0])), round(float(p[1]))) for p in (one, other)]
    cv2.line(frame, ends[0], ends[1], colour, thick, cv2.LINE_AA)


@dataclass(frozen=True)
class Car:
    """A box on wheels seen from above: its centre over time, its length and width in pixels."""

    x: Motion
    y: Motion
    length: float
    colour: Colour
    upright: bool = False


def cars(ground: Picture, at_s: list[float], moving: list[Car]) -> Scene:
    """Boxes on a ground."""
    frames = []
    for t in at_s:
        frame = ground.copy()
        for car in moving:
            half = np.array([car.length, 0.45 * car.length]) / 2
            half = half[::-1] if car.upright else half
            x, y = car.x(t), car.y(t)
            _box(frame, x, y, half, car.colour)
            _box(frame, x, y, 0.5 * half, (50, 45, 40))
        frames.append(frame)
    return Scene(frames, at_s)


def _box(frame: Picture, x: float, y: float, half: NDArray[np.float64], colour: Colour) -> None:
    low, high = ((round(x + s * float(half[0])), round(y + s * float(half[1]))) for s in (-1, 1))
    cv2.rectangle(frame, low, high, colour, -1)


def flames(
    ground: Picture, at_s: list[float], chance: np.random.Generator, size: float, from_s: float = 0.0
) -> Scene:
    """Tongues of fire of about a size in pixels at one place, from a time on."""
    height, width = ground.shape[:2]
    x, y = width * chance.uniform(0.3, 0.7), height * chance.uniform(0.5, 0.8)
    frames = []
    for t in at_s:
        frame = ground.copy()
        for _ in range(9 if t >= from_s else 0):
            tongue = size * chance.uniform(0.3, 1.0)
            at = (round(x + size * chance.uniform(-0.4, 0.4)), round(y - 0.5 * tongue))
            colour = (
                int(chance.integers(10, 90)),
                int(chance.integers(110, 230)),
                int(chance.integers(225, 255)),
            )
            axes = (max(1, round(0.18 * size)), max(1, round(0.5 * tongue)))
            cv2.ellipse(frame, at, axes, float(chance.uniform(-15, 15)), 0, 360, colour, -1, cv2.LINE_AA)
        frames.append(frame)
    return Scene(frames, at_s)


def lamp(ground: Picture, at_s: list[float], size: float, hertz: float) -> Scene:
    """An orange beacon that goes on and off."""
    height, width = ground.shape[:2]
    frames = []
    for t in at_s:
        frame = ground.copy()
        on = np.sin(2 * np.pi * hertz * t + 0.7) > 0
        cv2.circle(frame, (width // 2, height // 2), round(size), (30, 150, 250) if on else (20, 70, 110), -1)
        frames.append(frame)
    return Scene(frames, at_s)


def smoke(ground: Picture, at_s: list[float], chance: np.random.Generator, from_s: float = 1.0) -> Scene:
    """Grey puffs that rise from one place, spread and thin out."""
    height, width = ground.shape[:2]
    x, y = width * chance.uniform(0.3, 0.7), 0.8 * height
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    puffs = [(from_s + 0.25 * i, chance.uniform(-0.03, 0.03), chance.uniform(0.8, 1.2)) for i in range(60)]
    frames = []
    for t in at_s:
        veil = np.zeros((height, width), np.float32)
        for born_s, drift, strength in puffs:
            age_s = t - born_s
            if age_s > 0:
                spread = width * (0.02 + 0.01 * age_s)
                px, py = x + drift * width * age_s, y - 0.08 * height * age_s
                veil += strength * 0.5 * np.exp(-((xs - px) ** 2 + (ys - py) ** 2) / (2 * spread**2))
        alpha = (1 - np.exp(-veil))[..., None]
        frames.append(np.clip(ground * (1 - alpha) + 205 * alpha, 0, 255).astype(np.uint8))
    return Scene(frames, at_s)


def disturbed(
    scene: Scene,
    chance: np.random.Generator,
    noise: float = 2.0,
    light: float = 0.0,
    shake_px: int = 0,
    quality: int = 80,
) -> Scene:
    """A scene as a camera sends it: noise, drift of exposure (share), shake (pixels) and JPEG."""
    frames = []
    for i, frame in enumerate(scene.frames):
        gain = 1 + light * (i / max(1, len(scene.frames) - 1) - 0.5)
        shift = tuple(int(v) for v in chance.integers(-shake_px, shake_px + 1, 2))
        height, width = frame.shape[:2]
        moved = cv2.warpAffine(
            frame,
            np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32),
            (width, height),
            borderMode=cv2.BORDER_REFLECT,
        )
        dirty = np.clip(gain * moved + chance.normal(0, noise, frame.shape), 0, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", dirty, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        frames.append(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8))
    return Scene(frames, scene.times_s)
