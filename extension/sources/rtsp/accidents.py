"""What happens before a simulated camera: quiet acts, and accidents among them, planned by a seed. Draws nothing, knows no clock.

Lengths and places are shares of the picture's height; `aspect` is its width by that measure.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extension.sources.rtsp.figures import Course, Figure, Flames, Person, Vehicle


class Accident(enum.StrEnum):
    """Accidents that are planned, by the words for them in a verdict."""

    FALL = "fall"
    COLLISION = "collision"
    FIRE = "fire"


@dataclass(frozen=True, slots=True)
class Act:
    """A few seconds before a camera.

    Attributes:
        figures: Who takes part.
        start_s: When it begins, seconds from the beginning of the plan.
        length_s: How long it takes.
        accident: What happens in it; None in a quiet act.
        onset_s: When that begins, seconds from the act's start.
        over_s: When nothing of it is left to see.
    """

    figures: tuple[Figure, ...]
    length_s: float
    accident: Accident | None = None
    onset_s: float = 0.0
    over_s: float = 0.0
    start_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """When accidents happen.

    Attributes:
        seed: Of everything that falls by chance; the camera's name is mixed in.
        every_s: From one accident of a camera to its next, about.
        until_s: None begins later; then all is quiet for ever.
        kinds: Which ones happen.
    """

    seed: int = 1
    every_s: float = 60.0
    until_s: float = float("inf")
    kinds: Sequence[Accident] = tuple(Accident)


LIES_S: Final = 12.0
"""How long somebody who fell lies, and vehicles that met stand."""

_BURNS_S: Final = 15.0
_FALLS: Final = ((0.0, 0.0), (0.25, 8.0), (0.45, 30.0), (0.6, 60.0), (0.72, 90.0))
"""Degrees of somebody who tips over like a stick, which takes a body of 1.75 m about that long."""

_RISES_S: Final = 2.5
_WALKWAY, _TALL = 0.69, 0.26
_FAR_WALKWAY, _FAR_TALL = 0.32, 0.165
_LANES: Final = (0.755, 0.862)
_LONG, _HIGH = 0.32, 0.088
_OUTSIDE: Final = 0.25
_BACKS: Final = 0.3
"""Pace of vehicles that back away, per second."""

_LEAST_BETWEEN: Final = 0.8
"""The least share of `Plan.every_s` between two accidents."""


def acts(plan: Plan, camera: str, aspect: float) -> Iterator[Act]:
    """What happens before a camera, act after act, for ever: the same for the same plan and name."""
    chance = np.random.default_rng((plan.seed, zlib.crc32(camera.encode())))
    now_s = 0.0
    due_s = plan.every_s * chance.uniform(0.15, 1.0)
    while True:
        if now_s >= due_s and now_s < plan.until_s and plan.kinds:
            kind = plan.kinds[int(chance.integers(len(plan.kinds)))]
            act = _ACCIDENTS[kind](chance, aspect)
            due_s = now_s + plan.every_s * chance.uniform(_LEAST_BETWEEN, 2 - _LEAST_BETWEEN)
        else:
            act = _QUIET[int(chance.integers(len(_QUIET)))](chance, aspect)
        yield _starting(act, now_s)
        now_s += act.length_s


def passer_by(plan: Plan, camera: str, aspect: float) -> Iterator[Act]:
    """Somebody who crosses at the far end of the yard now and then, whatever else happens."""
    chance = np.random.default_rng((plan.seed, zlib.crc32(camera.encode()), 1))
    now_s = 0.0
    while True:
        now_s += chance.uniform(4.0, 25.0)
        act = _crossing(chance, aspect, _FAR_WALKWAY, _FAR_TALL)
        yield _starting(act, now_s)
        now_s += act.length_s


def _starting(act: Act, start_s: float) -> Act:
    return Act(act.figures, act.length_s, act.accident, act.onset_s, act.over_s, start_s)


def _crossing(chance: np.random.Generator, aspect: float, feet: float, tall: float) -> Act:
    pace = tall * chance.uniform(0.6, 0.9)
    length_s = (aspect + 2 * _OUTSIDE) / pace
    x = _mirrored(((0.0, -_OUTSIDE), (length_s, aspect + _OUTSIDE)), aspect, chance)
    return Act((Person(x, feet, tall, shirt=_shirt(chance)),), length_s)


def _walks(chance: np.random.Generator, aspect: float) -> Act:
    return _crossing(chance, aspect, _WALKWAY, _TALL * chance.uniform(0.9, 1.1))


def _bends(chance: np.random.Generator, aspect: float) -> Act:
    """Walks to a place, bends down there for some seconds, and walks on."""
    tall, pace = _TALL * chance.uniform(0.9, 1.1), _TALL * chance.uniform(0.6, 0.9)
    there = aspect * chance.uniform(0.3, 0.7)
    comes_s = (there + _OUTSIDE) / pace
    stays_s = chance.uniform(3.0, 6.0)
    goes_s = comes_s + stays_s
    length_s = goes_s + (aspect + _OUTSIDE - there) / pace
    x = _mirrored(
        ((0.0, -_OUTSIDE), (comes_s, there), (goes_s, there), (length_s, aspect + _OUTSIDE)), aspect, chance
    )
    deep = chance.uniform(50, 75) * chance.choice((-1, 1))
    bend = ((comes_s, 0.0), (comes_s + 1.2, deep), (goes_s - 1.2, deep), (goes_s, 0.0))
    return Act((Person(x, _WALKWAY, tall, bend=bend, shirt=_shirt(chance)),), length_s)


def _drives(chance: np.random.Generator, aspect: float) -> Act:
    length_s, course = _through(chance.uniform(0.35, 0.65), aspect)
    lane = int(chance.integers(2))
    return Act((_vehicle(chance, _on_lane(course, lane, aspect), lane),), length_s)


def _passes(chance: np.random.Generator, aspect: float) -> Act:
    """Two vehicles pass one another, each on its lane."""
    ways = [_through(chance.uniform(0.35, 0.65), aspect) for _ in _LANES]
    vehicles = [_vehicle(chance, _on_lane(way[1], lane, aspect), lane) for lane, way in enumerate(ways)]
    return Act(tuple(vehicles), max(length_s for length_s, _ in ways))


def _brakes(chance: np.random.Generator, aspect: float) -> Act:
    """A vehicle brakes, stands for some seconds, and drives on."""
    pace, there, stands_s = (
        chance.uniform(0.35, 0.6),
        aspect * chance.uniform(0.35, 0.65),
        chance.uniform(3.0, 5.0),
    )
    slows_s = 1.6
    comes_s = (there + _OUTSIDE - pace * slows_s / 2) / pace
    braking = [
        (comes_s + t, there - pace * (slows_s - t) ** 2 / (2 * slows_s)) for t in np.linspace(0, slows_s, 7)
    ]
    goes_s = comes_s + slows_s + stands_s
    speeding = [(goes_s + t, there + pace * t**2 / (2 * slows_s)) for t in np.linspace(0, slows_s, 7)]
    left = aspect + _OUTSIDE - speeding[-1][1]
    length_s = goes_s + slows_s + left / pace
    lane = int(chance.integers(2))
    course = ((0.0, -_OUTSIDE), *braking, *speeding, (length_s, aspect + _OUTSIDE))
    return Act((_vehicle(chance, _on_lane(course, lane, aspect), lane),), length_s)


def _rests(chance: np.random.Generator, _: float) -> Act:
    """Nobody is there."""
    return Act((), chance.uniform(3.0, 8.0))


def _falls(chance: np.random.Generator, aspect: float) -> Act:
    """Somebody walks in, falls, lies, gets up and walks on."""
    tall, pace = _TALL * chance.uniform(0.9, 1.1), _TALL * chance.uniform(0.6, 0.9)
    there = aspect * chance.uniform(0.3, 0.7)
    onset_s = (there + _OUTSIDE) / pace
    rises_s = onset_s + LIES_S + chance.uniform(-1, 1)
    goes_s = rises_s + _RISES_S
    length_s = goes_s + (aspect + _OUTSIDE - there) / pace
    way = ((0.0, -_OUTSIDE), (onset_s, there), (goes_s, there), (length_s, aspect + _OUTSIDE))
    x = _mirrored(way, aspect, chance)
    side = 1 if x[-1][1] > x[0][1] else -1
    lean = [(onset_s + t, side * degrees) for t, degrees in _FALLS] + [(rises_s, side * 90.0), (goes_s, 0.0)]
    person = Person(x, _WALKWAY, tall, lean=tuple(lean), shirt=_shirt(chance))
    return Act((person,), length_s, Accident.FALL, onset_s, rises_s)


def _collides(chance: np.random.Generator, aspect: float) -> Act:
    """The road is empty for a while; a vehicle meets another one head-on; both stand where they met, then back away."""
    lane = int(chance.integers(2))
    paces = chance.uniform(0.28, 0.42, 2)
    comes_s = chance.uniform(6.0, 9.0)
    onset_s = comes_s + (aspect + 2 * _OUTSIDE - _LONG) / float(paces.sum())
    met = -_OUTSIDE + float(paces[0]) * (onset_s - comes_s)
    leaves_s = onset_s + LIES_S
    gone_s = leaves_s + (aspect + 2 * _OUTSIDE) / _BACKS
    back = _BACKS * (gone_s - leaves_s)
    left: Course = ((comes_s, -_OUTSIDE), (onset_s, met), (leaves_s, met), (gone_s, met - back))
    beside = met + _LONG
    right: Course = (
        (comes_s, aspect + _OUTSIDE),
        (onset_s, beside),
        (leaves_s, beside),
        (gone_s, beside + back),
    )
    vehicles = tuple(_vehicle(chance, course, lane) for course in (left, right))
    return Act(vehicles, gone_s, Accident.COLLISION, onset_s, leaves_s)


def _burns(chance: np.random.Generator, aspect: float) -> Act:
    """A fire breaks out, grows, burns and is put out."""
    onset_s, tall = chance.uniform(2.0, 5.0), chance.uniform(0.18, 0.26)
    over_s = onset_s + _BURNS_S + chance.uniform(-1, 1)
    size = (
        (onset_s - 0.001, 0.0),
        (onset_s, 0.06),
        (onset_s + 3.0, tall),
        (over_s - 2.0, tall),
        (over_s - 0.001, 0.06),
        (over_s, 0.0),
    )
    seed = int(chance.integers(1 << 30))
    fire = Flames(aspect * chance.uniform(0.15, 0.85), chance.uniform(0.5, 0.66), size, seed)
    return Act((fire,), over_s + 3.0, Accident.FIRE, onset_s, over_s)


def _through(pace: float, aspect: float) -> tuple[float, Course]:
    length_s = (aspect + 2 * _OUTSIDE) / pace
    return length_s, ((0.0, -_OUTSIDE), (length_s, aspect + _OUTSIDE))


def _on_lane(course: Course, lane: int, aspect: float) -> Course:
    """To the right on the first lane, to the left on the second."""
    return course if lane == 0 else tuple((t, aspect - x) for t, x in course)


def _mirrored(course: Course, aspect: float, chance: np.random.Generator) -> Course:
    return course if chance.random() < 0.5 else tuple((t, aspect - x) for t, x in course)  # noqa: PLR2004 - either way


def _vehicle(chance: np.random.Generator, course: Course, lane: int) -> Vehicle:
    return Vehicle(course, _LANES[lane], _LONG, _HIGH, _shirt(chance))


def _shirt(chance: np.random.Generator) -> tuple[int, int, int]:
    """A colour that differs from the ground, but not that of fire."""
    colours = ((35, 70, 160), (230, 230, 225), (120, 30, 45), (25, 110, 60), (30, 30, 35), (95, 45, 120))
    return colours[int(chance.integers(len(colours)))]


_Maker = Callable[[np.random.Generator, float], Act]
_QUIET: Final[tuple[_Maker, ...]] = (_walks, _bends, _drives, _passes, _brakes, _rests)
_ACCIDENTS: Final[dict[Accident, _Maker]] = {
    Accident.FALL: _falls,
    Accident.COLLISION: _collides,
    Accident.FIRE: _burns,
}
