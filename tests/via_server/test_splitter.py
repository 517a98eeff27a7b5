"""Cutting media time and choosing frames: arithmetic."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from via_server.splitter import NS_PER_S, ChunkSpan, Sampler, chunk_count, cut, targets

LENGTHS_NS = st.integers(1, 4 * 3600 * NS_PER_S)
S = NS_PER_S


def spans_s(spans: list[ChunkSpan]) -> list[tuple[float, float]]:
    """Spans as pairs of seconds."""
    return [(span.start_s, span.end_s) for span in spans]


def test_the_last_chunk_ends_with_the_file() -> None:
    """Nothing is added, nothing is lost."""
    assert spans_s(cut(0, int(5.5 * S), 2 * S, 0)) == [(0, 2), (2, 4), (4, 5.5)]


def test_an_exact_fit_leaves_no_empty_chunk() -> None:
    """Cutting stops once the end is reached."""
    assert spans_s(cut(0, 6 * S, 2 * S, 0)) == [(0, 2), (2, 4), (4, 6)]


def test_overlapping_chunks_start_early() -> None:
    """The step is the length less the overlap."""
    assert spans_s(cut(0, 20 * S, 10 * S, 5 * S)) == [(0, 10), (5, 15), (10, 20)]


def test_no_length_means_one_chunk() -> None:
    """As the engine reads chunk_duration 0; also when the file is shorter than a chunk."""
    assert spans_s(cut(3 * S, 9 * S, 0, 0)) == [(3, 9)]
    assert spans_s(cut(0, 9 * S, 10 * S, 5 * S)) == [(0, 9)]


def test_an_empty_stretch_has_no_chunk() -> None:
    """Nothing in, nothing out."""
    assert cut(5 * S, 5 * S, 2 * S, 0) == []


@given(st.integers(0, 10**12), LENGTHS_NS, st.integers(1, 600), st.data())
def test_chunks_leave_no_gap(start_ns: int, length_ns: int, duration_s: int, data: st.DataObject) -> None:
    """First and last touch the ends, each next one starts a step later, none reaches past the end."""
    overlap_s = data.draw(st.integers(max(0, duration_s - 60), duration_s - 1))
    end_ns, step_ns = start_ns + length_ns, (duration_s - overlap_s) * S
    if length_ns // step_ns > 2000:
        step_ns = duration_s * S
        overlap_s = 0
    spans = cut(start_ns, end_ns, duration_s * S, overlap_s * S)
    assert len(spans) == chunk_count(start_ns, end_ns, duration_s * S, overlap_s * S)
    assert (spans[0].start_ns, spans[-1].end_ns) == (start_ns, end_ns)
    assert [span.index for span in spans] == list(range(len(spans)))
    for earlier, later in itertools.pairwise(spans):
        assert later.start_ns - earlier.start_ns == step_ns
        assert later.start_ns <= earlier.end_ns < end_ns
        assert earlier.end_ns - earlier.start_ns == duration_s * S


@given(st.integers(0, 10**13), st.integers(1, 10**13), st.integers(1, 256))
def test_targets_spread_evenly(start_ns: int, length_ns: int, count: int) -> None:
    """The start is in, the end is out, and gaps differ by at most one nanosecond."""
    wanted = targets(ChunkSpan(0, start_ns, start_ns + length_ns), count)
    assert (len(wanted), wanted[0]) == (count, start_ns)
    assert wanted[-1] < start_ns + length_ns
    gaps = {later - earlier for earlier, later in itertools.pairwise(wanted)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def chosen(frames_ns: list[int], spans: list[ChunkSpan], count: int) -> dict[int, list[int]]:
    """What a sampler gives each chunk; checks that chunks complete once, in order."""
    sampler, taken, order = Sampler(spans, count), {span.index: list[int]() for span in spans}, list[int]()
    for at_ns in frames_ns:
        takers, done = sampler.offer(at_ns)
        for index in takers:
            assert index not in order
            taken[index].append(at_ns)
        order += done
        if sampler.complete:
            break
    order += sampler.rest()
    assert order == [span.index for span in spans]
    return taken


def by_definition(frames_ns: list[int], span: ChunkSpan, count: int) -> list[int]:
    """The rule itself, read off frame by frame: for each target the first frame at or after it, not after the end."""
    picked = set()
    for wanted in targets(span, count):
        later = [at_ns for at_ns in frames_ns if wanted <= at_ns <= span.end_ns]
        picked |= set(later[:1])
    return sorted(picked)


@given(
    st.lists(st.integers(0, 20 * S), unique=True, max_size=80).map(sorted),
    st.integers(1, 20 * S),
    st.sampled_from([(2, 0), (3, 1), (10, 5), (5, 4), (0, 0)]),
    st.integers(1, 30),
)
def test_the_sampler_keeps_to_the_rule(
    frames_ns: list[int], end_ns: int, lengths_s: tuple[int, int], count: int
) -> None:
    """Whatever the spacing of frames and the overlap of chunks."""
    spans = cut(0, end_ns, lengths_s[0] * S, lengths_s[1] * S)
    taken = chosen(frames_ns, spans, count)
    assert taken == {span.index: by_definition(frames_ns, span, count) for span in spans}


@pytest.mark.parametrize(("fps", "count", "expected"), [(30, 20, 20), (5, 20, 11), (10, 10, 10)])
def test_fewer_frames_come_back_where_there_are_fewer(fps: int, count: int, expected: int) -> None:
    """Two seconds at 5 frames per second hold eleven, the one at the end included."""
    frames_ns = [index * S // fps for index in range(fps * 4)]
    assert len(chosen(frames_ns, cut(0, 4 * S, 2 * S, 0), count)[0]) == expected


def test_a_sampler_stops_early() -> None:
    """Once the last chunk has all its frames, no later frame needs to be decoded."""
    sampler = Sampler(cut(0, 10 * S, 0, 0), 2)
    assert sampler.offer(0) == ([0], [])
    assert sampler.offer(5 * S) == ([0], [0])
    assert sampler.complete
