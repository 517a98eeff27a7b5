"""Who is where, heading where: worked out for many instants at once, and no different from one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.replay.scene import BLOCK, TRAIL_POINTS, Scene, scenes, shown, usual_step_us
from extension.timetravel.trajectory import Track, Trajectory

S = 1_000_000
STEP = 200_000


def track_of(at_us: list[int], xs: list[float] | None = None, zs: list[float] | None = None) -> Track:
    """Samples at these instants; x goes with time unless stated."""
    x = np.array(xs if xs is not None else [at / S * 100 for at in at_us], dtype=np.float64)
    z = np.array(zs if zs is not None else [0.0] * len(at_us))
    return Track(np.array(at_us, dtype=np.int64), np.stack((x, np.full(len(x), 90.0), z), axis=1))


def steps(first: int, count: int, step: int = STEP) -> list[int]:
    """Even instants."""
    return [first + step * number for number in range(count)]


def scene_at(log: Trajectory, at_us: list[int], *, headings: bool = False, trail_s: float = 0.0) -> Scene:
    """The scene of a few instants."""
    ((_, scene),) = scenes(log, np.array(at_us, dtype=np.int64), headings=headings, trail_s=trail_s)
    return scene


def there(track: Track, *at_us: int) -> list[bool]:
    """Whether the object is drawn at each instant."""
    return list(map(bool, shown(track, np.array(at_us, dtype=np.int64))))


def test_an_object_is_there_from_its_first_sample_to_a_step_after_its_last() -> None:
    """Never before, never longer."""
    track = track_of(steps(5 * S, 10))
    last = 5 * S + 9 * STEP
    assert there(track, 0, 5 * S - 1, 5 * S, last, last + STEP, last + STEP + 1, last + 60 * S) == [
        False, False, True, True, True, False, False,
    ]  # fmt: skip


def test_an_object_is_not_there_in_a_gap() -> None:
    """A gap is longer than a second: in it nothing was recorded, but for the step after the last sample."""
    track = track_of([*steps(0, 6), *steps(4 * S, 6)])
    assert there(track, S, S + STEP, S + STEP + 1, 2 * S, 4 * S - 1, 4 * S) == [
        True, True, False, False, False, True,
    ]  # fmt: skip


def test_a_single_missing_sample_is_no_gap() -> None:
    """A second without a sample, at five samples a second, is bridged."""
    track = track_of([*steps(0, 6), *steps(2 * S, 6)])
    assert all(there(track, *range(0, 3 * S, 50_000)))


def test_a_slow_log_has_longer_gaps() -> None:
    """A sample every three seconds: only what is missing for more than two and a half of them is a gap."""
    track = track_of([*steps(0, 5, 3 * S), *steps(18 * S, 3, 3 * S), *steps(40 * S, 3, 3 * S)])
    assert usual_step_us(track) == 3 * S
    assert there(track, 1 * S, 14 * S, 17 * S, 26 * S, 30 * S, 39 * S, 40 * S) == [
        True, True, True, True, False, False, True,
    ]  # fmt: skip


def test_a_log_of_one_sample_shows_it_for_a_second() -> None:
    """It has no step of its own."""
    track = track_of([7 * S])
    assert there(track, 7 * S - 1, 7 * S, 8 * S, 8 * S + 1) == [False, True, True, False]


@given(at=st.lists(st.integers(-2 * S, 12 * S), min_size=1, max_size=2 * BLOCK + 3))
def test_blocks_change_nothing(at: list[int]) -> None:
    """Any instants in any order: each frame is where it would be alone."""
    log = Trajectory(
        tracks={"obj001": track_of(steps(0, 50)), "obj002": track_of(steps(S, 20), zs=[5.0] * 20)}
    )
    at_us = np.array(at, dtype=np.int64)
    blocks = list(scenes(log, at_us, headings=True, trail_s=0.0))
    assert np.array_equal(np.concatenate([block for block, _ in blocks]), at_us)
    assert all(len(block) <= BLOCK for block, _ in blocks)
    ground = np.concatenate([scene.ground for _, scene in blocks], axis=1)
    present = np.concatenate([scene.present for _, scene in blocks], axis=1)
    for row, track in enumerate(log.tracks.values()):
        assert np.array_equal(ground[row], track.places_at(at_us)[:, [0, 2]])
        assert np.array_equal(present[row], shown(track, at_us))


def test_what_nobody_asks_for_is_not_worked_out() -> None:
    """No headings, no trails."""
    scene = scene_at(Trajectory(tracks={"obj001": track_of(steps(0, 10))}), [0, S])
    assert scene.facing is None
    assert scene.trails is None


@pytest.mark.parametrize(("dx", "dz"), [(1.0, 0.0), (0.0, -1.0), (0.6, 0.8), (-0.8, 0.6)])
def test_objects_face_where_they_go(dx: float, dz: float) -> None:
    """A unit vector, also at the first and the last sample."""
    at = steps(0, 21)
    log = Trajectory(
        tracks={"obj001": track_of(at, [a / S * 150 * dx for a in at], [a / S * 150 * dz for a in at])}
    )
    facing = scene_at(log, [0, S, 2 * S, 4 * S], headings=True).facing
    assert facing is not None
    assert facing[0, 1:3] == pytest.approx(np.array([[dx, dz]] * 2), abs=1e-9)
    assert np.hypot(*facing[0].T) == pytest.approx(1.0)
    assert (facing[0] @ np.array([dx, dz]) > 0.99).all()


def test_objects_that_stand_still_face_nowhere() -> None:
    """Below ten centimetres a second; sensor dust does not spin arrows."""
    at = steps(0, 21)
    for speed, faces in ((0.0, False), (8.0, False), (12.0, True)):
        log = Trajectory(tracks={"obj001": track_of(at, [a / S * speed for a in at])})
        facing = scene_at(log, [2 * S], headings=True).facing
        assert facing is not None
        assert bool(facing.any()) == faces


def test_a_trail_reaches_back_as_long_as_it_should() -> None:
    """From where the object is to where it was, in order, on its path."""
    log = Trajectory(tracks={"obj001": track_of(steps(0, 51))})
    trails = scene_at(log, [8 * S], trail_s=3.2).trails
    assert trails is not None
    assert trails.shape == (1, 1, TRAIL_POINTS + 1, 2)
    xs = trails[0, 0, :, 0]
    assert xs[-1] == pytest.approx(800.0)
    assert xs[0] == pytest.approx(500.0, abs=21)
    assert (np.diff(xs) >= 0).all()


def test_points_of_a_trail_stand_still() -> None:
    """Between two frames all points but the newest are the same, or the next ones: nothing crawls."""
    at = steps(0, 51)
    log = Trajectory(tracks={"obj001": track_of(at, [float(np.sin(a / S)) * 300 for a in at])})
    trails = scene_at(log, [8 * S, 8 * S + 40_000], trail_s=3.2).trails
    assert trails is not None
    before, after = ({round(x, 6) for x, _ in trail[:-1].tolist()} for trail in trails[0])
    assert len(before & after) >= TRAIL_POINTS - 1


def test_a_trail_begins_where_the_object_came_back() -> None:
    """It does not leap over a gap, nor reach before the first sample."""
    log = Trajectory(tracks={"obj001": track_of([*steps(0, 11), *steps(6 * S, 21)])})
    trails = scene_at(log, [S, 7 * S, 6 * S], trail_s=4.0).trails
    assert trails is not None
    assert trails[0, 0, :, 0].min() == pytest.approx(0.0)
    assert trails[0, 1, :, 0].min() >= 600.0
    assert np.ptp(trails[0, 2, :, 0]) == pytest.approx(0.0)


def test_trails_of_scattered_instants_are_those_of_each_alone() -> None:
    """Jumps back and forth through a day are no different."""
    log = Trajectory(tracks={"obj001": track_of(steps(0, 5000))})
    instants = [900 * S, 3 * S, 500 * S + 7, 3 * S]
    together = scene_at(log, instants, trail_s=5.0).trails
    assert together is not None
    for number, at in enumerate(instants):
        alone = scene_at(log, [at], trail_s=5.0).trails
        assert alone is not None
        assert np.array_equal(together[0, number], alone[0, 0])
