"""A long log is cut down to what is worth looking at, in whole chunks."""

from __future__ import annotations

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.pieces import LEAD_S, pieces
from extension.timetravel.timeline import stated

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
END = START + dt.timedelta(hours=1)


def _second(number: float) -> dt.datetime:
    return START + dt.timedelta(seconds=number)


def test_a_moment_becomes_a_piece_with_a_lead_on_either_side() -> None:
    """Rounded up to whole chunks; the first chunk of the log is there as well."""
    cut, media_s = pieces([(_second(100), _second(101))], START, END, speed=1.0, chunk_s=2)
    assert [(piece.media_s, piece.start_at) for piece in cut] == [(0.0, START), (2.0, _second(98))]
    assert media_s == 2.0 + 6.0


def test_moments_near_each_other_share_a_piece() -> None:
    """A jump of a second would only confuse."""
    moments = [(_second(100), _second(101)), (_second(105), _second(106))]
    cut, media_s = pieces(moments, START, END, speed=1.0, chunk_s=2)
    assert [piece.start_at for piece in cut] == [START, _second(98)]
    assert media_s == 2.0 + 10.0


def test_a_moment_at_the_very_start_belongs_to_the_first_piece() -> None:
    """There is no time before the log."""
    cut, media_s = pieces([(START, _second(1))], START, END, speed=1.0, chunk_s=2)
    assert [piece.start_at for piece in cut] == [START]
    assert media_s == 4.0


def test_a_calm_log_is_looked_at_once() -> None:
    """One chunk, as proof."""
    cut, media_s = pieces([], START, END, speed=3.0, chunk_s=2)
    assert (len(cut), media_s) == (1, 2.0)


def test_a_faster_replay_has_longer_chunks_of_the_log() -> None:
    """At three times the speed a chunk of 2 s shows 6 s."""
    _, media_s = pieces([(_second(100), _second(101))], START, END, speed=3.0, chunk_s=2)
    assert media_s == 2.0 + 2.0


@given(
    st.lists(st.tuples(st.floats(0.1, 90.0), st.floats(0.0, 20.0)), max_size=20),
    st.sampled_from([0.5, 1.0, 3.0, 10.0]),
    st.integers(1, 10),
)
def test_every_moment_is_shown_and_no_chunk_shows_two_pieces(
    gaps: list[tuple[float, float]], speed: float, chunk_s: int
) -> None:
    """Whatever the moments: pieces come in order, begin on borders of chunks, never overlap, and cover all that matters."""
    moments, at_s = [], 0.0
    for gap_s, length_s in gaps:
        at_s += gap_s
        moments.append((_second(at_s), _second(at_s + length_s)))
        at_s += length_s
    cut, media_s = pieces(moments, START, END, speed=speed, chunk_s=chunk_s)
    line = stated(START, speed, START, cut)
    assert all(piece.media_s % chunk_s == 0 for piece in cut)
    assert media_s % chunk_s == 0
    ends = [*(piece.media_s for piece in cut[1:]), media_s]
    spans = [
        (piece.start_at, piece.start_at + dt.timedelta(seconds=(end_s - piece.media_s) * speed))
        for piece, end_s in zip(cut, ends, strict=True)
    ]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    tiny = dt.timedelta(milliseconds=1)
    for first_at, last_at in moments:
        assert any(start_at - tiny <= first_at and last_at <= end_at + tiny for start_at, end_at in spans)
        assert line.at(line.media_s(first_at)) - first_at <= tiny
    assert LEAD_S > 0
