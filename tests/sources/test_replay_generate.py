"""Drawn logs: what was planned is in them, clearly, and nothing that could be argued about."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest

from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan, encounters
from extension.sources.replay.sample import SAMPLE
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory import Track, Trajectory, micros

PLANS = [
    pytest.param(SAMPLE, id="the-sample"),
    pytest.param(
        Plan(
            objects=2,
            duration_s=14,
            contacts=1,
            near_misses=1,
            hold_s=0.45,
            again_s=4,
            width_cm=1800,
            depth_cm=900,
        ),
        id="two-alone",
    ),
    pytest.param(
        Plan(
            objects=20,
            duration_s=14,
            contacts=4,
            near_misses=2,
            hold_s=0.45,
            again_s=4,
            width_cm=3000,
            depth_cm=1600,
        ),
        id="a-crowd",
    ),
    pytest.param(
        Plan(objects=8, duration_s=45, contacts=4, near_misses=2, hold_s=1.35, again_s=12),
        id="for-triple-speed",
    ),
]


def ground(log: Trajectory) -> npt.NDArray[np.float64]:
    """Places of all objects at 50 Hz, shape (objects, times, 2)."""
    at_us = np.arange(micros(log.start_at), micros(log.end_at) + 1, 20_000, dtype=np.int64)
    return np.array([track.places_at(at_us)[:, [0, 2]] for track in log.tracks.values()])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("plan", PLANS)
def test_a_log_holds_what_was_planned_and_nothing_doubtful(plan: Plan, seed: int) -> None:
    """Clear contacts, clear near misses, and every contact is computable from the samples alone."""
    log = generate(plan, seed)
    found = encounters(log, hold_s=plan.hold_s, again_s=plan.again_s)
    assert found.contacts >= plan.contacts
    assert found.near_misses >= plan.near_misses
    assert found.doubtful == 0
    assert len(contacts(log)) == found.contacts


@pytest.mark.parametrize("plan", PLANS)
def test_no_pair_is_ever_between_contact_and_clear_for_long(plan: Plan) -> None:
    """Whoever comes within 1.06 diameters goes below 0.9 of one, for the planned time, before leaving again."""
    places = ground(generate(plan, 3))
    for one, other in itertools.combinations(places, 2):
        apart = np.hypot(*(one - other).T)
        close = np.flatnonzero(apart < 106)
        for meeting in np.split(close, np.flatnonzero(np.diff(close) > 1) + 1):
            if meeting.size:
                assert np.count_nonzero(apart[meeting] < 90) * 0.02 >= plan.hold_s


@pytest.mark.parametrize("plan", PLANS)
def test_objects_stay_inside_their_walls_at_human_speed(plan: Plan) -> None:
    """To the rounding of the log."""
    log = generate(plan, 4)
    places = np.array([track.places for track in log.tracks.values()])
    assert places[:, :, 0].min() >= 0
    assert places[:, :, 0].max() <= plan.width_cm + 0.05
    assert places[:, :, 2].max() <= plan.depth_cm + 0.05
    assert places[:, :, 1].min() >= 89.5
    assert places[:, :, 1].max() <= 200
    steps = np.linalg.norm(np.diff(places[:, :, [0, 2]], axis=1), axis=2)
    assert steps.max() <= 1.3 * plan.fastest * plan.step_s + 0.2
    assert np.median(steps) > 0.4 * plan.slowest * plan.step_s


def test_samples_are_evenly_spaced_and_rounded_like_the_predecessors() -> None:
    """Fifth of a second, a minute, to a millimetre."""
    log = generate(SAMPLE, 5)
    for track in log.tracks.values():
        assert set(np.diff(track.at_us)) == {200_000}
        assert np.array_equal(track.places, np.round(track.places, 1))
    assert log.duration_s == 60.0
    assert log.objids == tuple(f"obj{n:03d}" for n in range(1, 6))


def test_a_seed_gives_the_same_log_and_another_a_different_one() -> None:
    """So that a figure can be reproduced."""
    first, again, other = generate(SAMPLE, 6), generate(SAMPLE, 6), generate(SAMPLE, 7)
    assert all(np.array_equal(first.tracks[o].places, again.tracks[o].places) for o in first.objids)
    assert not np.array_equal(first.tracks["obj001"].places, other.tracks["obj001"].places)


def test_too_much_in_too_little_is_refused() -> None:
    """Rather than drawn badly."""
    with pytest.raises(ValueError, match="fewer meetings"):
        generate(dataclasses.replace(SAMPLE, objects=2, duration_s=4.0, contacts=9), 1)


def passing(distances_cm: list[float]) -> Trajectory:
    """Object 1 stands, object 2 is at these distances every 0.2 s."""
    at_us = np.arange(len(distances_cm), dtype=np.int64) * 200_000
    still = np.zeros((len(distances_cm), 3))
    moving = still.copy()
    moving[:, 0] = distances_cm
    return Trajectory(tracks={"obj001": Track(at_us, still), "obj002": Track(at_us.copy(), moving)})


FAR = [300.0] * 5


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        pytest.param([*FAR, *FAR], (0, 0, 0), id="never-near"),
        pytest.param([*FAR, 50, 50, 50, 50, *FAR], (1, 0, 0), id="clear-contact"),
        pytest.param([*FAR, 110, 110, *FAR], (0, 1, 0), id="clear-miss"),
        pytest.param([*FAR, 103, 103, *FAR], (0, 0, 1), id="touching"),
        pytest.param([*FAR, 95, 95, 95, 95, 95, *FAR], (0, 0, 1), id="shallow"),
        pytest.param([*FAR, 50, *FAR], (0, 0, 1), id="too-short"),
        pytest.param([*FAR, 50, 50, 50, 102, 50, 50, 50, *FAR], (0, 0, 2), id="interrupted"),
        pytest.param([50, 50, 50, 50, *FAR], (0, 0, 1), id="cut-off-at-the-start"),
        pytest.param([*FAR, 50, 50, 50, 50], (0, 0, 1), id="cut-off-at-the-end"),
        pytest.param([*FAR, 50, 50, 50, *FAR, 50, 50, 50, *FAR], (2, 0, 1), id="repeated-too-soon"),
    ],
)
def test_meetings_are_judged(distances: list[float], expected: tuple[int, int, int]) -> None:
    """Contacts, near misses, and what nobody could score."""
    found = encounters(passing(distances), hold_s=0.4, again_s=3.0)
    assert (found.contacts, found.near_misses, found.doubtful) == expected


def test_contacts_between_samples_are_seen() -> None:
    """Passing through one another between two samples would be drawn in the video, so it is doubtful."""
    assert encounters(passing([*FAR, 120, -120, -300, -300, -300]), hold_s=0.4, again_s=3.0).doubtful == 1
