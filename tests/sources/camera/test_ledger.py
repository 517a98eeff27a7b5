"""The account of a camera's time: nothing is missing and nothing counts twice."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.sources.camera.ledger import Gap, Ledger
from extension.sources.camera.trouble import Code
from tests.sources.camera.hands import START_AT, at


def gap(start_s: float, end_s: float, code: Code) -> Gap:
    """A gap of the camera."""
    return Gap("gate", at(start_s), at(end_s), code)


def ledger(code: Code | None = Code.STARTING) -> Ledger:
    """A new account."""
    return Ledger("gate", START_AT, code)


def test_a_camera_that_never_came() -> None:
    """All of its time is lost, for the reason known."""
    book = ledger()
    book.lose(Code.UNREACHABLE, at(1))
    found = book.standing(at(10))
    assert found.lost_s == {Code.STARTING: 1.0, Code.UNREACHABLE: 9.0}
    assert found.captured_s == found.pending_s == 0.0


def test_a_camera_without_fault() -> None:
    """What is not on disk yet is pending."""
    book = ledger(None)
    assert book.capture(at(0), at(2)) == ()
    assert book.capture(at(2), at(4)) == ()
    found = book.standing(at(5.5))
    assert (found.captured_s, found.pending_s, found.lost_s) == (4.0, 1.5, {})


def test_the_start_is_a_gap() -> None:
    """Until the first frame."""
    book = ledger()
    assert book.capture(at(1.5), at(3.5)) == (gap(0, 1.5, Code.STARTING),)
    assert book.standing(at(3.5)).lost_s == {Code.STARTING: 1.5}


def test_a_gap_has_its_reason() -> None:
    """From the last frame on disk, not from when the fault was noticed."""
    book = ledger(None)
    book.capture(at(0), at(2))
    book.lose(Code.STALLED, at(12))
    assert book.capture(at(15), at(17)) == (gap(2, 15, Code.STALLED),)


def test_reasons_follow_one_another() -> None:
    """A gap is cut where its reason changed."""
    book = ledger(None)
    book.capture(at(0), at(2))
    book.lose(Code.DISCONNECTED, at(3))
    book.lose(Code.UNREACHABLE, at(4))
    book.lose(Code.UNREACHABLE, at(5))
    book.lose(Code.UNAUTHORIZED, at(9))
    assert book.capture(at(20), at(22)) == (
        gap(2, 4, Code.DISCONNECTED),
        gap(4, 9, Code.UNREACHABLE),
        gap(9, 20, Code.UNAUTHORIZED),
    )
    assert book.standing(at(22)).gaps == {Code.DISCONNECTED: 1, Code.UNREACHABLE: 1, Code.UNAUTHORIZED: 1}


def test_a_reason_that_came_after_the_frames_is_none() -> None:
    """The fault was noticed late, the frames had begun again."""
    book = ledger(None)
    book.capture(at(0), at(2))
    book.lose(Code.DISCONNECTED, at(3))
    book.lose(Code.UNREACHABLE, at(8))
    assert book.capture(at(6), at(8)) == (gap(2, 6, Code.DISCONNECTED),)


def test_an_open_gap_counts_as_far_as_now() -> None:
    """And is not in the list until it is closed."""
    book = ledger(None)
    book.capture(at(0), at(2))
    book.lose(Code.STALLED, at(3))
    assert book.standing(at(7)).lost_s == {Code.STALLED: 5.0}
    assert not book.recent
    book.capture(at(9), at(10))
    assert book.recent == (gap(2, 9, Code.STALLED),)


def test_what_overlaps_counts_once() -> None:
    """A segment that begins before the last one's end."""
    book = ledger(None)
    book.capture(at(0), at(2))
    book.capture(at(1), at(3))
    book.capture(at(0), at(1))
    assert book.standing(at(3)).captured_s == 3.0
    assert book.cursor_at == at(3)


def test_a_hole_that_nobody_explained() -> None:
    """Counts as frames that are missing, never as captured."""
    book = ledger(None)
    book.capture(at(0), at(2))
    assert book.capture(at(3), at(5)) == (gap(2, 3, Code.MISSING_FRAMES),)


def test_a_gaps_length() -> None:
    """In seconds."""
    assert gap(2, 4.5, Code.STALLED).duration_s == 2.5


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("lose"),
            st.sampled_from([Code.STALLED, Code.DISCONNECTED, Code.DISK_FULL]),
            st.integers(0, 400),
        ),
        st.tuples(st.just("capture"), st.integers(0, 400), st.integers(0, 40)),
    ),
    max_size=40,
)


@settings(max_examples=40)
@given(STEPS, st.sampled_from([None, Code.STARTING]), st.integers(0, 600))
def test_every_second_is_captured_lost_or_pending(
    steps: list[tuple[str, Code | int, int]], code: Code | None, end_s: int
) -> None:
    """Whatever happens in whatever order, the sums are all the time there was."""
    book = ledger(code)
    for _, first, second in steps:
        if isinstance(first, Code):
            book.lose(first, at(second))
        else:
            book.capture(at(first), at(first + second))
    now_at = max(at(end_s), book.cursor_at)
    found = book.standing(now_at)
    total_s = found.captured_s + sum(found.lost_s.values()) + found.pending_s
    assert total_s == pytest.approx((now_at - START_AT).total_seconds(), abs=1e-6)


@settings(max_examples=40)
@given(STEPS)
def test_gaps_and_segments_never_overlap(steps: list[tuple[str, Code | int, int]]) -> None:
    """Gaps come in order, one after the other."""
    book = ledger()
    closed: list[Gap] = []
    for _, first, second in steps:
        if isinstance(first, Code):
            book.lose(first, at(second))
        else:
            closed += book.capture(at(first), at(first + second))
    assert all(one.end_at <= other.start_at for one, other in itertools.pairwise(closed))
    assert all(each.duration_s > 0 for each in closed)
    assert book.recent == tuple(closed)


def test_only_the_latest_gaps_are_remembered() -> None:
    """A camera that fails every few seconds for a year fills no memory; the sums know all."""
    book = ledger(None)
    for second in range(0, 2400, 2):
        book.lose(Code.STALLED, at(second))
        book.capture(at(second + 1), at(second + 2))
    assert len(book.recent) == 1000
    assert book.standing(at(2400)).gaps == {Code.STALLED: 1200}
    assert book.standing(at(2400)).lost_s == {Code.STALLED: 1200.0}


def test_no_time_has_passed_yet() -> None:
    """Nothing is anything."""
    found = ledger().standing(START_AT - dt.timedelta(seconds=1))
    assert (found.captured_s, found.pending_s, found.lost_s) == (0.0, 0.0, {})
