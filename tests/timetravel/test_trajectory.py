"""Trajectories as values: places between samples, labels, and looking objects up."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.model import Position
from extension.timetravel.trajectory import (
    Fill,
    Track,
    Trajectory,
    instant,
    label_of,
    label_order,
    micros,
)

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    """That many seconds into the log."""
    return START + dt.timedelta(seconds=seconds)


def track(*samples: tuple[float, float]) -> Track:
    """Samples of (log second, x); y is twice x, z three times."""
    return Track(
        at_us=np.array([micros(at(s)) for s, _ in samples], dtype=np.int64),
        places=np.array([(x, 2 * x, 3 * x) for _, x in samples], dtype=np.float64),
    )


def x_at(one: Track, seconds: float) -> float:
    """The x of a track at a log second."""
    return float(one.places_at(np.array([micros(at(seconds))], dtype=np.int64))[0, 0])


@pytest.mark.parametrize(
    ("objid", "label"),
    [
        pytest.param("obj001", "1", id="three-digits"),
        pytest.param("obj020", "20", id="zero-at-the-end-stays"),
        pytest.param("obj1234", "1234", id="more-than-three-digits"),
        pytest.param("obj000", "0", id="nought"),
        pytest.param("7", "7", id="plain-number"),
        pytest.param("forklift", "forklift", id="word"),
        pytest.param("a1b", "a1b", id="number-inside"),
        pytest.param("lane2_cart07", "lane2_cart07", id="two-numbers"),
    ],
)
def test_a_label_is_the_number_at_the_end_without_zeros(objid: str, label: str) -> None:
    """What is drawn on an object follows from its id."""
    assert label_of(objid) == label


def test_labels_sort_by_number_then_by_word() -> None:
    """2 comes before 10, and words come last."""
    assert sorted(["10", "worker", "2", "obj001"], key=label_order) == ["obj001", "2", "10", "worker"]


@pytest.mark.parametrize(
    ("seconds", "x"),
    [
        pytest.param(-5.0, 0.0, id="before-the-first-sample-is-the-first"),
        pytest.param(0.0, 0.0, id="on-a-sample"),
        pytest.param(0.25, 2.5, id="between-samples-on-a-line"),
        pytest.param(1.0, 10.0, id="on-the-sample-before-a-gap"),
        pytest.param(2.0, 10.0, id="in-a-gap-the-last-known"),
        pytest.param(3.999, 10.0, id="to-the-end-of-the-gap"),
        pytest.param(4.0, 40.0, id="after-the-gap"),
        pytest.param(99.0, 40.0, id="after-the-last-sample-is-the-last"),
    ],
)
def test_a_place_between_samples(seconds: float, x: float) -> None:
    """Straight lines up to a second, else the last known place."""
    assert x_at(track((0.0, 0.0), (1.0, 10.0), (4.0, 40.0)), seconds) == pytest.approx(x)


def test_a_single_sample_holds_for_ever() -> None:
    """An object seen once is where it was seen."""
    assert [x_at(track((3.0, 7.0)), s) for s in (0.0, 3.0, 9.0)] == [7.0, 7.0, 7.0]


@given(
    xs=st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=20),
    seconds=st.floats(-2, 30),
)
def test_an_object_is_never_outside_its_samples(xs: list[float], seconds: float) -> None:
    """Interpolation stays between the neighbours."""
    found = x_at(track(*((0.5 * i, x) for i, x in enumerate(xs))), seconds)
    assert min(xs) - 1e-6 <= found <= max(xs) + 1e-6


@given(st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2200, 1, 1)))  # noqa: DTZ001 - hypothesis asks for naive bounds
def test_microseconds_and_instants_are_inverse(naive: dt.datetime) -> None:
    """No rounding between the two."""
    moment = naive.replace(tzinfo=dt.UTC)
    assert instant(micros(moment)) == moment


def test_arrays_of_a_track_cannot_be_changed() -> None:
    """A value stays what it was."""
    frozen = track((0.0, 1.0))
    with pytest.raises(ValueError, match="read-only"):
        frozen.places[0, 0] = 5.0


def test_positions_name_every_object_in_number_order() -> None:
    """All objects, with their own ids."""
    log = Trajectory(tracks={"obj010": track((0.0, 1.0)), "obj002": track((0.0, 2.0))})
    assert log.objids == ("obj002", "obj010")
    assert log.positions_at(at(0)) == (Position("obj002", 2, 4, 6), Position("obj010", 1, 2, 3))


def test_positions_of_takes_labels_and_ids_and_leaves_strangers_out() -> None:
    """A label, an id with zeros, and the same object twice: one place each."""
    log = Trajectory(tracks={"obj001": track((0.0, 1.0)), "obj002": track((0.0, 2.0))})
    found = log.positions_of(["2", "obj001", "01", "9", "obj002"], at(0))
    assert [place.objid for place in found] == ["obj002", "obj001"]


@pytest.mark.parametrize(
    ("name", "objid"), [("1", "obj001"), ("001", "obj001"), ("obj001", "obj001"), ("9", None), ("", None)]
)
def test_an_object_is_found_by_label_or_id(name: str, objid: str | None) -> None:
    """None for an object that the log does not know."""
    assert Trajectory(tracks={"obj001": track((0.0, 1.0))}).objid_of(name) == objid


def test_objects_that_would_share_a_label_keep_their_ids_as_labels() -> None:
    """Nobody is mistaken for another."""
    log = Trajectory(tracks={name: track((0.0, 1.0)) for name in ("obj001", "cart1", "obj002")})
    assert dict(log.labels) == {"obj001": "obj001", "cart1": "cart1", "obj002": "2"}
    assert log.objid_of("1") is None


def test_a_log_spans_from_its_first_sample_to_its_last() -> None:
    """Whoever they belong to, and in aware UTC."""
    log = Trajectory(tracks={"a1": track((1.0, 0.0), (2.0, 0.0)), "a2": track((1.5, 0.0), (9.0, 0.0))})
    assert (log.start_at, log.end_at, log.duration_s) == (at(1), at(9), 8.0)
    assert log.start_at.tzinfo is dt.UTC


def when(*seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Log seconds as instants in microseconds."""
    return np.array([micros(at(s)) for s in seconds], dtype=np.int64)


