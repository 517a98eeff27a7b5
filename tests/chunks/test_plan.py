"""Chunks leave no gap; requests name whole seconds."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.chunks import plan
from extension.model import Chunk, Span


@given(st.floats(0.001, 20_000), st.integers(1, 600))
def test_chunks_cover_the_source_without_gap(duration_s: float, chunk_s: int) -> None:
    """Every moment lies in exactly one chunk."""
    chunks = plan.chunks(duration_s, chunk_s)
    assert chunks[0].span.start_s == 0
    assert chunks[-1].span.end_s == pytest.approx(duration_s, abs=1e-3)
    for one, other in itertools.pairwise(chunks):
        assert one.span.end_s == other.span.start_s
        assert other.index == one.index + 1
    assert all(chunk.span.duration_s <= chunk_s for chunk in chunks)


def test_a_last_sliver_below_a_millisecond_is_no_chunk() -> None:
    """Rounding of a container's duration makes no chunk without frames."""
    assert len(plan.chunks(20.0004, 2)) == 10


@pytest.mark.parametrize(("duration_s", "chunk_s"), [(0, 2), (-1, 2), (10, 0)])
def test_nothing_cannot_be_cut(duration_s: float, chunk_s: int) -> None:
    """An empty source or chunk is the caller's mistake."""
    with pytest.raises(ValueError, match="positive"):
        plan.chunks(duration_s, chunk_s)


@pytest.mark.parametrize(
    ("asked", "speed", "expected"),
    [
        pytest.param(0, 1.0, 20, id="plain-video"),
        pytest.param(0, 3.0, 30, id="three-times-faster-needs-more-looks"),
        pytest.param(0, 50.0, 60, id="bounded"),
        pytest.param(8, 3.0, 8, id="asked-for"),
    ],
)
def test_frames_follow_the_speed_of_the_world(asked: int, speed: float, expected: int) -> None:
    """A faster replay is looked at more often per video second."""
    assert plan.frames(asked, chunk_s=2, speed=speed) == expected


@given(st.integers(16, 8000), st.integers(16, 8000))
def test_frames_are_only_ever_scaled_down(width: int, height: int) -> None:
    """The VLM's frames are small enough, in steps of 32 pixels, and keep the picture's shape."""
    size = plan.frame_size(width, height, 1280 * 720)
    if size is None:
        assert width * height <= 1280 * 720
    else:
        assert size[0] * size[1] <= max(1280 * 720, 32 * size[0], 32 * size[1])
        assert size[0] % 32 == size[1] % 32 == 0


@given(st.sets(st.integers(0, 200)), st.integers(1, 20))
def test_batches_hold_neighbours_and_every_chunk_once(indices: set[int], most: int) -> None:
    """Each wanted chunk is asked for in exactly one request, whose span holds no other chunk."""
    wanted = [Chunk(i, Span(2.0 * i, 2.0 * i + 2)) for i in indices]
    groups = plan.batches(wanted, most)
    assert sorted(c.index for group in groups for c in group) == sorted(indices)
    for group in groups:
        assert len(group) <= most
        assert [c.index for c in group] == list(range(group[0].index, group[0].index + len(group)))
        start_s, end_s = plan.offsets(group)
        assert (start_s, end_s) == (group[0].span.start_s, group[-1].span.end_s)


def test_the_last_requests_end_is_rounded_up() -> None:
    """A source that ends amid a second is asked for to its end."""
    chunks = plan.chunks(19.967, 2)
    assert plan.offsets(chunks[-1:]) == (18, math.ceil(19.967))
