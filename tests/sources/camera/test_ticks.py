"""Time stamps that are missing or stand still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.ticks import Ticks, begin, settle

FRAME = 3600


@pytest.mark.parametrize(
    ("shown", "decoded", "last", "delay", "wanted"),
    [
        pytest.param(0, 0, None, 0, Ticks(0, 0), id="as-it-should-be"),
        pytest.param(7200, 3600, Ticks(3600, 0), 0, Ticks(7200, 3600), id="reordered"),
        pytest.param(None, None, None, 0, None, id="nothing-is-known-yet"),
        pytest.param(None, None, Ticks(3600, 3600), 0, Ticks(7200, 7200), id="one-frame-on"),
        pytest.param(None, 7200, Ticks(3600, 3600), 0, Ticks(7200, 7200), id="shown-when-decoded"),
        pytest.param(7200, None, Ticks(3600, 3600), 0, Ticks(7200, 7200), id="decoded-when-shown"),
        pytest.param(7200, None, None, 7200, Ticks(7200, 0), id="decoded-earlier-where-frames-are-reordered"),
        pytest.param(3600, 3600, Ticks(3600, 3600), 0, Ticks(3601, 3601), id="time-that-stands-still"),
        pytest.param(3500, 3500, Ticks(3600, 3600), 0, Ticks(3601, 3601), id="a-wrong-guess"),
        pytest.param(0, 0, Ticks(90_000, 90_000), 0, Ticks(0, 0), id="a-camera-that-counts-anew"),
        pytest.param(100, 200, None, 0, Ticks(200, 200), id="never-shown-before-decoded"),
        pytest.param(-86, -86, None, 0, Ticks(-86, -86), id="before-zero"),
    ],
)
def test_settling(
    shown: int | None, decoded: int | None, last: Ticks | None, delay: int, wanted: Ticks | None
) -> None:
    """One rule each."""
    assert settle(shown, decoded, last, FRAME, delay) == wanted


STAMPS = st.one_of(st.none(), st.integers(0, 30 * FRAME))


@given(st.lists(st.tuples(STAMPS, STAMPS), max_size=40), st.sampled_from([0, 2 * FRAME]))
def test_a_file_can_hold_what_is_settled(stamps: list[tuple[int | None, int | None]], delay: int) -> None:
    """Decode times rise, but for jumps far back, and no frame is shown before it is decoded."""
    last: Ticks | None = None
    for shown, decoded in stamps:
        found = settle(shown, decoded, last, FRAME, delay)
        if found is None:
            assert last is None
            continue
        assert found.shown >= found.decoded
        assert last is None or found.decoded > last.decoded or found.decoded <= last.decoded - 10 * FRAME
        last = found


@pytest.mark.parametrize(
    ("stamps", "delay", "wanted"),
    [
        pytest.param([(0, 0)], 0, [(0, 0)], id="as-it-should-be"),
        pytest.param([(None, None), (3551, 3551)], 0, [(-49, -49), (3551, 3551)], id="the-first-has-none"),
        pytest.param(
            [(None, None), (17_895, None), (10_695, None), (14_295, 10_695)],
            7200,
            [(7095, -105), (17_895, 3495), (10_695, 7095), (14_295, 10_695)],
            id="reordered-frames",
        ),
        pytest.param(
            [(0, None), (10_800, None)], 7200, [(0, -7200), (10_800, -3600)], id="never-a-decode-time"
        ),
        pytest.param(
            [(None, None), (None, None), (7200, 7200)],
            0,
            [(0, 0), (3600, 3600), (7200, 7200)],
            id="two-have-none",
        ),
        pytest.param([(None, None), (None, None)], 0, [(None, None), (None, None)], id="none-has-any"),
        pytest.param([], 0, [], id="nothing-came"),
    ],
)
def test_the_first_frames_of_a_connection(
    stamps: list[tuple[int | None, int | None]], delay: int, wanted: list[tuple[int | None, int | None]]
) -> None:
    """Worked out from those that follow them."""
    assert begin(stamps, FRAME, delay) == wanted
