"""Windows follow the wall clock; what waits is bounded, fair between cameras, and shed oldest first."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Beat
from extension.pipeline.live.windows import Backlog, Rhythm

EPOCH = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
RHYTHM = Rhythm(EPOCH, 10.0, (Beat(0, 0.0, 5.0),))


def _at(seconds: float) -> dt.datetime:
    return EPOCH + dt.timedelta(seconds=seconds)


def test_windows_overlap_as_they_are_asked_to() -> None:
    """Ten seconds long, one every five."""
    assert RHYTHM.span(0) == (_at(0), _at(10))
    assert RHYTHM.span(3) == (_at(15), _at(25))


@pytest.mark.parametrize(
    ("seconds", "complete"), [(-3.0, 0), (0.0, 0), (9.9, 0), (10.0, 1), (14.9, 1), (15.0, 2), (60.0, 11)]
)
def test_a_window_is_complete_when_its_end_has_come(seconds: float, complete: int) -> None:
    """Not a moment earlier."""
    assert RHYTHM.complete_at(_at(seconds)) == complete


@pytest.mark.parametrize(
    ("seconds", "around"), [(0.0, (0, 0)), (4.0, (0, 0)), (7.0, (0, 1)), (12.0, (1, 2)), (15.0, (2, 3))]
)
def test_the_windows_that_show_an_instant(seconds: float, around: tuple[int, int]) -> None:
    """One at the very start, two later on; ends are out."""
    assert RHYTHM.around(_at(seconds)) == around


@given(st.floats(0, 1e6), st.sampled_from([(10.0, 5.0), (4.0, 2.0), (6.0, 6.0), (30.0, 7.0)]))
def test_every_instant_is_shown_by_the_windows_around_it_and_no_others(
    seconds: float, shape: tuple[float, float]
) -> None:
    """Whatever the rhythm; an instant at a border may fall to either side by rounding."""
    rhythm, at = Rhythm(EPOCH, shape[0], (Beat(0, 0.0, shape[1]),)), _at(seconds)
    first, last = rhythm.around(at)
    tiny = dt.timedelta(milliseconds=1)
    for number in range(first, last + 1):
        start_at, end_at = rhythm.span(number)
        assert start_at - tiny <= at < end_at + tiny
    assert rhythm.span(last + 1)[0] + tiny > at
    assert first == 0 or rhythm.span(first - 1)[1] <= at + tiny
    assert rhythm.span(rhythm.first_from(at))[0] >= at - tiny


CHANGED = Rhythm(EPOCH, 10.0, (Beat(0, 0.0, 5.0), Beat(20, 100.0, 2.0), Beat(30, 120.0, 10.0)))


def test_another_stride_holds_from_a_number_on() -> None:
    """What was numbered before keeps its place."""
    assert [CHANGED.start_s(n) for n in (0, 19, 20, 21, 29, 30, 31)] == [0, 95, 100, 102, 118, 120, 130]
    assert CHANGED.stride_s == 10.0
    assert CHANGED.first_from(_at(125)) == 31
    assert CHANGED.complete_at(_at(129.9)) == 30
    assert CHANGED.complete_at(_at(140)) == 32


@given(st.floats(0, 200))
def test_through_changes_an_instant_has_the_windows_that_show_it(seconds: float) -> None:
    """Those of both strides where they meet."""
    first, last = CHANGED.around(_at(seconds))
    shown = [n for n in range(60) if CHANGED.start_s(n) <= seconds < CHANGED.start_s(n) + 10.0]
    at_border = min(abs(seconds - CHANGED.start_s(n) - side) for n in range(60) for side in (0, 10)) < 1e-4
    assert at_border or list(range(first, last + 1)) == shown


def test_after_a_clock_was_set_back_windows_lie_where_they_were_seen() -> None:
    """Ten windows in a future that never came, then those of the present."""
    rhythm = Rhythm(EPOCH, 10.0, (Beat(0, 0.0, 5.0), Beat(1000, 60.0, 5.0)))
    assert rhythm.around(_at(64)) == (1000, 1000)
    assert rhythm.around(_at(40)) == (7, 8)
    assert rhythm.complete_at(_at(70)) == 1001


def test_windows_come_in_their_order() -> None:
    """One camera, nothing late."""
    backlog = Backlog(["gate"], most=3)
    for number in (4, 5):
        backlog.add("gate", number)
    assert backlog.take(0.0) == ("gate", 4, [])
    backlog.done("gate")
    assert backlog.take(0.0) == ("gate", 5, [])


def test_a_camera_is_served_by_one_at_a_time() -> None:
    """Its windows are judged in order."""
    backlog = Backlog(["gate"], most=3)
    backlog.add("gate", 1)
    backlog.add("gate", 2)
    assert backlog.take(0.0) is not None
    assert backlog.take(0.0) is None
    backlog.done("gate")
    assert backlog.take(0.0) == ("gate", 2, [])


def test_the_oldest_windows_are_shed_and_told() -> None:
    """Of five, three may wait; the two that went are handed over with the next one, once."""
    backlog = Backlog(["gate"], most=3)
    for number in range(5):
        backlog.add("gate", number)
    assert backlog.waiting("gate") == 3
    assert backlog.take(0.0) == ("gate", 2, [0, 1])
    backlog.done("gate")
    assert backlog.take(0.0) == ("gate", 3, [])


def test_cameras_take_turns() -> None:
    """A busy camera does not starve the others."""
    backlog = Backlog(["cam1", "cam10"], most=5)
    for number in range(3):
        backlog.add("cam1", number)
    backlog.add("cam10", 0)
    served = []
    for _ in range(4):
        taken = backlog.take(0.0)
        assert taken is not None
        served.append(taken[0])
        backlog.done(taken[0])
    assert served == ["cam1", "cam10", "cam1", "cam1"]


def test_nothing_to_do_is_said_after_a_while() -> None:
    """So that whoever waits can look whether to stop."""
    assert Backlog(["gate"], most=3).take(0.01) is None


def test_who_waits_is_woken_by_a_window() -> None:
    """At once, not at the next look."""
    backlog = Backlog(["gate"], most=3)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(backlog.take(10.0)))
    thread.start()
    backlog.add("gate", 7)
    thread.join(5.0)
    assert found == [("gate", 7, [])]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.booleans()), max_size=60))
def test_every_window_is_either_looked_at_or_shed_or_still_waits(steps: list[tuple[str, bool]]) -> None:
    """Nothing is lost, nothing twice, whatever the order."""
    backlog = Backlog(["a", "b", "c"], most=2)
    added: dict[str, list[int]] = {name: [] for name in "abc"}
    seen: dict[str, list[int]] = {name: [] for name in "abc"}
    for name, take in steps:
        if not take:
            added[name].append(len(added[name]))
            backlog.add(name, added[name][-1])
        elif (taken := backlog.take(0.0)) is not None:
            camera, number, shed = taken
            seen[camera] += [*shed, number]
            backlog.done(camera)
    for name, numbers in added.items():
        left = numbers[len(seen[name]) :]
        assert seen[name] == numbers[: len(seen[name])]
        assert backlog.waiting(name) == min(2, len(left))
