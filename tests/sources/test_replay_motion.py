"""How objects of drawn logs move when they are told to stop, to cross a path, or to go on from an earlier part."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import pytest

from extension.sources.replay.errands import BEHIND_S, STOP_S, Errand, crossing, standing
from extension.sources.replay.motion import (
    World,
    begin_crossing,
    begin_meeting,
    begin_stop,
    new_world,
    remember,
    step,
    turn,
)
from extension.sources.replay.plan import Plan

PLAN = Plan(objects=5, duration_s=60.0, contacts=1, near_misses=0)


def world_of(seed: int = 1, plan: Plan = PLAN) -> World:
    """A fresh one."""
    return new_world(plan, np.random.default_rng(seed))


def run(world: World, seconds: float) -> npt.NDArray[np.float64]:
    """Places every fifth of a second, shape (ticks, objects, 3)."""
    places = []
    for _ in range(round(seconds / world.plan.step_s)):
        remember(world)
        turn(world)
        step(world, world.plan.step_s / 2)
        step(world, world.plan.step_s / 2)
        places.append(world.places.copy())
    return np.array(places)


def test_a_world_begins_with_nobody_close() -> None:
    """Inside the walls, apart from one another, nobody busy."""
    world = world_of()
    ground = world.places[:, [0, 2]]
    apart = np.linalg.norm(ground[:, np.newaxis] - ground, axis=2) + np.eye(5) * 1e9
    assert apart.min() > 160
    assert (ground >= 0).all()
    assert (ground <= (PLAN.width_cm, PLAN.depth_cm)).all()
    assert world.busy == set()


@pytest.mark.parametrize("seed", range(4))
def test_who_is_told_to_stop_stands_until_the_time_is_over(seed: int) -> None:
    """Not a millimetre, in no direction; then it goes on. The others never stop."""
    world = world_of(seed)
    run(world, 3.0)
    assert begin_stop(world)
    (errand,) = world.errands
    before = world.places[errand.who].copy()
    left_s = errand.until_s - world.now_s
    assert STOP_S[0] <= left_s <= STOP_S[1]
    during = run(world, left_s - 0.4)
    assert (during[:, errand.who] == before).all()
    others = [who for who in range(5) if who != errand.who]
    assert np.abs(np.diff(during[:, others], axis=0)).sum(axis=2).min() > 0
    after = run(world, 3.0)
    assert np.abs(after[-1, errand.who] - before).max() > 50
    assert world.errands == []


@pytest.mark.parametrize("seed", range(4))
def test_who_is_told_to_cross_walks_over_the_others_path(seed: int) -> None:
    """Close to where the other was, while it is elsewhere."""
    world = world_of(seed)
    past = run(world, 6.0)
    assert begin_crossing(world)
    (errand,) = world.errands
    assert errand.target is not None
    way = run(world, 7.4)[:, errand.who, [0, 2]]
    trails = [past[-14:, who, [0, 2]] for who in range(5) if who != errand.who]
    nearest = min(float(np.linalg.norm(way[:, np.newaxis] - trail, axis=2).min()) for trail in trails)
    assert nearest < 60
    assert world.errands == []


def test_there_is_no_path_to_cross_at_the_start() -> None:
    """Nor one for a lonely object; then nothing begins."""
    world = world_of()
    assert not begin_crossing(world)
    run(world, BEHIND_S)
    assert begin_crossing(world)
    alone = world_of(plan=Plan(objects=1, duration_s=10.0, contacts=0, near_misses=0))
    run(alone, 4.0)
    assert not begin_crossing(alone)


def test_busy_objects_are_left_alone() -> None:
    """One errand or meeting at a time for each; when all are busy nothing begins."""
    world = world_of()
    run(world, 4.0)
    assert begin_meeting(world, contact=True)
    for _ in range(3):
        assert begin_stop(world)
    assert world.busy == set(range(5))
    assert len({errand.who for errand in world.errands}) == 3
    assert not begin_stop(world)
    assert not begin_crossing(world)
    assert not begin_meeting(world, contact=False)


def test_only_the_last_seconds_are_remembered() -> None:
    """However long it runs."""
    world = world_of()
    run(world, 20.0)
    assert len(world.past) == round(BEHIND_S / PLAN.step_s)
    assert not np.array_equal(world.past[0], world.past[-1])


def test_a_copied_world_goes_its_own_way() -> None:
    """With the same chance the same way; the original waits."""
    world = world_of()
    run(world, 3.0)
    begin_stop(world)
    before = world.places.copy()
    one, other = copy.deepcopy(world), copy.deepcopy(world)
    assert np.array_equal(run(one, 5.0), run(other, 5.0))
    assert np.array_equal(world.places, before)
    assert len(world.errands) == 1


def test_an_errand_ends_where_it_leads_or_when_time_is_up() -> None:
    """Whichever comes first."""
    there = Errand(0, until_s=10.0, target=np.array([100.0, 0.0]))
    assert not there.over(np.array([0.0, 0.0]), 5.0)
    assert there.over(np.array([90.0, 5.0]), 5.0)
    assert there.over(np.array([0.0, 0.0]), 10.0)
    assert there.velocity(np.array([0.0, 0.0]), 150.0).tolist() == [150.0, 0.0]
    still = standing(2, 4.0, np.random.default_rng(1))
    assert still.velocity(np.array([5.0, 5.0]), 150.0).tolist() == [0.0, 0.0]
    assert not still.over(np.array([5.0, 5.0]), 6.4)
    assert still.over(np.array([5.0, 5.0]), 10.1)


def test_a_crossing_leads_beyond_the_place() -> None:
    """So that the path is crossed and not only reached."""
    errand = crossing(1, np.array([0.0, 0.0]), np.array([300.0, 0.0]), now_s=2.0)
    assert errand.target is not None
    assert errand.target[0] > 400
    assert errand.target[1] == 0