@pytest.mark.parametrize(
    ("seconds", "interpolated", "last_known"),
    [
        pytest.param(-1.0, 0.0, 0.0, id="before-the-first"),
        pytest.param(0.0, 0.0, 0.0, id="on-a-sample"),
        pytest.param(0.6, 6.0, 0.0, id="between-samples"),
        pytest.param(1.0, 10.0, 10.0, id="an-exact-sample-wins-in-both"),
        pytest.param(2.5, 10.0, 10.0, id="in-a-gap"),
        pytest.param(9.0, 40.0, 40.0, id="after-the-last"),
    ],
)
def test_what_stands_between_samples_is_chosen(
    seconds: float, interpolated: float, last_known: float
) -> None:
    """A line, or the last known place."""
    one = track((0.0, 0.0), (1.0, 10.0), (4.0, 40.0))
    assert one.places_at(when(seconds), Fill.INTERPOLATED)[0, 0] == pytest.approx(interpolated)
    assert one.places_at(when(seconds), Fill.LAST_KNOWN)[0, 0] == pytest.approx(last_known)
    log = Trajectory(tracks={"obj001": one})
    assert log.positions_at(at(seconds), Fill.LAST_KNOWN)[0].x == pytest.approx(last_known)
    assert log.positions_of(["1"], at(seconds), Fill.LAST_KNOWN)[0].x == pytest.approx(last_known)


steps = st.lists(st.integers(1, 3_000_000), min_size=1, max_size=12)


def irregular(pauses_us: list[int]) -> Track:
    """A track with these pauses between its samples."""
    at_us = micros(START) + np.cumsum([0, *pauses_us]).astype(np.int64)
    return Track(at_us=at_us, places=np.random.default_rng(3).normal(0, 500, (len(at_us), 3)))


