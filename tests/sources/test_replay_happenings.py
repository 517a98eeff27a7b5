"""What else is found in coordinates: stops, near misses, crossings, walls; against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from extension.sources.replay.generate import SECTION_S, generate
from extension.sources.replay.happenings import at_walls, crossings, near_misses, runs, stops
from extension.sources.replay.plan import Plan, encounters
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory import Track, Trajectory

S = 1_000_000
STEP = 200_000


def log_of(*paths: list[tuple[float, float]]) -> Trajectory:
    """Objects that are at these (x, z) every fifth of a second."""
    tracks = {}
    for number, path in enumerate(paths, start=1):
        places = np.array([(x, 90.0, z) for x, z in path])
        tracks[f"obj{number:03d}"] = Track(np.arange(len(path), dtype=np.int64) * STEP, places)
    return Trajectory(tracks=tracks)


def line(start: tuple[float, float], step: tuple[float, float], count: int) -> list[tuple[float, float]]:
    """So many places, each a step from the last."""
    return [(start[0] + step[0] * n, start[1] + step[1] * n) for n in range(count)]


FAR = [(9000.0, 9000.0)] * 61


def test_runs_are_half_open() -> None:
    """None, one, several, at the ends."""
    assert runs(np.array([], dtype=bool)) == []
    assert runs(np.array([False, False])) == []
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]


def test_a_stop_is_a_second_and_a_half_of_standing_still() -> None:
    """With its first and last instant; shorter rests and slow walks are none."""
    go, rest = (30.0, 0.0), (0.0, 0.0)
    path = line((0, 0), go, 10)
    path += line(path[-1], rest, 11)  # 2.4 s with the places before and after it
    path += line(path[-1], go, 10)
    path += line(path[-1], rest, 5)  # 1.2 s
    path += line(path[-1], go, 10)
    (found,) = stops(log_of(path, line((0, 900), (3.0, 0.0), 48)))
    assert (found.label, found.start_us, found.end_us) == ("1", 9 * STEP, 21 * STEP)


def test_dust_does_not_end_a_stop() -> None:
    """A centimetre to and fro at five samples a second is standing still."""
    path = [(500.0 + n % 2, 300.0) for n in range(31)]
    (found,) = stops(log_of(path, line((0, 900), (30.0, 0.0), 31)))
    assert found.end_us - found.start_us == 6 * S


@pytest.mark.parametrize(("closest", "misses"), [(99.0, 0), (101.0, 1), (120.0, 1), (124.0, 1), (126.0, 0)])
def test_a_near_miss_comes_within_a_quarter_more_than_the_threshold(closest: float, misses: int) -> None:
    """And not within it: that is a contact."""
    still = [(0.0, 0.0)] * 41
    passing = line((-600.0, closest), (30.0, 0.0), 41)
    found = near_misses(log_of(still, passing))
    assert len(found) == misses
    if misses:
        assert found[0].labels == ("1", "2")
        assert found[0].closest_us == 20 * STEP
        assert found[0].closest_cm == pytest.approx(closest)


def test_every_approach_is_a_near_miss_of_its_own() -> None:
    """There and back: two, by time; with another threshold, none."""
    still = [(0.0, 0.0)] * 81
    there = line((-600.0, 110.0), (30.0, 0.0), 41)
    log = log_of(still, [*there, *reversed(there[:-1])])
    assert [miss.closest_us for miss in near_misses(log)] == [20 * STEP, 60 * STEP]
    assert near_misses(log, threshold_cm=80.0) == ()


def test_nobody_is_near_somebody_who_is_not_there() -> None:
    """A track that ended long ago holds no place."""
    early = Track(np.arange(11, dtype=np.int64) * STEP, np.tile([0.0, 90.0, 0.0], (11, 1)))
    late = Track(100 * S + np.arange(11, dtype=np.int64) * STEP, np.tile([110.0, 90.0, 0.0], (11, 1)))
    assert near_misses(Trajectory(tracks={"obj001": early, "obj002": late})) == ()


@pytest.mark.parametrize(
    ("later_s", "crossed"), [(0.4, False), (1.2, True), (4.0, True), (7.8, True), (9.0, False)]
)
def test_paths_cross_where_two_were_one_to_eight_seconds_apart(later_s: float, crossed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The place, and who was there when; touching at the same time is no crossing of paths."""
    first = line((-310.0, 0.0), (30.0, 0.0), 81)
    wait = round(later_s * 5)
    second = line((0.0, -310.0 - 30.0 * wait), (0.0, 30.0), 81)
    found = crossings(log_of(first, second))
    assert len(found) == crossed
    if crossed:
        (one,) = found
        assert one.labels == ("1", "2")
        assert one.x == pytest.approx(0.0, abs=31)
        assert one.z == pytest.approx(0.0, abs=31)
        assert (one.second_us - one.first_us) / S == pytest.approx(later_s, abs=0.21)


