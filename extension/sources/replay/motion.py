"""How the objects of a drawn log move: they roam as in the predecessor's generator, and meet or nearly meet as they are told.

The predecessor's objects roam without noticing one another; these keep clear of all but the one they are to meet, so that the log's truth is
never a toss of a coin.
"""

from __future__ import annotations

import enum
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from extension.sources.replay.errands import BEHIND_S, Errand, crossing, standing
from extension.sources.replay.plan import Plan
from extension.timetravel.contacts import THRESHOLD_CM

Vectors = npt.NDArray[np.float64]

_TURN_STEPS: Final = (20, 100)
"""A new direction is blended in every 20 to 100 steps, by 0.2; the direction trembles by 0.02 per axis (the predecessor's numbers)."""
_BLEND: Final = 0.2
_TREMBLE: Final = 0.02
_HEIGHTS_CM: Final = (89.5, 200.0)
_ELEVATION: Final = np.pi / 6

_AWARE_CM: Final = 2.6 * THRESHOLD_CM
_WALL_CM: Final = 1.35 * THRESHOLD_CM
_PUSH_CM_S: Final = 240.0
_GAIN_PER_S: Final = 2.5
_CREEP_CM_S: Final = 12.0
_STROLL_CM_S: Final = 60.0
_GIVE_UP_S: Final = 9.0
_PART_CM: Final = 2.2 * THRESHOLD_CM


_MOVED_CM: Final = 2.5 * THRESHOLD_CM


class _Phase(enum.Enum):
    APPROACH = enum.auto()
    HOLD = enum.auto()
    PART = enum.auto()


@dataclass
class _Meeting:
    """Two objects on their way to each other, together, or on their way apart."""

    one: int
    other: int
    apart_cm: float
    hold_s: float
    began_s: float
    phase: _Phase = _Phase.APPROACH
    held_since_s: float = 0.0


@dataclass
class World:
    """The state that the steps change; arrays have one row per object."""

    plan: Plan
    chance: np.random.Generator
    places: Vectors
    directions: Vectors
    speeds: Vectors
    turn_in: npt.NDArray[np.int64]
    meetings: list[_Meeting] = field(default_factory=list)
    met_s: dict[tuple[int, int], float] = field(default_factory=dict)
    now_s: float = 0.0
    errands: list[Errand] = field(default_factory=list)
    past: deque[Vectors] = field(default_factory=deque)

    @property
    def busy(self) -> set[int]:
        """Objects that are in a meeting, or on an errand."""
        meeting = {who for meeting in self.meetings for who in (meeting.one, meeting.other)}
        return meeting | {errand.who for errand in self.errands}


def new_world(plan: Plan, chance: np.random.Generator) -> World:
    """Objects at places of their own, nobody meeting anybody."""
    places = np.empty((0, 3))
    while len(places) < plan.objects:
        x, z = chance.uniform((0, 0), (plan.width_cm, plan.depth_cm))
        if not len(places) or np.hypot(places[:, 0] - x, places[:, 2] - z).min() > 1.6 * THRESHOLD_CM:
            places = np.vstack((places, (x, chance.uniform(*_HEIGHTS_CM), z)))
    return World(
        plan=plan,
        chance=chance,
        places=places,
        directions=_directions(chance, plan.objects),
        speeds=chance.uniform(plan.slowest, plan.fastest, plan.objects),
        turn_in=chance.integers(*_TURN_STEPS, plan.objects, endpoint=True),
    )


def _directions(chance: np.random.Generator, count: int) -> Vectors:
    """Unit vectors, azimuth anywhere, elevation within 30 degrees; shape (count, 3)."""
    azimuth = chance.uniform(0, 2 * np.pi, count)
    elevation = chance.uniform(-_ELEVATION, _ELEVATION, count)
    flat = np.cos(elevation)
    return np.stack((flat * np.cos(azimuth), np.sin(elevation), flat * np.sin(azimuth)), axis=1)


