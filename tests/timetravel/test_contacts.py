"""Contacts from coordinates: runs below the threshold, by hand-made logs and by the lab's."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.timetravel import trajectory_pairs
from extension.timetravel.contacts import Contact, contact_seconds, contacts
from extension.timetravel.trajectory import Track, Trajectory, instant, micros
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


def moving(*samples: tuple[float, float], x: float = 0.0) -> Track:
    """Samples of (log second, z) on a line at x."""
    return Track(
        at_us=np.array([micros(at(s)) for s, _ in samples], dtype=np.int64),
        places=np.array([(x, 0.0, z) for _, z in samples], dtype=np.float64),
    )


def of_two(one: Track, other: Track) -> Trajectory:
    """Two objects."""
    return Trajectory(tracks={"obj001": one, "obj002": other})


WALL_CLOCK = [0.2 * i for i in range(151)]
PASSER = moving(*((s, 3000 - 200 * s) for s in WALL_CLOCK))


@pytest.mark.parametrize(
    ("other", "met"),
    [
        pytest.param(list(WALL_CLOCK), True, id="recorded-all-the-time"),
        pytest.param([s for s in WALL_CLOCK if s < 10], False, id="ended-before"),
        pytest.param([s for s in WALL_CLOCK if s > 20], False, id="begins-after"),
        pytest.param([s for s in WALL_CLOCK if not 12 < s < 18], False, id="in-a-hole"),
        pytest.param([s for s in WALL_CLOCK if not 14.5 < s < 15.3], True, id="over-less-than-a-second"),
    ],
)
def test_nobody_meets_what_was_not_recorded(other: list[float], met: bool) -> None:  # noqa: FBT001 - a parameter
    """One walks past where another stands, or stood, or will stand."""
    assert bool(contacts(of_two(PASSER, moving(*((s, 0.0) for s in other))))) is met


def test_where_a_track_ended_nobody_is_met_within_the_grace_either() -> None:
    """Being drawn for another second is not being there."""
    gone = moving((0.0, 0.0), (0.2, 0.0))
    comer = moving((0.0, 500.0), (0.2, 400.0), (0.4, 50.0), (0.6, 20.0))
    assert contacts(of_two(gone, comer)) == ()


def test_a_contact_ends_where_one_of_the_two_is_lost() -> None:
    """And another begins where it is found again."""
    still = moving(*((s, 0.0) for s in WALL_CLOCK))
    flickering = moving(*((s, 50.0) for s in WALL_CLOCK if not 3.1 < s < 6.9))
    found = spans(of_two(still, flickering))
    assert [(round(a, 1), round(b, 1)) for a, b in found] == [(0.0, 3.0), (7.0, 30.0)]


def test_a_part_has_the_contacts_of_its_time() -> None:
    """Cut at its edges."""
    whole = of_two(moving(*((s, 0.0) for s in WALL_CLOCK)), moving(*((s, 50.0) for s in WALL_CLOCK)))
    assert spans(whole.between(at(5.1), at(7.3))) == [(5.2, 7.2)]


def plainly(log: Trajectory, threshold_cm: float = 100.0) -> list[Contact]:
    """All contacts by looking at every pair at every instant, one after another."""
    first_us, last_us = log.span_us
    found = []
    for (one, a), (other, b) in itertools.combinations(log.tracks.items(), 2):
        holes = [hole_us(a), hole_us(b)]
        run: list[tuple[int, float]] = []
        previous, outside = None, 0
        for t in sorted({*a.at_us.tolist(), *b.at_us.tolist()}):
            if not first_us <= t <= last_us or not (recorded(a, t, holes[0]) and recorded(b, t, holes[1])):
                continue
            p, q = (np.array(track.place_at(t)) for track in (a, b))
            distance = float(np.hypot(p[0] - q[0], p[2] - q[2]))
            if run and (outside > 1 or t - previous > min(holes)):
                found.append((one, other, run))
                run = []
            if distance < threshold_cm:
                run, outside = [*run, (t, distance)], 0
            else:
                outside += 1
            previous = t
        if run:
            found.append((one, other, run))
    return [whole(log, one, other, run) for one, other, run in found]


def whole(log: Trajectory, one: str, other: str, run: list[tuple[int, float]]) -> Contact:
    """A run as a contact."""
    closest = min(run, key=lambda sample: (sample[1], sample[0]))
    return Contact(
        objects=(log.labels[one], log.labels[other]),
        start_at=instant(run[0][0]),
        end_at=instant(run[-1][0]),
        closest_cm=closest[1],
        closest_at=instant(closest[0]),
    )


def hole_us(one: Track) -> int:
    """The longest step that is no hole: a second, or two and a half usual steps up to ten seconds."""
    usual = float(np.median(np.diff(one.at_us))) if len(one.at_us) > 1 else 0.0
    return max(1_000_000, min(int(2.5 * usual), 10_000_000))


def recorded(one: Track, t: int, longest_us: int) -> bool:
    """At a sample, or between two that are no hole apart."""
    if t in one.at_us:
        return True
    earlier, later = one.at_us[one.at_us < t], one.at_us[one.at_us > t]
    return bool(len(earlier) and len(later) and later[0] - earlier[-1] <= longest_us)


@st.composite
def messy(draw: st.DrawFn) -> Trajectory:
    """Objects on ticks of their own or shared ones, with holes, beginnings and ends, roaming a small place or a large one."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    place_cm = draw(st.sampled_from([300.0, 2_000.0, 20_000.0]))
    shared = draw(st.booleans())
    tracks = {}
    for number in range(draw(st.integers(2, 5))):
        step_us = 200_000 if shared else int(chance.integers(50_000, 2_500_000))
        count = int(chance.integers(1, 120))
        at_us = (
            micros(START) + (0 if shared else int(chance.integers(0, 5_000_000))) + step_us * np.arange(count)
        )
        at_us = at_us + np.cumsum(chance.random(count) < draw(st.sampled_from([0.0, 0.05]))) * int(
            chance.integers(200_000, 30_000_000)
        )
        keep = chance.random(count) > draw(st.sampled_from([0.0, 0.2]))
        keep[0] = True
        walk = np.cumsum(chance.normal(0, place_cm / 12, (count, 2)), axis=0) + chance.uniform(0, place_cm, 2)
        where = np.abs((walk % (2 * place_cm)) - place_cm)
        tracks[f"obj{number}"] = Track(
            at_us[keep].astype(np.int64), np.stack((where[:, 0], np.zeros(count), where[:, 1]), axis=1)[keep]
        )
    return Trajectory(tracks=tracks)


