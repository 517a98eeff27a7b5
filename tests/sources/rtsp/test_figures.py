"""What is drawn into simulated pictures looks as it should to whoever measures it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.rtsp.figures import Flames, Person, Vehicle, Yard, at
from extension.sources.rtsp.streams import Picture

SIZE = (320, 180)
PLAIN = 100


def drawn(*figures: Person | Vehicle | Flames, seconds: float = 0.0) -> Picture:
    """Figures on a plain ground."""
    picture: Picture = np.full((SIZE[1], SIZE[0], 3), PLAIN, np.uint8)
    for figure in figures:
        figure.paint(picture, seconds)
    return picture


def box(picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what stands out from the plain ground, pixels."""
    rows, columns = np.nonzero((picture != PLAIN).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


@given(st.floats(-5, 20))
def test_a_measure_stays_between_its_entries(seconds: float) -> None:
    """Even between two entries, standing before the first and after the last."""
    course = ((1.0, 2.0), (3.0, 6.0), (10.0, 4.0))
    value = at(course, seconds)
    assert 2.0 <= value <= 6.0
    assert at(course, -1) == 2.0
    assert at(course, 2.0) == pytest.approx(4.0)
    assert at(course, 99) == 4.0


def test_a_person_is_as_tall_as_asked_and_stands_on_its_feet() -> None:
    """Tall and narrow, at its place."""
    left, top, right, bottom = box(drawn(Person(((0.0, 0.8),), 0.7, 0.3)))
    assert bottom == pytest.approx(0.7 * 180, abs=4)
    assert bottom - top == pytest.approx(0.3 * 180, abs=6)
    assert bottom - top > 2 * (right - left)
    assert left < 0.8 * 180 < right


def test_a_person_on_the_ground_is_wide_and_lies_beside_its_feet() -> None:
    """To the side that it leans to."""
    left, top, right, bottom = box(drawn(Person(((0.0, 0.8),), 0.7, 0.3, lean=((0.0, 90.0),))))
    assert right - left > 2.5 * (bottom - top)
    assert right - 0.8 * 180 == pytest.approx(0.3 * 180, abs=6)
    assert left > 0.7 * 180


def test_who_bends_keeps_the_feet_and_lowers_the_head() -> None:
    """The legs stay upright."""
    upright, bent = (
        box(drawn(Person(((0.0, 0.8),), 0.7, 0.3, bend=((0.0, degrees),)))) for degrees in (0.0, 70.0)
    )
    assert bent[1] > upright[1] + 8
    assert bent[3] == pytest.approx(upright[3], abs=2)


def test_legs_swing_while_somebody_walks() -> None:
    """Pictures of walking differ by more than the place; standing ones do not differ."""
    walking = Person(((0.0, 0.5), (10.0, 2.5)), 0.7, 0.3)
    widths = {
        box(drawn(walking, seconds=s))[2] - box(drawn(walking, seconds=s))[0] for s in np.arange(0, 1, 0.1)
    }
    assert max(widths) >= min(widths) + 4
    standing = Person(((0.0, 0.8),), 0.7, 0.3)
    assert (drawn(standing, seconds=0.1) == drawn(standing, seconds=0.4)).all()


def test_a_vehicle_fills_its_box() -> None:
    """Long, low and solid."""
    picture = drawn(Vehicle(((0.0, 0.9),), 0.8, 0.3, 0.1, (30, 90, 200)))
    left, top, right, bottom = box(picture)
    assert right - left == pytest.approx(0.3 * 180, abs=3)
    assert bottom - top == pytest.approx(0.1 * 180, abs=4)
    inside = picture[top : bottom + 1, left : right + 1]
    assert (inside != PLAIN).any(axis=2).mean() > 0.8


def test_flames_flicker_and_have_their_colour() -> None:
    """Different at each instant, the same at the same one; nothing burns at size 0."""
    fire = Flames(0.9, 0.6, ((0.0, 0.0), (1.0, 0.2)), seed=3)
    assert (drawn(fire) == PLAIN).all()
    one, other = drawn(fire, seconds=1.0), drawn(fire, seconds=1.2)
    assert (one != other).any()
    assert (one == drawn(fire, seconds=1.0)).all()
    red, green, blue = (one[..., channel][(one != PLAIN).any(axis=2)].mean() for channel in range(3))
    assert red > green > blue
    assert red > 180


def test_a_yard_is_the_same_for_the_same_chance_and_nobody_can_change_it() -> None:
    """The empty picture is the caller's own."""
    yard, again = (Yard(SIZE, np.random.default_rng(4)) for _ in range(2))
    yard.empty()[:] = 0
    assert (yard.empty() == again.empty()).all()
    assert (yard.empty() != Yard(SIZE, np.random.default_rng(5)).empty()).any()
    assert yard.empty().shape == (180, 320, 3)


def test_the_sensor_is_noisy_and_follows_the_light() -> None:
    """A few grey levels from picture to picture, and brighter by the factor."""
    yard = Yard(SIZE, np.random.default_rng(4))
    one, other = (yard.exposed(yard.empty(), 1.0, roll).astype(int) for roll in (0, 1))
    assert 1.0 < np.std(one - other) < 8.0
    brighter = yard.exposed(yard.empty(), 1.1, 0).astype(float)
    assert brighter.mean() == pytest.approx(1.1 * one.mean(), rel=0.02)