def turn(world: World) -> None:
    """Let directions tremble, and those whose time has come bend towards a new one at a new speed."""
    world.turn_in -= 1
    due = np.flatnonzero(world.turn_in <= 0)
    fresh = _directions(world.chance, len(due))
    world.directions[due] = (1 - _BLEND) * world.directions[due] + _BLEND * fresh
    world.speeds[due] = world.chance.uniform(world.plan.slowest, world.plan.fastest, len(due))
    world.turn_in[due] = world.chance.integers(*_TURN_STEPS, len(due), endpoint=True)
    world.directions += world.chance.normal(0.0, _TREMBLE, world.directions.shape)
    _normalise(world.directions)


def begin_meeting(world: World, *, contact: bool) -> bool:
    """Send the two free objects that are nearest to each other to meet; False when no pair may."""
    free = [who for who in range(world.plan.objects) if who not in world.busy]
    rested = [
        pair
        for pair in itertools.combinations(free, 2)
        if world.now_s - world.met_s.get(pair, -np.inf) > world.plan.again_s
    ]
    if not rested:
        return False
    one, other = min(rested, key=lambda pair: float(np.linalg.norm(_between(world, *pair))))
    share = world.chance.uniform(0.3, 0.84) if contact else world.chance.uniform(1.09, 1.16)
    hold_s = world.plan.hold_s * world.chance.uniform(1.1, 2.0) if contact else 0.3
    meeting = _Meeting(one, other, apart_cm=share * THRESHOLD_CM, hold_s=hold_s, began_s=world.now_s)
    world.meetings.append(meeting)
    return True


def begin_stop(world: World) -> bool:
    """Let a free object stand still for a while; False when none is free."""
    free = [who for who in range(world.plan.objects) if who not in world.busy]
    if not free:
        return False
    world.errands.append(standing(int(world.chance.choice(free)), world.now_s, world.chance))
    return True


def begin_crossing(world: World) -> bool:
    """Send the free object that has the shortest way over the path of another; False when no path can be crossed."""
    if len(world.past) < round(BEHIND_S / world.plan.step_s):
        return False
    was, now = world.past[0][:, [0, 2]], world.places[:, [0, 2]]
    left = np.hypot(*(now - was).T) > _MOVED_CM
    free = [who for who in range(world.plan.objects) if who not in world.busy]
    pairs = [(one, other) for one in free for other in np.flatnonzero(left).tolist() if one != other]
    if not pairs:
        return False
    one, other = min(pairs, key=lambda pair: float(np.hypot(*(was[pair[1]] - now[pair[0]]))))
    world.errands.append(crossing(one, now[one], was[other], world.now_s))
    return True


def remember(world: World) -> None:
    """Keep the places of the last seconds, so that paths can be crossed; call it once a tick."""
    world.past.append(world.places.copy())
    if len(world.past) > round(BEHIND_S / world.plan.step_s):
        world.past.popleft()


def _between(world: World, one: int, other: int) -> Vectors:
    """From one object to another on the ground, shape (2,)."""
    return world.places[other, [0, 2]] - world.places[one, [0, 2]]


def step(world: World, step_s: float) -> None:
    """Move everything by one step."""
    flat = world.directions[:, [0, 2]] * world.speeds[:, np.newaxis]
    push = _pushes(world)
    wanted = flat + push
    for meeting in world.meetings:
        shared = (push[meeting.one] + push[meeting.other]) / 2
        wanted[meeting.one], wanted[meeting.other] = _steered(world, meeting, shared)
    moving = _run_errands(world, wanted, push)
    world.meetings = [meeting for meeting in world.meetings if not _over(world, meeting)]
    length = np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted *= np.minimum(1.0, 1.3 * world.plan.fastest / np.maximum(length, 1e-9))
    _face(world, wanted)
    world.places[:, 1] += world.directions[:, 1] * world.speeds * step_s * moving
    world.places[:, [0, 2]] += wanted * step_s
    _reflect(world)
    world.now_s += step_s


