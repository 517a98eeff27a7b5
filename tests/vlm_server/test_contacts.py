"""From paths to contacts: overlaps, tangents, passes between frames, dropouts and hidden discs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlm_server.reference.skills.replay_view.contacts import contacts
from vlm_server.reference.skills.replay_view.naming import Path

RADIUS = 10.0
NOWHERE = float("nan")


def times(count: int, fps: float = 15.0) -> NDArray[np.float64]:
    """Return frame times."""
    return np.arange(count) / fps


def still(number: str, count: int, x: float = 100.0) -> Path:
    """Return a disc that stands."""
    return Path(number, np.tile([x, 50.0], (count, 1)))


def along(number: str, xs: list[float]) -> Path:
    """Return a disc that moves along x; not-a-number is out of sight."""
    return Path(number, np.array([(x, NOWHERE if np.isnan(x) else 50.0) for x in xs]))


def spans(*paths: Path) -> list[tuple[tuple[str, str], int, int]]:
    """Return pairs with first and last frame."""
    count = len(paths[0].places)
    return [(c.pair, c.first, c.last) for c in contacts(list(paths), times(count), RADIUS)]


@given(st.floats(1.0, 1.5))
def test_discs_that_only_touch_are_not_in_contact(gap: float) -> None:
    """Tangent or apart, standing: nothing."""
    assert spans(still("1", 20), still("2", 20, 100 + gap * 2 * RADIUS)) == []


@given(st.floats(0.0, 0.95))
def test_discs_over_one_another_are_in_contact_throughout(gap: float) -> None:
    """Any real overlap counts, from the first frame to the last."""
    assert spans(still("1", 20), still("2", 20, 100 + gap * 2 * RADIUS)) == [(("1", "2"), 0, 19)]


@given(st.lists(st.floats(70, 130), min_size=2, max_size=40))
def test_contacts_cover_exactly_the_overlapping_frames(xs: list[float]) -> None:
    """Every deep frame is covered, and no contact begins or ends far from an overlap."""
    covered = np.zeros(len(xs), bool)
    for _, first, last in spans(still("1", len(xs)), along("2", xs)):
        covered[first : last + 1] = True
    away = np.abs(np.array(xs) - 100)
    assert covered[away < 0.96 * 2 * RADIUS].all()
    if (away > 2 * RADIUS).all() and np.abs(np.diff(xs)).max() < 0.6 * RADIUS:
        assert not covered.any()


def test_a_pass_between_two_frames_is_seen() -> None:
    """Fast discs may be on either side of each other in two frames, and in neither overlap."""
    assert spans(still("1", 4), along("2", [40.0, 75.0, 125.0, 160.0])) == [(("1", "2"), 1, 1)]


def test_a_jump_across_the_picture_is_no_pass() -> None:
    """A seek is not a motion."""
    assert spans(still("1", 4), along("2", [20.0, 20.0, 300.0, 300.0])) == []


def test_one_missed_frame_does_not_break_a_contact_and_a_gap_does() -> None:
    """A dropout is bridged; parting and meeting again are two contacts."""
    near, far = 105.0, 130.0
    xs = [far, near, near, far, near, far, far, far, far, near]
    assert spans(still("1", 10), along("2", xs)) == [(("1", "2"), 1, 4), (("1", "2"), 9, 9)]


def test_a_hidden_stretch_is_crossed_in_a_straight_line() -> None:
    """A disc that goes under another and comes out again was over it meanwhile."""
    xs = [70.0, 76.0, 84.0, NOWHERE, NOWHERE, NOWHERE, 116.0, 124.0, 130.0]
    assert spans(still("1", 9), along("2", xs)) == [(("1", "2"), 2, 6)]


def test_a_disc_that_vanishes_over_another_stays_in_contact() -> None:
    """Out of sight is not out of contact, before or after."""
    assert spans(still("1", 6), along("2", [70.0, 84.0, 90.0, NOWHERE, NOWHERE, NOWHERE])) == [
        (("1", "2"), 1, 5)
    ]
    assert spans(still("1", 5), along("2", [NOWHERE, NOWHERE, 95.0, 84.0, 70.0])) == [(("1", "2"), 0, 3)]


def test_a_disc_that_vanishes_in_the_open_touches_nothing() -> None:
    """A lost disc is not assumed anywhere."""
    assert spans(still("1", 6), along("2", [170.0, 150.0, 140.0, NOWHERE, NOWHERE, NOWHERE])) == []


@pytest.mark.parametrize(
    ("one", "two", "pair"), [("10", "9", ("9", "10")), ("2", "1", ("1", "2")), ("07", "3", ("3", "07"))]
)
def test_pairs_are_named_in_the_order_of_their_numbers(one: str, two: str, pair: tuple[str, str]) -> None:
    """The same pair has the same name in every chunk."""
    assert [c[0] for c in spans(still(one, 3), still(two, 3, 105))] == [pair]


def test_every_pair_of_a_heap_is_reported() -> None:
    """One event per overlapping pair."""
    heap = [still("1", 3), still("2", 3, 108), still("3", 3, 116), still("4", 3, 200)]
    assert [c[0] for c in spans(*heap)] == [("1", "2"), ("1", "3"), ("2", "3")]