def by_pair(found: Iterable[Contact]) -> list[Contact]:
    """In one order."""
    return sorted(found, key=lambda c: (c.start_at, c.objects))


@given(messy(), st.sampled_from([50.0, 100.0, 500.0]), st.integers(1, 8))
@settings(max_examples=120)
def test_skipping_what_is_far_apart_changes_nothing(log: Trajectory, threshold: float, blocks: int) -> None:
    """However many blocks are looked at together, contacts are those of looking at everything."""
    expected = plainly(log, threshold)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trajectory_pairs, "_BLOCKS_AT_ONCE", blocks)
        assert by_pair(contacts(log, threshold)) == by_pair(expected)


@given(messy(), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60)
def test_parts_skip_nothing_either(log: Trajectory, one: float, other: float) -> None:
    """Contacts of a part are those of looking at all of it."""
    first_us, last_us = log.span_us
    start, end = sorted(first_us + int(share * (last_us - first_us)) for share in (one, other))
    try:
        part = log.between(instant(start), instant(end))
    except BadInput:
        return
    assert by_pair(contacts(part)) == by_pair(plainly(part))


def test_a_log_with_years_of_nothing_in_it_takes_no_time() -> None:
    """Only stretches with samples are looked at."""
    times = [0.0, 0.2, 0.4, 3e9, 3e9 + 0.2]
    log = of_two(moving(*((s, 0.0) for s in times)), moving(*((s, 50.0) for s in times)))
    assert len(contacts(log)) == 2


def test_memory_is_freed_while_a_long_log_is_searched() -> None:
    """After each object's steps, then after every hour."""
    freed: list[int] = []
    ticks = [0.4 * i for i in range(22_500)]
    log = of_two(moving(*((s, 0.0) for s in ticks)), moving(*((s, 500.0) for s in ticks)))
    contacts(replace(log, release=lambda: freed.append(1)))
    assert len(freed) == 2 + 3


def test_a_crowd_is_searched_in_little_time() -> None:
    """Forty objects for a quarter of an hour in a hall: well under a second of computing."""
    chance = np.random.default_rng(5)
    at_us = micros(START) + 200_000 * np.arange(4_500)
    tracks = {}
    for number in range(40):
        way = np.cumsum(chance.normal(0, 20, (4_500, 2)), axis=0) + chance.uniform(0, 20_000, 2)
        tracks[f"obj{number}"] = Track(at_us, np.stack((way[:, 0], np.zeros(4_500), way[:, 1]), axis=1))
    began = time.process_time()
    found = contacts(Trajectory(tracks=tracks))
    assert time.process_time() - began < 5.0
    assert found