@given(steps, st.lists(st.integers(-3_000_000, 40_000_000), max_size=20), st.sampled_from(Fill))
def test_one_instant_is_told_as_many_are(pauses_us: list[int], offsets_us: list[int], fill: Fill) -> None:
    """To the last bit."""
    one = irregular(pauses_us)
    asked = np.array([micros(START) + offset for offset in offsets_us] + one.at_us.tolist(), dtype=np.int64)
    assert [one.place_at(int(t), fill) for t in asked] == [
        tuple(p) for p in one.places_at(asked, fill).tolist()
    ]


@pytest.mark.parametrize(
    ("seconds", "present"),
    [
        pytest.param(-1.001, False, id="before-the-grace"),
        pytest.param(-1.0, True, id="in-the-grace-before"),
        pytest.param(0.0, True, id="on-the-first"),
        pytest.param(5.0, True, id="in-a-gap-of-ten-seconds"),
        pytest.param(10.0, True, id="after-it"),
        pytest.param(11.0, True, id="in-the-grace-of-a-longer-gap"),
        pytest.param(11.001, False, id="in-the-longer-gap"),
        pytest.param(20.05, False, id="to-its-end"),
        pytest.param(20.1, True, id="on-the-last"),
        pytest.param(21.1, True, id="in-the-grace-after"),
        pytest.param(21.101, False, id="after-the-grace"),
    ],
)
def test_an_object_is_there_while_it_is_recorded(seconds: float, present: bool) -> None:  # noqa: FBT001 - a parameter
    """Not before it begins, after it has ended, or in a gap of more than ten seconds; but for a second of grace."""
    one = track((0.0, 0.0), (10.0, 1.0), (20.1, 2.0))
    assert one.present_at(when(seconds)).tolist() == [present]
    log = Trajectory(tracks={"obj001": one})
    assert log.present_at(at(seconds)) == (("obj001",) if present else ())


def test_the_limits_of_being_there_can_be_chosen() -> None:
    """In microseconds."""
    one = track((0.0, 0.0), (3.0, 1.0))
    assert one.present_at(when(-0.5, 0.0, 1.5, 3.0, 3.5), absent_us=2_000_000, grace_us=0).tolist() == [
        False, True, False, True, False,
    ]  # fmt: skip


@given(steps, st.integers(-2_000_000, 40_000_000))
def test_an_object_is_there_at_its_samples_and_near_them(pauses_us: list[int], offset_us: int) -> None:
    """And nowhere more than a second away from them without a bridge."""
    one = irregular(pauses_us)
    assert one.present_at(one.at_us).all()
    asked = micros(START) + offset_us
    nearest_us = int(np.abs(one.at_us - asked).min())
    inside = one.at_us[0] <= asked <= one.at_us[-1]
    (present,) = one.present_at(np.array([asked], dtype=np.int64)).tolist()
    assert present == (inside or nearest_us <= 1_000_000)


def log_of_two() -> Trajectory:
    """One object all the time, another from 4 s to 6 s."""
    return Trajectory(
        tracks={
            "obj001": track(*((0.5 * i, float(i)) for i in range(21))),
            "obj002": track((4.0, 100.0), (5.0, 200.0), (6.0, 300.0)),
        },
        warnings=("odd",),
    )


def test_a_part_has_the_places_of_the_whole() -> None:
    """Up to its edges, whichever way places between samples are told."""
    whole = log_of_two()
    part = whole.between(at(4.3), at(5.2))
    assert (part.start_at, part.end_at, part.duration_s) == (at(4.3), at(5.2), 0.9)
    assert part.warnings == ("odd",)
    for fill in Fill:
        for second in (4.3, 4.5, 4.75, 5.0, 5.2):
            assert part.positions_at(at(second), fill) == whole.positions_at(at(second), fill)
            assert part.present_at(at(second)) == whole.present_at(at(second))


