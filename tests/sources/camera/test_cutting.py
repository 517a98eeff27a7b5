"""Where frames are cut into segments."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.cutting import Cut, Frame, Limits, Open, cut

LIMITS = Limits(target_s=2.0, early_s=0.25, most_s=10.0, most_bytes=1000, gap_s=1.0)


def frame(
    decode_s: float, *, key: bool = False, size: int = 1, changed: bool = False, awaited: bool = False
) -> Frame:
    """A frame."""
    return Frame(decode_s, size, key, changed, awaited)


def opened(start_s: float, last_s: float, size: int = 10) -> Open:
    """A segment under way."""
    return Open(start_s, last_s, size)


@pytest.mark.parametrize(
    ("current", "new", "wanted"),
    [
        pytest.param(None, frame(0.0, key=True), Cut.BEGIN, id="the-first-key-frame-begins"),
        pytest.param(None, frame(0.0), Cut.SKIP, id="nothing-begins-without-one"),
        pytest.param(opened(0, 1), frame(1.04), Cut.JOIN, id="frames-join"),
        pytest.param(opened(0, 1.96), frame(2.0), Cut.JOIN, id="no-cut-without-a-key-frame"),
        pytest.param(opened(0, 0.96), frame(1.0, key=True), Cut.JOIN, id="an-early-key-frame-joins"),
        pytest.param(opened(0, 1.96), frame(2.0, key=True), Cut.BEGIN, id="a-key-frame-in-time-cuts"),
        pytest.param(opened(0, 1.88), frame(1.92, key=True), Cut.BEGIN, id="nearly-in-time-cuts-too"),
        pytest.param(opened(0, 4.96), frame(5.0, key=True), Cut.BEGIN, id="a-late-key-frame-cuts"),
        pytest.param(
            opened(0, 0.2), frame(0.24, key=True, changed=True), Cut.BEGIN, id="another-resolution-cuts"
        ),
        pytest.param(
            opened(0, 0.96), frame(1.0, key=True, awaited=True), Cut.BEGIN, id="who-waits-gets-it-sooner"
        ),
        pytest.param(
            opened(0, 0.36), frame(0.4, key=True, awaited=True), Cut.JOIN, id="but-no-scraps-of-segments"
        ),
        pytest.param(opened(0, 1.0), frame(2.5), Cut.LEAVE, id="a-jump-ends-it"),
        pytest.param(opened(0, 1.0), frame(2.5, key=True), Cut.GAP, id="a-jump-to-a-key-frame-begins-anew"),
        pytest.param(opened(0, 1.0), frame(2.0), Cut.JOIN, id="a-second-is-no-jump"),
        pytest.param(opened(5, 6.0), frame(0.0), Cut.LEAVE, id="time-that-goes-back-ends-it"),
        pytest.param(opened(5, 6.0), frame(0.0, key=True), Cut.GAP, id="a-camera-that-counts-anew"),
        pytest.param(opened(0, 10.0), frame(10.1), Cut.OVERFLOW, id="no-key-frame-for-too-long"),
        pytest.param(opened(0, 1.0, 999), frame(1.04, size=2), Cut.OVERFLOW, id="too-many-bytes"),
        pytest.param(opened(0, 1.0, 999), frame(1.04, size=1), Cut.JOIN, id="just-enough-bytes"),
        pytest.param(opened(0, 10.0), frame(10.1, key=True), Cut.BEGIN, id="a-key-frame-in-the-last-moment"),
    ],
)
def test_cuts(current: Open | None, new: Frame, wanted: Cut) -> None:
    """One rule each."""
    assert cut(current, new, LIMITS) is wanted


GOPS = st.lists(st.integers(1, 60), min_size=1, max_size=20)


@given(GOPS)
def test_segments_begin_with_key_frames_and_leave_none_out(gops: list[int]) -> None:
    """A stream without faults is cut at key frames only, and every frame is in a segment."""
    limits = Limits()
    current: Open | None = None
    starts, taken, index = [], 0, 0
    for gop in gops:
        for place in range(gop):
            new = frame(index / 25, key=place == 0)
            step = cut(current, new, limits)
            assert step in {Cut.JOIN, Cut.BEGIN}
            if step is Cut.BEGIN:
                assert new.key
                starts.append(new.decode_s)
                current = Open(new.decode_s, new.decode_s, 1)
            elif current is not None:
                current.last_s = new.decode_s
            taken += 1
            index += 1
    assert taken == sum(gops)
    lengths = [b - a for a, b in itertools.pairwise(starts)]
    assert all(length >= limits.target_s - limits.early_s - 1e-9 for length in lengths)
    assert all(length <= limits.target_s + 60 / 25 for length in lengths)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_whatever_comes_no_segment_begins_without_a_key_frame(frames: list[tuple[float, bool]]) -> None:
    """Times may do what they like."""
    current: Open | None = None
    for decode_s, key in frames:
        step = cut(current, frame(decode_s, key=key), LIMITS)
        if step in {Cut.BEGIN, Cut.GAP}:
            assert key
            current = Open(decode_s, decode_s, 1)
        elif step in {Cut.LEAVE, Cut.OVERFLOW}:
            assert current is not None
            current = None
        elif step is Cut.JOIN:
            assert current is not None
            current.last_s = decode_s
        else:
            assert current is None
