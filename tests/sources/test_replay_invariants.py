"""What holds of every generated log, whatever was planned: contacts are there, nobody teleports, seeds repeat, spoiling is told."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.generate import generate
from extension.sources.replay.happenings import crossings, stops
from extension.sources.replay.plan import Plan, encounters
from extension.sources.replay.scenario import Scenario, generate_nearly, scenario, spoils
from extension.sources.replay.spoil import Occlusion, Spoils, Swap, shown_as, spoiled, with_noise
from extension.timetravel.contacts import contacts
from extension.timetravel.steady import noise_cm
from extension.timetravel.trajectory import Trajectory, micros

DIFFICULTIES = list(Difficulty)

wanted = st.tuples(
    st.sampled_from(DIFFICULTIES), st.integers(2, 6), st.sampled_from([18.0, 24.0]), st.integers(0, 30)
)


@functools.lru_cache(maxsize=64)
def made(
    difficulty: Difficulty, objects: int, duration_s: float, seed: int
) -> tuple[Trajectory, Plan, Scenario]:
    """A log of a scenario, and the plan that it follows."""
    asked = scenario(difficulty, objects, duration_s, np.random.default_rng(seed))
    log, plan = generate_nearly(asked.plan, seed)
    return log, plan, asked


@settings(max_examples=8, deadline=None)
@given(wanted)
def test_the_contacts_planned_are_there(asked: tuple[Difficulty, int, float, int]) -> None:
    """As clear contacts in what the log holds, and computable from its samples; nothing is doubtful."""
    log, plan, _ = made(*asked)
    found = encounters(log, hold_s=plan.hold_s, again_s=plan.again_s)
    assert found.doubtful == 0
    assert found.contacts >= plan.contacts >= 1
    assert found.near_misses >= plan.near_misses
    assert len(contacts(log)) == found.contacts
    assert len(stops(log)) >= plan.stops
    assert len(crossings(log)) >= plan.crossings


@settings(max_examples=8, deadline=None)
@given(wanted)
def test_nobody_teleports(asked: tuple[Difficulty, int, float, int]) -> None:
    """No step is longer than the fastest may go, everybody stays in the room, and every instant has a sample."""
    log, plan, _ = made(*asked)
    for track in log.tracks.values():
        steps = np.linalg.norm(np.diff(track.places[:, [0, 2]], axis=0), axis=1)
        assert steps.max() <= 1.3 * plan.fastest * plan.step_s + 0.2
        assert set(np.diff(track.at_us)) == {round(plan.step_s * 1e6)}
        assert np.isfinite(track.places).all()
        assert track.places[:, 0].min() >= 0
        assert track.places[:, 0].max() <= plan.width_cm + 0.05
        assert track.places[:, 2].max() <= plan.depth_cm + 0.05
    assert log.duration_s == pytest.approx(plan.duration_s, abs=plan.step_s)
    assert len(log.tracks) == plan.objects


@settings(max_examples=4, deadline=None)
@given(wanted)
def test_a_seed_gives_the_same_scenario_and_the_same_log(asked: tuple[Difficulty, int, float, int]) -> None:
    """From the plan to the last millimetre."""
    log, plan, first = made(*asked)
    again, same_plan, second = made.__wrapped__(*asked)
    assert (first, plan) == (second, same_plan)
    for objid, track in log.tracks.items():
        assert np.array_equal(track.places, again.tracks[objid].places)


@settings(max_examples=8, deadline=None)
@given(asked=wanted, sigma_cm=st.sampled_from([0.0, 10.0, 25.0]), seed=st.integers(0, 99))
def test_what_is_done_to_a_log_can_be_told_afterwards(
    asked: tuple[Difficulty, int, float, int], sigma_cm: float, seed: int
) -> None:
    """Every sample of the spoiled log belongs to the object of the clean one that is shown under that id then."""
    log, _, told = made(*asked)
    told = dataclasses.replace(told, noise_cm=sigma_cm)
    done = spoils(told, log, contacts(log), np.random.default_rng(seed))
    poor = spoiled(log, done, np.random.default_rng(seed))
    expected = {
        (shown, at_us)
        for objid, track in log.tracks.items()
        for at_us in track.at_us.tolist()
        if (shown := shown_as(done, objid, at_us)) is not None
    }
    assert {(objid, at) for objid, track in poor.tracks.items() for at in track.at_us.tolist()} == expected
    assert len(done.events) <= told.swaps + told.occlusions


@settings(max_examples=8, deadline=None)
@given(asked=wanted, seed=st.integers(0, 99))
def test_disturbances_keep_their_distance(asked: tuple[Difficulty, int, float, int], seed: int) -> None:
    """By time, occlusions three seconds from everything else and inside the log; swaps follow a contact of the two."""
    log, _, told = made(*asked)
    found = contacts(log)
    done = spoils(told, log, found, np.random.default_rng(seed))
    starts = [event.start_us for event in done.events]
    assert starts == sorted(starts)
    ends = {micros(contact.end_at) for contact in found}
    for event in done.events:
        if isinstance(event, Swap):
            assert any(200_000 <= event.start_us - end_us <= 800_000 for end_us in ends)
            continue
        assert 2_000_000 <= event.end_us - event.start_us <= 6_000_000
        assert log.span_us[0] + 3_000_000 <= event.start_us < event.end_us <= log.span_us[1] - 3_000_000
        for other in done.events:
            if other is not event:
                end_us = other.end_us if isinstance(other, Occlusion) else other.start_us
                assert event.start_us > end_us + 3_000_000 or event.end_us < other.start_us - 3_000_000


@pytest.mark.parametrize("sigma_cm", [5.0, 15.0, 25.0, 40.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_is_as_large_as_asked_and_the_log_tells_it(sigma_cm: float, seed: int) -> None:
    """Measured against the clean log, and estimated from the noisy one alone."""
    log, _, _ = made(Difficulty.MIXED, 4, 24.0, seed)
    noisy = with_noise(log, sigma_cm, np.random.default_rng(seed))
    errors = np.concatenate([noisy.tracks[o].places - log.tracks[o].places for o in log.tracks])
    assert errors.std() == pytest.approx(sigma_cm, rel=0.1)
    assert abs(errors.mean()) < sigma_cm / 5
    assert noise_cm(noisy) == pytest.approx(sigma_cm, rel=0.3)
    assert noise_cm(log) < 5.0


@settings(max_examples=40, deadline=None)
@given(
    difficulty=st.sampled_from(DIFFICULTIES),
    objects=st.integers(2, 40),
    duration_s=st.floats(9.0, 300.0),
    seed=st.integers(0, 10**6),
)
def test_a_scenario_asks_for_what_fits(
    difficulty: Difficulty, objects: int, duration_s: float, seed: int
) -> None:
    """At least one contact, no more meetings than pairs have time for, room for everybody, and its numbers from its seed."""
    one, same = (scenario(difficulty, objects, duration_s, np.random.default_rng(seed)) for _ in range(2))
    assert one == same
    plan = one.plan
    meetings = plan.contacts + plan.near_misses
    assert 1 <= plan.contacts <= meetings <= max(1, int(duration_s / 9.0) * (objects // 2) * 2 // 3)
    assert plan.width_cm * plan.depth_cm >= min(objects * 170_000.0, 1e12) * 0.99 or objects <= 20
    assert min(plan.stops, plan.crossings, one.swaps, one.occlusions) >= 0
    assert 0.45 <= plan.hold_s <= 1.2


@pytest.mark.parametrize(("objects", "duration_s"), [(1, 60.0), (0, 60.0), (2, 8.9), (5, 0.0)])
def test_a_scenario_needs_two_and_some_time(objects: int, duration_s: float) -> None:
    """Refused in words."""
    with pytest.raises(BadInput, match="at least 2 objects and 9 s"):
        scenario(Difficulty.EASY, objects, duration_s, np.random.default_rng(1))


def test_a_plan_that_does_not_fit_is_made_smaller_step_by_step() -> None:
    """Near misses go first, contacts stay as long as they can."""
    plan = Plan(objects=2, duration_s=14.0, contacts=1, near_misses=5, again_s=4.0, hold_s=0.6)
    log, smaller = generate_nearly(plan, 1)
    assert (smaller.contacts, smaller.near_misses < 5) == (1, True)
    assert len(contacts(log)) >= 1
    assert dataclasses.replace(smaller, near_misses=5) == plan


def test_a_plan_for_which_there_is_no_time_at_all_is_refused() -> None:
    """Not drawn badly, and not tried for ever."""
    with pytest.raises(BadInput, match="too little time or room"):
        generate_nearly(Plan(objects=2, duration_s=2.0, contacts=1, near_misses=0), 1)


@pytest.mark.parametrize("step_s", [0.1, 0.2, 0.5])
def test_a_plan_may_be_sampled_more_or_less_often(step_s: float) -> None:
    """As many samples as that makes, both ends in."""
    log = generate(Plan(objects=3, duration_s=20.0, contacts=1, near_misses=0, step_s=step_s), 3)
    assert {len(track.at_us) for track in log.tracks.values()} == {round(20.0 / step_s) + 1}


def test_nothing_to_spoil_is_the_same_log() -> None:
    """Object for object."""
    log, _, _ = made(Difficulty.EASY, 3, 18.0, 1)
    done = spoils(Scenario(Plan(3, 18.0, 1, 0)), log, contacts(log), np.random.default_rng(1))
    assert done == Spoils()
    assert not done.any
    assert spoiled(log, done, np.random.default_rng(1)) is log