def _run_errands(world: World, wanted: Vectors, push: Vectors) -> Vectors:
    """Set the velocities of those on an errand, and end errands that are done; which objects move at all, shape (objects,), 0 or 1."""
    moving = np.ones(len(wanted))
    for errand in world.errands:
        place = world.places[errand.who, [0, 2]]
        wanted[errand.who] = errand.velocity(place, float(world.speeds[errand.who]))
        if errand.target is None:
            moving[errand.who] = 0.0
        else:
            wanted[errand.who] += push[errand.who]
    world.errands = [e for e in world.errands if not e.over(world.places[e.who, [0, 2]], world.now_s)]
    return moving


def _pushes(world: World) -> Vectors:
    """How each object shies away from all others but its partner, cm/s; shape (objects, 2)."""
    ground = world.places[:, [0, 2]]
    apart = ground[:, np.newaxis] - ground[np.newaxis]
    distance = np.maximum(np.linalg.norm(apart, axis=2), 1e-6)
    urge = np.clip((_AWARE_CM - distance) / (_AWARE_CM - _WALL_CM), 0.0, 2.0)
    np.fill_diagonal(urge, 0.0)
    for meeting in world.meetings:
        urge[meeting.one, meeting.other] = urge[meeting.other, meeting.one] = 0.0
    pushes: Vectors = (_PUSH_CM_S * (urge**2 / distance)[:, :, np.newaxis] * apart).sum(axis=1)
    return pushes


def _steered(world: World, meeting: _Meeting, shared: Vectors) -> tuple[Vectors, Vectors]:
    """Velocities of the two in a meeting, and its change of phase."""
    between = _between(world, meeting.one, meeting.other)
    distance = max(float(np.linalg.norm(between)), 1e-6)
    towards = between / distance
    left_cm = distance - meeting.apart_cm
    if meeting.phase is _Phase.APPROACH and left_cm < 0.04 * THRESHOLD_CM:
        meeting.phase, meeting.held_since_s = _Phase.HOLD, world.now_s
    elif (meeting.phase is _Phase.HOLD and world.now_s - meeting.held_since_s > meeting.hold_s) or (
        meeting.phase is _Phase.APPROACH and world.now_s - meeting.began_s > _GIVE_UP_S
    ):
        meeting.phase = _Phase.PART
    if meeting.phase is _Phase.PART:
        return shared - towards * world.plan.slowest, shared + towards * world.plan.slowest
    closing = min(_GAIN_PER_S * left_cm + _CREEP_CM_S * (left_cm > 0), 1.8 * world.plan.fastest) / 2
    if meeting.phase is _Phase.HOLD:
        heading = world.directions[meeting.one, [0, 2]] + world.directions[meeting.other, [0, 2]]
        shared = shared + _STROLL_CM_S * heading / 2
    return shared + closing * towards, shared - closing * towards


def _over(world: World, meeting: _Meeting) -> bool:
    if meeting.phase is not _Phase.PART:
        return False
    world.met_s[(meeting.one, meeting.other)] = world.now_s
    return float(np.linalg.norm(_between(world, meeting.one, meeting.other))) > _PART_CM


def _face(world: World, wanted: Vectors) -> None:
    """Turn directions a little towards where the objects really go, so that what was avoided is left behind."""
    speed = np.maximum(np.linalg.norm(wanted, axis=1, keepdims=True), 1e-9)
    world.directions[:, [0, 2]] += 0.25 * wanted / speed
    _normalise(world.directions)


def _reflect(world: World) -> None:
    """Walls and the height band turn a direction's component round."""
    low = np.array([0.0, _HEIGHTS_CM[0], 0.0])
    high = np.array([world.plan.width_cm, _HEIGHTS_CM[1], world.plan.depth_cm])
    world.directions = np.where(world.places < low, np.abs(world.directions), world.directions)
    world.directions = np.where(world.places > high, -np.abs(world.directions), world.directions)
    world.places = np.clip(world.places, low, high)


def _normalise(vectors: Vectors) -> None:
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
