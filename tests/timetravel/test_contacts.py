"""Contacts from coordinates: runs below the threshold, by hand-made logs and by the lab's."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.contacts import Contact, contact_seconds, contacts
from extension.timetravel.trajectory import Track, Trajectory, micros
from extension.timetravel.trajectory_csv import read_trajectory

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)

GT1 = {
    0: ("2", "4"), 28: ("1", "4"), 30: ("2", "4"), 31: ("2", "4"), 33: ("3", "4"), 39: ("1", "4"), 40: ("1", "4"),
    41: ("1", "3"), 42: ("1", "3"), 51: ("2", "4"), 54: ("2", "3"), 56: ("1", "2"), 57: ("1", "2"),
}  # fmt: skip


def at(seconds: float) -> dt.datetime:
    """That many seconds into the log."""
    return START + dt.timedelta(seconds=seconds)


def track(*samples: tuple[float, float], y: float = 0.0) -> Track:
    """Samples of (log second, z)."""
    return Track(
        at_us=np.array([micros(at(s)) for s, _ in samples], dtype=np.int64),
        places=np.array([(0.0, y, z) for _, z in samples], dtype=np.float64),
    )


def pair(distances: list[float], step_s: float = 0.2) -> Trajectory:
    """Object 1 stands still, object 2 at these distances from it."""
    still = track(*((i * step_s, 0.0) for i in range(len(distances))))
    return Trajectory(
        tracks={"obj001": still, "obj002": track(*((i * step_s, d) for i, d in enumerate(distances)))}
    )


def spans(trajectory: Trajectory) -> list[tuple[float, float]]:
    """Start and end of each contact, log seconds."""
    return [
        (round((c.start_at - START).total_seconds(), 3), round((c.end_at - START).total_seconds(), 3))
        for c in contacts(trajectory)
    ]


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        pytest.param([200, 200, 200], [], id="never-near"),
        pytest.param([200, 100, 200], [], id="touching-is-not-overlapping"),
        pytest.param([200, 99.9, 200], [(0.2, 0.2)], id="one-sample"),
        pytest.param([50, 60, 200], [(0.0, 0.2)], id="from-the-start"),
        pytest.param([200, 60, 50], [(0.2, 0.4)], id="to-the-end"),
        pytest.param([50, 200, 50], [(0.0, 0.4)], id="a-single-sample-apart-is-bridged"),
        pytest.param([50, 200, 200, 50], [(0.0, 0.0), (0.6, 0.6)], id="two-samples-apart-are-not"),
        pytest.param([50, 200, 50, 200, 50], [(0.0, 0.8)], id="bridged-twice"),
    ],
)
def test_contacts_are_runs_below_the_threshold(
    distances: list[float], expected: list[tuple[float, float]]
) -> None:
    """Maximal runs, bridged over a single sample."""
    assert spans(pair(distances)) == expected


def test_a_contact_knows_its_closest_moment() -> None:
    """Distance and instant of the smallest sample."""
    assert contacts(pair([200, 80, 20, 90, 200])) == (
        Contact(objects=("1", "2"), start_at=at(0.2), end_at=at(0.6), closest_cm=20.0, closest_at=at(0.4)),
    )


def test_height_does_not_count() -> None:
    """One above the other is contact on the ground plane."""
    log = Trajectory(tracks={"obj001": track((0, 0)), "obj002": track((0, 50), y=900.0)})
    assert len(contacts(log)) == 1


def test_the_threshold_can_be_chosen() -> None:
    """In centimetres."""
    assert not contacts(pair([90, 90]), threshold_cm=80)
    assert contacts(pair([90, 90]), threshold_cm=91)


def test_a_hole_in_the_log_ends_a_contact() -> None:
    """What was not recorded was not seen."""
    times = [0.0, 0.2, 0.4, 0.6, 9.0, 9.2, 9.4]
    log = Trajectory(
        tracks={n: track(*((s, z) for s in times)) for n, z in (("obj001", 0.0), ("obj002", 50.0))}
    )
    assert spans(log) == [(0.0, 0.6), (9.0, 9.4)]


def test_a_slow_log_is_not_all_holes() -> None:
    """Samples every two seconds make one contact, not many."""
    assert spans(pair([50, 50, 50, 200], step_s=2.0)) == [(0.0, 4.0)]


def test_objects_on_different_ticks_are_compared_while_both_are_there() -> None:
    """The other's place is interpolated; before it appears there is no contact."""
    one = track((0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.5, 0.0))
    other = track((0.7, 50.0), (1.2, 150.0))
    assert spans(Trajectory(tracks={"obj001": one, "obj002": other})) == [(0.7, 0.7)]