def test_a_part_is_clamped_to_the_log() -> None:
    """Asking for more gives what there is."""
    part = log_of_two().between(at(-100), at(2.25))
    assert (part.start_at, part.end_at) == (at(0), at(2.25))
    assert log_of_two().between(at(8), at(99)).end_at == at(10)


def test_objects_that_were_not_there_are_left_out_of_a_part() -> None:
    """The others keep their labels, whatever these were because of them."""
    names = {"obj001": "obj1", "obj002": "obj001"}
    whole = Trajectory(tracks={names[name]: one for name, one in log_of_two().tracks.items()})
    assert dict(whole.labels) == {"obj1": "obj1", "obj001": "obj001"}
    part = whole.between(at(8), at(9))
    assert part.objids == ("obj1",)
    assert dict(part.labels) == {"obj1": "obj1"}
    assert whole.between(at(3.5), at(3.9)).objids == ("obj001", "obj1")


def test_a_part_copies_nothing() -> None:
    """Its samples are the log's own."""
    whole = log_of_two()
    part = whole.between(at(2), at(8))
    assert all(np.shares_memory(part.tracks[o].places, whole.tracks[o].places) for o in part.objids)


def test_a_part_of_a_part_is_a_part() -> None:
    """Never wider than the part it is of."""
    part = log_of_two().between(at(2), at(8)).between(at(1), at(5.5))
    assert (part.start_at, part.end_at) == (at(2), at(5.5))
    assert part.positions_at(at(5.5)) == log_of_two().positions_at(at(5.5))


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        pytest.param(5, 5, "must end after", id="no-time"),
        pytest.param(6, 5, "must end after", id="backwards"),
        pytest.param(11, 12, "nothing was recorded from", id="after-the-log"),
        pytest.param(-5, 0, "nothing was recorded from", id="before-the-log"),
    ],
)
def test_a_part_that_is_none_is_refused(start: float, end: float, reason: str) -> None:
    """With the reason."""
    with pytest.raises(BadInput, match=reason):
        log_of_two().between(at(start), at(end))


def test_a_part_in_which_nobody_was_there_is_refused() -> None:
    """All gone for a minute."""
    log = Trajectory(tracks={"obj001": track((0.0, 0.0), (60.0, 1.0))})
    with pytest.raises(BadInput, match="nobody was recorded from"):
        log.between(at(20), at(30))


@given(steps, st.floats(0, 1), st.floats(0.01, 1))
def test_every_part_agrees_with_the_whole(pauses_us: list[int], begin: float, length: float) -> None:
    """Places, and who was there, at samples and between them."""
    whole = Trajectory(tracks={"obj001": irregular(pauses_us)})
    first_us, last_us = whole.span_us
    start_us = first_us + int(begin * (last_us - first_us))
    end_us = start_us + max(1, int(length * (last_us - start_us)))
    if start_us >= last_us:
        return
    part = whole.between(instant(start_us), instant(end_us))
    start_us, end_us = part.span_us
    asked = np.linspace(start_us, end_us, 23).astype(np.int64)
    one, other = part.tracks["obj001"], whole.tracks["obj001"]
    assert np.array_equal(one.places_at(asked), other.places_at(asked))
    assert np.array_equal(one.present_at(asked), other.present_at(asked))


def test_labels_of_ones_own_are_drawn_and_found() -> None:
    """In place of the numbers in the ids."""
    tracks = {name: track((0.0, 1.0)) for name in ("obj001", "obj002")}
    log = Trajectory(tracks=tracks, named={"obj002": "F7"})
    assert dict(log.labels) == {"obj001": "1", "obj002": "F7"}
    assert log.objid_of("F7") == "obj002"


def test_two_objects_with_one_label_are_refused_by_name() -> None:
    """Nobody could tell them apart."""
    tracks = {name: track((0.0, 1.0)) for name in ("obj001", "obj002")}
    with pytest.raises(BadInput, match="the label 'F7' is given to more than one object: 'obj001', 'obj002'"):
        Trajectory(tracks=tracks, named={"obj001": "F7", "obj002": "F7"})
