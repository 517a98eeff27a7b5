"""Makes trajectory logs by seeded chance that hold what a plan asks for and nothing doubtful; long ones section by section."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from extension.sources.replay.happenings import crossings, stops
from extension.sources.replay.motion import (
    Vectors,
    World,
    begin_crossing,
    begin_meeting,
    begin_stop,
    new_world,
    remember,
    step,
    turn,
)
from extension.sources.replay.plan import Plan, encounters
from extension.timetravel.trajectory import Track, Trajectory, micros

SECTION_S: Final = 60.0
"""A log of more than two of these is drawn in parts of this length, each of which can be drawn again on its own."""

_TRIES: Final = 200
_SUBSTEPS: Final = 2
_FIRST_MEETING_S: Final = 0.4
_FIRST_ERRAND_S: Final = 3.0
"""Log seconds after which objects are first told to do something; a crossing needs a path to cross."""


def generate(plan: Plan, seed: int, *, tries: int = _TRIES) -> Trajectory:
    """Draw a log that holds what the plan asks for and nothing doubtful; the same plan and seed give the same log.

    Args:
        plan: What it should hold.
        seed: Of everything that falls by chance.
        tries: How many logs to draw at most; of a long one, how many of each part.

    Raises:
        ValueError: No such log came up; the plan asks for too much in too little time or room.
    """
    if plan.duration_s > 2 * SECTION_S:
        return _trajectory(plan, _long(plan, seed, tries))
    for sub_seed in range(tries):
        trajectory = _trajectory(plan, _drawn(new_world(plan, np.random.default_rng([seed, sub_seed])), plan))
        if _holds(trajectory, plan):
            return trajectory
    raise _refused(plan, tries)


def _refused(plan: Plan, tries: int) -> ValueError:
    return ValueError(
        f"no clear log in {tries} draws; ask for fewer meetings, more time or more room: {plan}"
    )


def _holds(trajectory: Trajectory, plan: Plan) -> bool:
    """Whether a log has what was planned, and nothing doubtful."""
    found = encounters(trajectory, hold_s=plan.hold_s, again_s=plan.again_s)
    if found.doubtful or found.contacts < plan.contacts or found.near_misses < plan.near_misses:
        return False
    enough_stops = not plan.stops or len(stops(trajectory)) >= plan.stops
    return enough_stops and (not plan.crossings or len(crossings(trajectory)) >= plan.crossings)


def _long(plan: Plan, seed: int, tries: int) -> Vectors:
    """Places of a long log, shape (ticks, objects, 3): every section goes on where the one before it ended."""
    sections = round(plan.duration_s / SECTION_S)
    ends = np.round(np.linspace(0, plan.duration_s / plan.step_s, sections + 1)).astype(int).tolist()
    world = new_world(plan, np.random.default_rng([seed, 0]))
    recorded = []
    for number, (first, last) in enumerate(itertools.pairwise(ends)):
        share = _share(plan, number, sections, (last - first) * plan.step_s)
        places, world = _section(world, share, (seed, number), tries)
        recorded.append(places if last == ends[-1] else places[:-1])
    return np.concatenate(recorded)


def _share(plan: Plan, number: int, sections: int, duration_s: float) -> Plan:
    """The part of a plan that falls on a section."""

    def part(total: int) -> int:
        return total * (number + 1) // sections - total * number // sections

    return replace(
        plan,
        duration_s=duration_s,
        contacts=part(plan.contacts),
        near_misses=part(plan.near_misses),
        stops=part(plan.stops),
        crossings=part(plan.crossings),
    )


def _section(world: World, plan: Plan, seed: tuple[int, int], tries: int) -> tuple[Vectors, World]:
    """A section's places, its last instant in, and the world then."""
    for sub_seed in range(tries):
        attempt = copy.deepcopy(world)
        attempt.chance = np.random.default_rng([*seed, sub_seed])
        places = _drawn(attempt, plan)
        if _holds(_trajectory(plan, places), plan):
            return places, attempt
    raise _refused(plan, tries)


def _drawn(world: World, plan: Plan) -> Vectors:
    """Places by chance, doubtful or not, shape (ticks, objects, 3); the world ends at the last of them."""
    began_s = world.now_s
    meetings = list(world.chance.permutation([True] * plan.contacts + [False] * plan.near_misses))
    # Meetings start evenly over the log, the last early enough to be over before its end.
    meet_s = max(plan.duration_s - 5.0 - 2 * plan.hold_s, 0.1) / max(len(meetings), 1)
    errands = _errands(world, plan)
    errand_s = max(plan.duration_s - 10.0, 0.1) / max(len(errands), 1)
    recorded = np.empty((round(plan.duration_s / plan.step_s) + 1, plan.objects, 3))
    recorded[0] = world.places
    met = sent = 0
    for places in recorded[1:]:
        passed_s = world.now_s - began_s
        if met < len(meetings) and passed_s >= _FIRST_MEETING_S + met * meet_s:
            met += begin_meeting(world, contact=bool(meetings[met]))
        if sent < len(errands) and passed_s >= _FIRST_ERRAND_S + sent * errand_s:
            sent += errands[sent](world)
        remember(world)
        turn(world)
        for _ in range(_SUBSTEPS):
            step(world, plan.step_s / _SUBSTEPS)
        places[:] = world.places
    return recorded


def _errands(world: World, plan: Plan) -> list[Callable[[World], bool]]:
    """What single objects are to do, in the order of its beginnings."""
    wanted = [begin_stop] * plan.stops + [begin_crossing] * plan.crossings
    return [wanted[which] for which in world.chance.permutation(len(wanted))] if wanted else []


def _trajectory(plan: Plan, recorded: Vectors) -> Trajectory:
    """The log of recorded places, shape (ticks, objects, 3), rounded to a millimetre as the predecessor's are."""
    step_us = round(plan.step_s * 1_000_000)
    at_us = micros(plan.start_at) + step_us * np.arange(len(recorded), dtype=np.int64)
    places = np.round(recorded, 1)
    return Trajectory(
        tracks={
            f"obj{who + 1:03d}": Track(at_us=at_us.copy(), places=places[:, who].copy())
            for who in range(plan.objects)
        }
    )
