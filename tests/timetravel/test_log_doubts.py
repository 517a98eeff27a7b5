"""What cannot be is asked about: units, steps, objects hardly seen. A sound log raises no question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.log_doubts import doubts
from extension.timetravel.trajectory import Track, Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory, stamp

SECOND_US = 1_000_000


def walk(
    count: int = 100,
    step_s: float = 0.2,
    speed_cm_s: float = 130.0,
    unit_cm: float = 1.0,
    start_s: float = 0.0,
) -> Track:
    """An object that walks to and fro over ten metres, its places in a unit of so many centimetres."""
    second = start_s + step_s * np.arange(count)
    way = np.abs((speed_cm_s * second) % 2000.0 - 1000.0) / unit_cm
    return Track(
        at_us=np.round(second * SECOND_US).astype(np.int64),
        places=np.stack((way, np.zeros(count), way / 2), axis=1),
    )


def told(**tracks: Track) -> tuple[str, ...]:
    """The doubts about these tracks."""
    places = np.concatenate([track.places for track in tracks.values()])
    return doubts(tracks, places.min(axis=0), places.max(axis=0))


def test_a_sound_log_raises_no_question() -> None:
    """People at five samples a second, in centimetres."""
    assert told(obj1=walk(), obj2=walk(speed_cm_s=80.0), obj3=walk(step_s=0.1)) == ()


@pytest.mark.parametrize(
    ("unit_cm", "words"),
    [
        pytest.param(100.0, "too slow for centimetres: are they metres?", id="metres"),
        pytest.param(0.1, "m/s if these are centimetres: are they millimetres?", id="millimetres"),
    ],
)
def test_units_that_cannot_be_are_asked_about(unit_cm: float, words: str) -> None:
    """With the figure that cannot be, and what happens all the same."""
    (doubt,) = told(obj1=walk(unit_cm=unit_cm), obj2=walk(unit_cm=unit_cm, speed_cm_s=90.0))
    assert words in doubt
    assert "Distances are taken in centimetres all the same" in doubt


@pytest.mark.parametrize("speed_cm_s", [15.0, 50.0, 200.0, 800.0])
def test_everything_from_a_crawl_to_a_forklift_is_believed(speed_cm_s: float) -> None:
    """No question about a slow robot or a fast truck."""
    assert told(obj1=walk(speed_cm_s=speed_cm_s), obj2=walk(speed_cm_s=speed_cm_s)) == ()


def test_standing_still_is_no_matter_of_units() -> None:
    """Nobody moves: the unit cannot be told."""
    still = walk(speed_cm_s=0.0)
    assert told(obj1=still, obj2=still) == ()


def test_a_few_steps_tell_nothing_of_units() -> None:
    """Three samples are no evidence."""
    assert told(obj1=walk(3, unit_cm=100.0), obj2=walk(3, unit_cm=100.0)) == ()


def test_all_on_one_spot_is_asked_about() -> None:
    """Fast movements within a hand's breadth."""
    at_us = SECOND_US // 5 * np.arange(100)
    spot = Track(at_us, np.tile([[0.0, 0, 0], [8.0, 0, 8.0]], (50, 1)))
    (doubt,) = told(obj1=spot)
    assert doubt.startswith(
        "all objects stay within 8 by 8 units, too little for centimetres: are they metres?"
    )


def test_a_site_as_large_as_a_country_is_asked_about() -> None:
    """Two objects that move as people do, 300 km from each other."""
    here, there = walk(), walk()
    far = Track(there.at_us, there.places + np.array([3e7, 0, 0]))
    (doubt,) = told(obj1=here, obj2=far)
    assert doubt.startswith("the objects spread over 300 by")


def test_very_uneven_steps_are_told() -> None:
    """With the first object's range, and how many there are."""
    track = walk(100)
    keep = np.ones(100, dtype=bool)
    keep[1::4] = keep[2::4] = keep[3::4] = False
    keep[60:] = True
    uneven = Track(track.at_us[keep], track.places[keep])
    (doubt,) = told(obj1=walk(), obj2=uneven, obj3=uneven)
    assert doubt == (
        "the steps of 2 objects are very uneven (first 'obj2': from 0.2 s to 0.8 s, usually 0.2 s)"
    )


def test_a_gap_now_and_then_is_not_uneven() -> None:
    """One step in twenty."""
    track = walk(100)
    keep = np.arange(100) % 25 != 10
    assert told(obj1=Track(track.at_us[keep], track.places[keep])) == ()


@pytest.mark.parametrize(
    ("others", "words"),
    [
        pytest.param(1, "1 object appears with one sample only in a log of 19.8 s (first 'once0')", id="one"),
        pytest.param(
            3, "3 objects appear with one sample only in a log of 19.8 s (first 'once0')", id="three"
        ),
    ],
)
def test_objects_hardly_seen_are_told(others: int, words: str) -> None:
    """One sample in twenty seconds."""
    once = {f"once{i}": walk(1, start_s=2.0 + i) for i in range(others)}
    assert told(obj1=walk(), **once) == (words,)


def test_in_a_log_of_an_instant_everyone_is_seen_once() -> None:
    """That is no oddity."""
    assert told(obj1=walk(1), obj2=walk(1, start_s=1.0)) == ()


def test_long_tracks_are_judged_by_samples_of_them() -> None:
    """Sixteen thousand steps of two hundred thousand find what is wrong everywhere."""
    (doubt,) = told(obj1=walk(200_000, unit_cm=100.0))
    assert "are they metres?" in doubt
    assert told(obj1=walk(200_000)) == ()


def test_memory_is_freed_after_each_object() -> None:
    """Long logs are looked at one object at a time."""
    freed: list[int] = []
    track = walk()
    free: Callable[[], None] = lambda: freed.append(1)  # noqa: E731 - a name for the type's sake
    doubts({"a": track, "b": track}, track.places.min(axis=0), track.places.max(axis=0), free)
    assert freed == [1, 1]


def test_a_reader_tells_them_with_the_rest() -> None:
    """After what was odd about the order of rows."""
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    track = walk(unit_cm=100.0)
    lines = [
        f"{stamp(start + dt.timedelta(microseconds=int(at)))},obj1,{x},{y},{z}\n"
        for at, (x, y, z) in zip(track.at_us, track.places.tolist(), strict=True)
    ]
    log = parse_trajectory("timestamp,objid,x,y,z\n" + "".join([lines[1], lines[0], *lines[2:]]))
    assert isinstance(log, Trajectory)
    assert [warning.split(":")[0][:28] for warning in log.warnings] == [
        "rows were not in time order",
        "objects usually move at 1.45",
    ]


@given(
    st.lists(
        st.tuples(st.integers(1, 10**7), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=50
    )
)
def test_whatever_the_numbers_the_doubts_are_sentences(steps: list[tuple[int, float, float]]) -> None:
    """No warning of arithmetic, no error, no empty word."""
    at_us = np.cumsum([step for step, _, _ in steps]).astype(np.int64)
    places = np.array([(x, 0.0, z) for _, x, z in steps])
    assert all(len(doubt) > 20 for doubt in told(obj1=Track(at_us, places), obj2=Track(at_us, places / 2)))