def test_one_object_has_no_contacts() -> None:
    """Nobody to touch."""
    assert contacts(Trajectory(tracks={"obj001": track((0, 0))})) == ()


def test_pairs_are_in_number_order() -> None:
    """2 before 10, at the same instant by pair."""
    here = {name: track((0, 0)) for name in ("obj010", "obj002", "obj001")}
    assert [c.objects for c in contacts(Trajectory(tracks=here))] == [("1", "2"), ("1", "10"), ("2", "10")]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=40))
def test_contacts_cover_exactly_the_seconds_of_their_samples(distances: list[float]) -> None:
    """Every sample below the threshold is in one contact, and its second in the set."""
    log = pair(distances)
    below = [i * 0.2 for i, d in enumerate(distances) if d < 100]
    found = spans(log)
    assert all(sum(start - 1e-6 <= s <= end + 1e-6 for start, end in found) == 1 for s in below)
    assert {second for second, _ in contact_seconds(log)} == {int(round(s * 10) // 10) for s in below}


def test_seconds_are_counted_from_the_whole_second_the_log_begins_in() -> None:
    """A log that begins at half past still shows clock seconds."""
    log = Trajectory(tracks={n: track((0.5, 0.0), (1.1, 0.0)) for n in ("obj001", "obj002")})
    assert contact_seconds(log) == {(0, ("1", "2")), (1, ("1", "2"))}


@pytest.mark.footage
def test_the_labs_ground_truth_follows_from_its_log(footage_log: Path) -> None:
    """All 13 seconds with their pairs, and no other."""
    assert contact_seconds(read_trajectory(footage_log)) == set(GT1.items())


@pytest.mark.footage
def test_the_labs_log_holds_nine_contacts(footage_log: Path) -> None:
    """With the closest distances that the lab's objects came to."""
    found = contacts(read_trajectory(footage_log))
    assert [(c.objects, round(c.closest_cm)) for c in found[1:]] == [
        (("1", "4"), 73), (("2", "4"), 13), (("3", "4"), 88), (("1", "4"), 8),
        (("1", "3"), 13), (("2", "4"), 58), (("2", "3"), 68), (("1", "2"), 16),
    ]  # fmt: skip
    assert found[0].objects == ("2", "4")


paths = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=3, max_size=15)


def roaming(
    walks: list[list[tuple[float, float]]], shift_cm: float = 0.0, delay_s: float = 0.0
) -> Trajectory:
    """Objects on these (x, z) paths, all as long as the shortest."""
    ticks = min(map(len, walks))
    at_us = np.array([micros(at(delay_s + 0.2 * i)) for i in range(ticks)], dtype=np.int64)
    return Trajectory(
        tracks={
            f"obj{n:03d}": Track(
                at_us.copy(), np.array([(x + shift_cm, 0.0, z - shift_cm) for x, z in walk[:ticks]])
            )
            for n, walk in enumerate(walks, start=1)
        }
    )


@given(st.lists(paths, min_size=2, max_size=4))
def test_contacts_do_not_depend_on_where_or_when(walks: list[list[tuple[float, float]]]) -> None:
    """The same walk elsewhere and later gives the same contacts, later."""
    here, there = contacts(roaming(walks)), contacts(roaming(walks, shift_cm=512.0, delay_s=60.0))
    minute = dt.timedelta(seconds=60)
    assert [(c.objects, c.start_at + minute, c.end_at + minute) for c in here] == [
        (c.objects, c.start_at, c.end_at) for c in there
    ]


@given(st.lists(paths, min_size=2, max_size=4))
def test_contacts_are_in_order_and_inside_the_log(walks: list[list[tuple[float, float]]]) -> None:
    """By time; each with its closest moment inside, below the threshold; contacts of a pair never touch."""
    log = roaming(walks)
    found = contacts(log)
    assert [c.start_at for c in found] == sorted(c.start_at for c in found)
    for contact in found:
        assert log.start_at <= contact.start_at <= contact.closest_at <= contact.end_at <= log.end_at
        assert contact.closest_cm < 100
        one, other = log.positions_of(contact.objects, contact.closest_at)
        assert np.hypot(one.x - other.x, one.z - other.z) == pytest.approx(contact.closest_cm)
    for pair_of in {c.objects for c in found}:
        mine = [c for c in found if c.objects == pair_of]
        assert all((b.start_at - a.end_at).total_seconds() > 0.4 + 1e-6 for a, b in itertools.pairwise(mine))


@given(st.lists(paths, min_size=2, max_size=4), st.floats(10, 90))
def test_a_smaller_threshold_finds_no_further_seconds(
    walks: list[list[tuple[float, float]]], threshold: float
) -> None:
    """Only fewer."""
    log = roaming(walks)
    assert contact_seconds(log, threshold) <= contact_seconds(log)
