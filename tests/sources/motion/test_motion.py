"""The motion of a window is that of the pieces in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Span
from extension.sources.motion.motion import Motion, Part, together

STILL = Motion(moving=False)


def test_a_window_moves_when_any_of_its_pieces_does() -> None:
    """The most that changed, and all the seconds."""
    parts = [
        Part(Span(0, 2), STILL),
        Part(Span(2, 4), Motion(moving=True, share=0.02, moving_s=1.5, drift=0.01)),
        Part(Span(4, 6), Motion(moving=True, share=0.05, moving_s=0.5, drift=0.002)),
    ]
    assert together(parts, Span(0, 6)) == Motion(moving=True, share=0.05, moving_s=2.0, drift=0.01)


def test_a_piece_that_reaches_beyond_counts_for_what_lies_inside() -> None:
    """Segments do not begin where windows do."""
    parts = [Part(Span(-1.5, 0.5), Motion(moving=True, share=0.1, moving_s=2.0))]
    found = together(parts, Span(0, 10))
    assert found is not None
    assert (found.moving, found.moving_s) == (True, 0.5)


def test_a_window_is_frozen_when_all_of_it_is() -> None:
    """One living piece is enough."""
    frozen = Motion(moving=False, frozen=True)
    both, one = [Part(Span(0, 2), frozen), Part(Span(2, 4), frozen)], [Part(Span(4, 6), STILL)]
    assert together(both, Span(0, 4)) == frozen
    assert together([*both, *one], Span(0, 6)) == STILL


def test_pieces_that_cannot_be_measured_are_left_out() -> None:
    """Where there is no other, nothing can be told."""
    assert together([Part(Span(0, 2), None)], Span(0, 2)) is None
    assert together([], Span(0, 2)) is None
    assert together([Part(Span(0, 2), None), Part(Span(2, 4), STILL)], Span(0, 4)) == STILL


@pytest.mark.parametrize(
    ("motion", "slow"),
    [
        (STILL, False),
        (Motion(moving=True, share=0.1, moving_s=1.0), False),
        (Motion(moving=True, drift=0.1), True),
    ],
)
def test_a_change_that_no_two_pictures_show_is_slow(motion: Motion, *, slow: bool) -> None:
    """Smoke that fills a hall."""
    assert motion.slow is slow


@given(st.lists(st.floats(0, 2), min_size=1, max_size=8), st.floats(0, 16), st.floats(0.1, 10))
def test_a_window_never_moves_longer_than_it_lasts(
    moving: list[float], start_s: float, long_s: float
) -> None:
    """However its pieces lie."""
    parts = [
        Part(Span(2.0 * i, 2.0 * i + 2), Motion(moving=s > 0, share=0.1, moving_s=s))
        for i, s in enumerate(moving)
    ]
    found = together(parts, Span(start_s, start_s + long_s))
    assert found is not None
    assert found.moving_s <= long_s + 1e-9
