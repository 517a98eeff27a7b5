"""Where things happened: nearest approach, hot spots, presence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.summary_places import SPOT_CM, hot_spots, nearest, presence
from extension.timetravel.trajectory import Track, Trajectory, micros
from tests.timetravel.summary_samples import START, at, log


def walk(*samples: tuple[float, float, float]) -> Track:
    """Samples of (log second, x, z)."""
    return Track(
        at_us=np.array([micros(at(s)) for s, _, _ in samples], dtype=np.int64),
        places=np.array([(x, 50.0, z) for _, x, z in samples], dtype=np.float64),
    )


def test_the_nearest_is_found_between_the_ends() -> None:
    """When, how near, and halfway between the two."""
    found = nearest(log(), ["1", "2"], at(5), at(20))
    assert found is not None
    assert found.apart_cm == pytest.approx(40.0)
    assert found.place == pytest.approx((200.0, 0.0))
    assert at(9.4) <= found.at <= at(10.6)


def test_only_what_lies_between_the_ends_counts() -> None:
    """The meeting at 10 s does not colour a moment at 14 s; the ends themselves are looked at."""
    found = nearest(log(), ["1", "2"], at(13.1), at(13.15))
    assert found is not None
    assert found.apart_cm > 500
    assert found.at in (at(13.1), at(13.15))


def test_of_three_objects_the_nearest_two_count() -> None:
    """And the third does not move their middle."""
    trajectory = Trajectory(
        tracks={
            "a": walk((0, 0, 0), (1, 0, 0)),
            "b": walk((0, 300, 0), (1, 60, 0)),
            "c": walk((0, 900, 0), (1, 900, 0)),
        }
    )
    found = nearest(trajectory, ["c", "a", "b"], START, at(1))
    assert found is not None
    assert (found.apart_cm, found.place) == (60.0, (30.0, 0.0))


def test_height_is_no_distance() -> None:
    """The ground decides: y is up."""
    high = Track(at_us=np.array([micros(START)], dtype=np.int64), places=np.array([[30.0, 9000.0, 40.0]]))
    trajectory = Trajectory(tracks={"a": walk((0, 0, 0)), "b": high})
    found = nearest(trajectory, ["a", "b"], START, START)
    assert found is not None
    assert found.apart_cm == pytest.approx(50.0)


@pytest.mark.parametrize("names", [[], ["1"], ["1", "1"], ["1", "nobody"]])
def test_fewer_than_two_known_objects_have_no_distance(names: list[str]) -> None:
    """Nothing is measured to what is not there."""
    assert nearest(log(), names, at(9), at(11)) is None


def test_an_end_before_the_start_is_an_instant() -> None:
    """A clock that was read wrongly does not break the summary."""
    found = nearest(log(), ["1", "2"], at(10), at(3))
    assert found is not None
    assert found.at == at(10)


def test_a_hot_spot_is_where_several_moments_were() -> None:
    """Most first; a lonely moment is none."""
    places = [(0.0, 0.0), (50.0, 0.0), (0.0, 50.0), (5000.0, 0.0), (5010.0, 0.0), (9000.0, 9000.0)]
    first, second = hot_spots(places)
    assert (first.count, second.count) == (3, 2)
    assert (first.x, first.z) == pytest.approx((50 / 3, 50 / 3))
    assert (second.x, second.z) == pytest.approx((5005.0, 0.0))


def test_a_row_of_moments_is_not_one_hot_spot() -> None:
    """Neighbours of neighbours do not chain: no spot is wider than twice its radius."""
    row = [(100.0 * n, 0.0) for n in range(40)]
    spots = hot_spots(row, radius_cm=200.0, most=100)
    assert len(spots) > 5
    assert max(spot.count for spot in spots) == 5


@pytest.mark.parametrize("places", [[], [(0.0, 0.0)], [(0.0, 0.0), (1000.0, 0.0)]])
def test_no_two_near_each_other_are_no_hot_spot(places: list[tuple[float, float]]) -> None:
    """Where nothing repeats, nothing is hot."""
    assert hot_spots(places) == ()


PLACES = st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), max_size=40)


@given(PLACES)
def test_every_moment_belongs_to_one_spot_at_most(places: list[tuple[float, float]]) -> None:
    """Counts never exceed the moments, come in order, and every centre is near that many of them."""
    spots = hot_spots(places, most=50)
    assert sum(spot.count for spot in spots) <= len(places)
    assert all(one.count >= other.count for one, other in itertools.pairwise(spots))
    for spot in spots:
        assert spot.count >= 2
        around = [np.hypot(x - spot.x, z - spot.z) <= 2 * SPOT_CM for x, z in places]
        assert sum(around) >= spot.count


@given(PLACES)
def test_the_order_of_moments_does_not_matter_to_their_number(places: list[tuple[float, float]]) -> None:
    """The largest spot is as large whichever way round they come."""
    one, other = hot_spots(places), hot_spots(places[::-1])
    assert (one[0].count if one else 0) == (other[0].count if other else 0)


def test_presence_adds_up_to_the_time_that_objects_were_there() -> None:
    """Three objects for a minute are three minutes, wherever the blur put them."""
    found = presence(log())
    assert found.object_s.sum() == pytest.approx(180.0, rel=0.01)
    assert found.object_s.shape == (len(found.z_cm) - 1, len(found.x_cm) - 1)
    assert (found.object_s >= 0).all()


def test_cells_are_square_and_hold_everybody() -> None:
    """The same size both ways, from before the first place to behind the last."""
    found = presence(log(), cells=40)
    sizes = np.concatenate([np.diff(found.x_cm), np.diff(found.z_cm)])
    assert sizes == pytest.approx(sizes[0])
    assert found.x_cm[0] < 0
    assert found.x_cm[-1] > 2600
    assert max(found.object_s.shape) <= 42


def test_somebody_who_stands_still_makes_a_dark_place() -> None:
    """Most time is where the object was, and a log of one place can be drawn."""
    still = presence(Trajectory(tracks={"a": walk(*[(s, 500.0, -70.0) for s in range(11)])}))
    row, column = np.unravel_index(int(still.object_s.argmax()), still.object_s.shape)
    assert still.x_cm[column] <= 500 <= still.x_cm[column + 1]
    assert still.z_cm[row] <= -70 <= still.z_cm[row + 1]
    assert still.object_s.sum() == pytest.approx(10, abs=0.1)


def test_nobody_is_anywhere_in_a_hole_of_the_log() -> None:
    """Between two samples ten seconds apart nothing was recorded."""
    gap = presence(Trajectory(tracks={"a": walk((0, 0, 0), (1, 0, 0), (11, 900, 0), (12, 900, 0))}))
    assert gap.object_s.sum() == pytest.approx(2.0, abs=0.2)


def test_a_long_log_is_sampled_not_swallowed() -> None:
    """Half a day of one object takes no more steps than it needs, and still adds up."""
    hours = 12
    samples = [(60.0 * n, 100.0 * (n % 7), 50.0 * (n % 5)) for n in range(hours * 60 + 1)]
    joined = [(s + extra, x, z) for s, x, z in samples for extra in (0.0, 0.5)]
    found = presence(Trajectory(tracks={"a": walk(*joined)}))
    assert found.object_s.sum() == pytest.approx(hours * 60 * 0.5, rel=0.3)
