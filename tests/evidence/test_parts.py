"""Parts of a source on one axis: what they cover, and what they leave out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.evidence.parts import Part, extent, gaps, whole, within
from extension.model import Span

FILE = Path("a.mp4")
TENTHS = st.integers(0, 600).map(lambda n: n / 10)


@st.composite
def some_parts(draw: st.DrawFn) -> list[Part]:
    """Parts anywhere on the axis, overlapping or not."""
    starts = draw(st.lists(TENTHS, min_size=1, max_size=8))
    return [Part(FILE, 0.0, draw(st.integers(1, 100)) / 10, at_s) for at_s in starts]


def test_a_whole_file_is_its_own_axis() -> None:
    """From its first frame to its end."""
    (part,) = whole(FILE, 12.5)
    assert part.span == Span(0.0, 12.5)
    assert extent([part]) == Span(0.0, 12.5)


def test_a_source_of_which_nothing_was_recorded_reaches_nowhere() -> None:
    """A camera that is down."""
    assert extent([]) == Span(0.0, 0.0)


def test_a_part_of_a_file_lies_where_it_is_put() -> None:
    """Seconds of the file and of the source are not the same."""
    assert Part(FILE, 3.0, 5.0, 100.0).span == Span(100.0, 102.0)


@pytest.mark.parametrize(("from_s", "to_s"), [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0)])
def test_a_part_must_hold_something(from_s: float, to_s: float) -> None:
    """A mistake of the caller's shows at once."""
    with pytest.raises(ValueError, match="begins"):
        Part(FILE, from_s, to_s, 0.0)


def test_only_the_parts_of_a_span_are_read() -> None:
    """Those that merely touch it are not among them; the order is that of time."""
    parts = [Part(FILE, 0.0, 2.0, at_s) for at_s in (4.0, 0.0, 2.0, 6.0)]
    assert [part.at_s for part in within(parts, Span(2.0, 5.0))] == [2.0, 4.0]


def test_a_gap_between_segments_is_found() -> None:
    """Also at the ends of the span."""
    parts = [Part(FILE, 0.0, 2.0, 1.0), Part(FILE, 0.0, 2.0, 5.0)]
    assert gaps(parts, Span(0.0, 8.0)) == (Span(0.0, 1.0), Span(3.0, 5.0), Span(7.0, 8.0))


def test_a_rounding_is_no_gap() -> None:
    """The lengths of files are known to a frame."""
    assert gaps([Part(FILE, 0.0, 2.0, 0.0), Part(FILE, 0.0, 2.0, 2.03)], Span(0.0, 4.0)) == ()


@settings(deadline=None)
@given(some_parts(), TENTHS, st.integers(1, 300).map(lambda n: n / 10))
def test_what_is_covered_and_what_is_not_are_the_whole(
    parts: list[Part], start_s: float, length_s: float
) -> None:
    """Every instant of a span lies in a part or in a gap (or in a rounding), never in both."""
    span = Span(start_s, start_s + length_s)
    left_out = gaps(parts, span)
    for tenth in range(int(length_s * 10)):
        at_s = start_s + tenth / 10 + 0.045
        covered = any(part.span.start_s <= at_s < part.span.end_s for part in parts)
        missing = any(gap.start_s <= at_s < gap.end_s for gap in left_out)
        assert covered != missing
