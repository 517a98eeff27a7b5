"""What could not be dealt with waits again in its place, and no window falls between segments or restarts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Beat, Job, JobOptions, JobStatus
from extension.pipeline.judging import Judge
from extension.pipeline.live.lane import Lane
from extension.pipeline.live.windows import Backlog, Rhythm
from extension.pipeline.world import World
from tests.pipeline.live.yard import NOW, Yard, announce, open_yard


def test_what_is_put_back_is_the_next_again() -> None:
    """With what was shed before it."""
    backlog = Backlog(["gate"], most=3)
    for number in range(5):
        backlog.add("gate", number)
    taken = backlog.take(0.0)
    assert taken == ("gate", 2, [0, 1])
    backlog.put_back(*taken)
    backlog.done("gate")
    assert backlog.take(0.0) == taken


def test_what_is_put_back_too_late_is_shed_in_its_order() -> None:
    """Newer ones fill its place."""
    backlog = Backlog(["gate"], most=2)
    backlog.add("gate", 0)
    assert backlog.take(0.0) == ("gate", 0, [])
    for number in (1, 2):
        backlog.add("gate", number)
    backlog.put_back("gate", 0, [])
    backlog.done("gate")
    assert backlog.take(0.0) == ("gate", 1, [0])


def test_what_is_put_back_behind_shed_ones_is_shed_before_them() -> None:
    """Their numbers rise."""
    backlog = Backlog(["gate"], most=1)
    backlog.add("gate", 0)
    assert backlog.take(0.0) == ("gate", 0, [])
    for number in (1, 2, 3):
        backlog.add("gate", number)
    backlog.put_back("gate", 0, [])
    backlog.done("gate")
    assert backlog.take(0.0) == ("gate", 3, [0, 1, 2])


@given(st.lists(st.sampled_from(["add", "deal", "fail"]), max_size=40), st.integers(1, 3))
def test_windows_are_dealt_with_in_order_and_none_is_lost(steps: list[str], most: int) -> None:
    """Whatever fails, however often."""
    backlog = Backlog(["gate"], most)
    added, dealt = 0, []
    for step in steps:
        if step == "add":
            backlog.add("gate", added)
            added += 1
        elif (taken := backlog.take(0.0)) is not None:
            name, number, shed = taken
            if step == "deal":
                dealt += [*shed, number]
            else:
                backlog.put_back(name, number, shed)
            backlog.done(name)
    assert dealt == list(range(len(dealt)))
    assert added - len(dealt) >= backlog.waiting("gate")
    while (taken := backlog.take(0.0)) is not None:
        dealt += [*taken[2], taken[1]]
        backlog.done("gate")
    assert dealt == list(range(len(dealt)))
    assert len(dealt) == added


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """One camera."""
    opened = open_yard(tmp_path)
    yield opened
    opened.store.close()


def _completed(lane: Lane, start_s: float, end_s: float) -> list[int]:
    return list(lane.completed(*(NOW + dt.timedelta(seconds=s) for s in (start_s, end_s))))


def test_a_window_that_ends_between_two_segments_is_looked_at(yard: Yard) -> None:
    """They follow each other closely, not exactly: the gap is not worth a hole, and costs no window."""
    lane = yard.lanes["gate"]
    assert _completed(lane, 0.0, 9.8) == []
    assert _completed(lane, 10.2, 12.2) == [0]
    assert _completed(lane, 12.2, 16.0) == [1]


def test_what_was_recorded_and_not_looked_at_before_a_restart_comes_first(yard: Yard) -> None:
    """Their recordings are still there; those of the time in between are not."""
    lane = yard.lanes["gate"]
    lane.next_number, lane.recorded_until_at = 3, NOW + dt.timedelta(seconds=31)
    assert _completed(lane, 60.0, 62.0) == [3, 4, 5, 6]
    assert _completed(lane, 62.0, 66.0) == [11]


@given(st.lists(st.tuples(st.floats(0, 0.9), st.floats(0.5, 12)), min_size=1, max_size=30))
def test_no_window_is_left_out_while_the_recording_has_no_hole(pieces: list[tuple[float, float]]) -> None:
    """However long the segments are, and however small the gaps between them."""
    lane, at_s, found = _bare_lane(), 0.0, list[int]()
    for gap_s, length_s in pieces:
        start_s = at_s + (gap_s if at_s else 0.0)
        at_s = start_s + length_s
        found += _completed(lane, start_s, at_s)
    assert found == list(range(len(found)))
    assert len(found) == lane.rhythm.complete_at(NOW + dt.timedelta(seconds=at_s))


def _bare_lane() -> Lane:
    options = JobOptions(start_at=NOW)
    job = Job("job", "gate", "", None, options, JobStatus.LIVE, NOW)
    judge = Judge(job, World(options, None, dt.UTC), (), {}, 4.0, announce)
    return Lane("gate", "job", Rhythm(NOW, 10.0, (Beat(0, 0.0, 5.0),)), "camera", judge)
