"""Trajectories as values: places between samples, labels, and looking objects up."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Position
from extension.timetravel.trajectory import Track, Trajectory, instant, label_of, label_order, micros

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
