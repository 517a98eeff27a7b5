"""What happens before simulated cameras: planned by a seed, one act after the other, accidents at their distance."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.rtsp.accidents import LIES_S, Accident, Act, Plan, acts, passer_by
from extension.sources.rtsp.figures import Flames, Person, Vehicle, at

WIDE = 16 / 9


def first(plan: Plan, seconds: float, camera: str = "cam0") -> list[Act]:
    """The acts that begin within some seconds."""
    return list(itertools.takewhile(lambda act: act.start_s < seconds, acts(plan, camera, WIDE)))


def accidents(plan: Plan, seconds: float, camera: str = "cam0") -> list[Act]:
    """Those with an accident in them."""
    return [act for act in first(plan, seconds, camera) if act.accident]


@given(st.integers(0, 10_000), st.sampled_from(["cam0", "gate"]))
def test_acts_follow_one_another_without_a_gap(seed: int, camera: str) -> None:
    """Each begins where the one before ends; accidents lie within their acts."""
    found = first(Plan(seed, every_s=40), 200, camera)
    assert found[0].start_s == 0
    for one, other in itertools.pairwise(found):
        assert other.start_s == pytest.approx(one.start_s + one.length_s)
        assert one.length_s > 0
    for act in found:
        if act.accident:
            assert 0 < act.onset_s < act.over_s <= act.length_s


def test_a_plan_is_the_same_each_time_and_differs_by_camera_and_seed() -> None:
    """Nothing but seed and name decides."""
    assert first(Plan(3), 300) == first(Plan(3), 300)
    assert first(Plan(3), 300) != first(Plan(3), 300, "cam1")
    assert first(Plan(3), 300) != first(Plan(4), 300)


def test_accidents_keep_their_distance_and_all_kinds_come() -> None:
    """About one in `every_s`, never closer than four fifths of it."""
    found = accidents(Plan(1, every_s=60), 7200)
    begins = [act.start_s for act in found]
    assert min(b - a for a, b in itertools.pairwise(begins)) >= 0.8 * 60
    assert 7200 / 60 * 0.7 <= len(found) <= 7200 / 60
    assert set(Counter(act.accident for act in found)) == set(Accident)


def test_only_the_wanted_kinds_come_and_none_after_the_calm() -> None:
    """Quiet acts go on for ever."""
    plan = Plan(2, every_s=30, until_s=600, kinds=(Accident.FIRE,))
    found = accidents(plan, 3000)
    assert found
    assert {act.accident for act in found} == {Accident.FIRE}
    assert max(act.start_s for act in found) < 600
    assert first(plan, 3000)[-1].start_s > 2900


def test_without_kinds_nothing_happens() -> None:
    """A plan may be quiet altogether."""
    assert not accidents(Plan(1, every_s=10, kinds=()), 600)


def test_who_falls_stands_before_and_lies_after() -> None:
    """Upright until the onset, level soon after, and for long enough to be told from somebody who gets up at once."""
    for act in accidents(Plan(5, every_s=30, kinds=(Accident.FALL,)), 600):
        (person,) = act.figures
        assert isinstance(person, Person)
        assert at(person.lean, act.onset_s) == 0
        assert abs(at(person.lean, act.onset_s + 1)) == 90
        assert abs(at(person.lean, act.over_s)) == 90
        assert at(person.x, act.onset_s) == pytest.approx(at(person.x, act.over_s))
        assert abs(act.over_s - act.onset_s - LIES_S) <= 1


def test_vehicles_meet_at_the_onset_and_stand() -> None:
    """Apart before, touching from then on until they back away."""
    for act in accidents(Plan(5, every_s=40, kinds=(Accident.COLLISION,)), 600):
        left, right = act.figures
        assert isinstance(left, Vehicle)
        assert isinstance(right, Vehicle)

        def gap(seconds: float, left: Vehicle = left, right: Vehicle = right) -> float:
            return at(right.x, seconds) - at(left.x, seconds) - left.length

        assert gap(act.onset_s - 1) > 0.3
        assert gap(act.onset_s) == pytest.approx(0)
        assert gap(act.over_s) == pytest.approx(0)
        assert gap(act.over_s + 1) > 0.3


def test_a_fire_grows_and_is_put_out() -> None:
    """Nothing burns before the onset or after the end."""
    for act in accidents(Plan(5, every_s=30, kinds=(Accident.FIRE,)), 600):
        (fire,) = act.figures
        assert isinstance(fire, Flames)
        assert at(fire.size, act.onset_s - 0.1) == 0
        assert 0 < at(fire.size, act.onset_s) < at(fire.size, act.onset_s + 3)
        assert at(fire.size, act.over_s) == 0


def test_somebody_passes_by_now_and_then() -> None:
    """Whatever else happens, one at a time, and always upright."""
    found = list(itertools.islice(passer_by(Plan(1), "cam0", WIDE), 20))
    for one, other in itertools.pairwise(found):
        assert other.start_s >= one.start_s + one.length_s
    assert all(isinstance(f, Person) and at(f.lean, 3) == 0 for act in found for f in act.figures)
    assert not any(act.accident for act in found)