def test_paths_side_by_side_do_not_cross() -> None:
    """Nor does one that ends before the other's."""
    assert crossings(log_of(line((0, 0), (30, 0), 61), line((0, 150), (30, 0), 61))) == ()
    assert crossings(log_of(line((0, 0), (30, 0), 61), FAR)) == ()


def test_the_second_over_a_place_is_named_second() -> None:
    """Whichever number it has."""
    early, late = line((-310.0, 0.0), (30.0, 0.0), 61), line((0.0, -460.0), (0.0, 30.0), 61)
    (found,) = crossings(log_of(late, early))
    assert found.labels == ("2", "1")
    assert found.first_us < found.second_us


def test_walls_are_touched_on_all_four_sides() -> None:
    """Of the room from nought to its width and depth; just inside is not at the wall."""
    places = [(0.0, 50.0), (100.0, 0.0), (200.0, 50.0), (100.0, 100.0), (100.0, 50.0), (0.3, 99.6)]
    found = list(at_walls(log_of(places), 200.0, 100.0))
    assert [(at_us // STEP, objid) for at_us, objid, _ in found] == [(n, "obj001") for n in range(4)]
    assert found[0][2].tolist() == [0.0, 90.0, 50.0]


BUSY = Plan(objects=6, duration_s=60.0, contacts=3, near_misses=2, stops=3, crossings=3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planned_stops_and_crossings_are_in_the_log(seed: int) -> None:
    """Besides the contacts and near misses, still with nothing doubtful."""
    log = generate(BUSY, seed)
    found = encounters(log, hold_s=BUSY.hold_s, again_s=BUSY.again_s)
    assert found.doubtful == 0
    assert found.contacts >= 3
    assert found.near_misses >= 2
    assert len(stops(log)) >= 3
    assert len(crossings(log)) >= 3


def test_standing_objects_really_stand() -> None:
    """Also in height, for two and a half seconds at least."""
    log = generate(BUSY, 4)
    for stop in stops(log):
        track = log.tracks[log.objid_of(stop.label) or ""]
        inside = (track.at_us >= stop.start_us) & (track.at_us <= stop.end_us)
        assert np.ptp(track.places[inside], axis=0).max() < 12
    assert max(stop.end_us - stop.start_us for stop in stops(log)) >= 2 * S


def test_a_log_without_stops_has_none() -> None:
    """They do not come by chance."""
    plan = Plan(objects=4, duration_s=30.0, contacts=1, near_misses=1)
    assert all(len(stops(generate(plan, seed))) <= 1 for seed in range(3))


LONG = Plan(objects=4, duration_s=5 * SECTION_S, contacts=12, near_misses=6, stops=5, crossings=4)


def test_a_long_log_is_one_log() -> None:
    """Its samples are even, nobody leaps at a seam, and nothing about it is doubtful."""
    log = generate(LONG, 1)
    assert log.duration_s == LONG.duration_s
    for track in log.tracks.values():
        assert set(np.diff(track.at_us)) == {STEP}
        moved = np.hypot(*np.diff(track.places[:, [0, 2]], axis=0).T)
        assert moved.max() <= 1.3 * LONG.fastest * LONG.step_s + 0.2
    found = encounters(log, hold_s=LONG.hold_s, again_s=LONG.again_s)
    assert found.contacts >= 12
    assert found.near_misses >= 6
    assert found.doubtful == 0
    assert len(contacts(log)) == found.contacts


def test_a_long_log_is_busy_throughout() -> None:
    """Each of its parts has its share."""
    starts = [contact.start_at for contact in contacts(generate(LONG, 2))]
    first = generate(LONG, 2).start_at
    shares = np.bincount([int((at - first).total_seconds() // SECTION_S) for at in starts], minlength=5)
    assert (shares >= 2).all()


def test_a_long_log_comes_again_from_its_seed() -> None:
    """And another from another."""
    one, again, other = generate(LONG, 3), generate(LONG, 3), generate(LONG, 4)
    assert all(np.array_equal(one.tracks[o].places, again.tracks[o].places) for o in one.objids)
    assert not np.array_equal(one.tracks["obj001"].places, other.tracks["obj001"].places)


def test_too_much_for_a_part_is_too_much_for_the_whole() -> None:
    """Refused, not drawn badly."""
    with pytest.raises(ValueError, match="fewer meetings"):
        generate(Plan(objects=2, duration_s=130.0, contacts=90, near_misses=0), 1, tries=2)
