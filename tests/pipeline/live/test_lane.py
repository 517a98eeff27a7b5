"""A camera's lane knows which windows a segment completes, through holes and restarts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extension.clock import Clock, SystemClock
from extension.model import (
    Announcement,
    Caption,
    Claim,
    Job,
    JobStatus,
    Kind,
    Message,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.live.lane import Lane, Spec, job_id, open_lane
from extension.store import Store

NOW = dt.datetime(2026, 5, 4, 10, 0, 0, 400_000, tzinfo=dt.UTC)
EPOCH = NOW.replace(microsecond=0)
SPEC = Spec("gate", window_s=10.0, stride_s=5.0, merge_gap_s=4.0)


class _Still(SystemClock):
    def now(self) -> dt.datetime:
        return NOW


class _At(SystemClock):
    """A clock that stands at an instant."""

    def __init__(self, at: dt.datetime) -> None:
        self._at = at

    def now(self) -> dt.datetime:
        return self._at


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store.open(f"sqlite:///{tmp_path / 'test.db'}", _Still())
    yield opened
    opened.close()


def _announce(announcement: Announcement, _job: Job) -> list[Message]:
    name = f"{announcement.incident.id}/{announcement.sequence}"
    return [Message(name, "r", announcement.incident.id, f"incident.{announcement.change}", "{}")]


def _open(store: Store, clock: Clock | None = None) -> Lane:
    return open_lane(SPEC, store, _announce, clock or _Still(), dt.UTC)


def _completed(lane: Lane, start_s: float, end_s: float) -> list[int]:
    at = [EPOCH + dt.timedelta(seconds=s) for s in (start_s, end_s)]
    return list(lane.completed(at[0], at[1]))


def test_a_camera_gets_a_job_that_never_ends(store: Store) -> None:
    """Named after it, begun at the whole second, the same at every start."""
    lane = _open(store)
    job = store.job(lane.job_id)
    assert (job.name, job.status, job.options.start_at) == ("gate", JobStatus.LIVE, EPOCH)
    assert lane.job_id == job_id("gate") != job_id("gate2")
    assert _open(store).job_id == lane.job_id
    assert len(store.jobs()) == 1
    assert store.next_job() is None, "it is no work for the worker of files"


def test_segments_complete_windows_as_they_come(store: Store) -> None:
    """Each window once."""
    lane = _open(store)
    assert [_completed(lane, s, s + 2) for s in range(0, 20, 2)] == [
        [], [], [], [], [0], [], [], [1], [], [2],
    ]  # fmt: skip


def test_a_long_segment_may_complete_several(store: Store) -> None:
    """A camera with rare key frames."""
    assert _completed(_open(store), 0, 21) == [0, 1, 2]


def test_what_was_recorded_before_a_hole_is_still_looked_at(store: Store) -> None:
    """The windows that were under way when the camera went, and then those after it; none of the hole itself."""
    lane = _open(store)
    assert _completed(lane, 0, 12) == [0]
    assert _completed(lane, 60, 62) == [1, 2]
    assert lane.next_number == 11
    assert _completed(lane, 62, 66) == [11]


def test_a_lane_goes_on_where_it_was(store: Store) -> None:
    """Windows that were judged before a restart are not looked at again."""
    lane = _open(store)
    chunk = lane.chunk(3)
    caption = Caption(chunk, "", Verdict(Severity.SAFE, (), ""), None)
    store.save_captions(lane.job_id, [caption])
    judged = lane.judge.judge(caption)
    store.commit_judgement(
        lane.job_id, judged_chunks=judged.judged_chunks, events=(), incidents=(), messages=()
    )
    again = _open(store)
    assert again.next_number == 4
    assert _completed(again, 20, 31) == [4]


def _judged(store: Store, lane: Lane, count: int) -> None:
    caption = Caption(lane.chunk(count - 1), "", Verdict(Severity.SAFE, (), ""), None)
    judged = lane.judge.judge(caption)
    store.commit_judgement(
        lane.job_id, judged_chunks=judged.judged_chunks, events=(), incidents=(), messages=()
    )


@pytest.mark.parametrize(
    ("stride_s", "following"), [(2.0, [50, 51, 52]), (10.0, [50]), (5.0, [50, 51])], ids=str
)
def test_another_stride_goes_on_from_what_was_judged(
    store: Store, stride_s: float, following: list[int]
) -> None:
    """Neither blind for as long as it has run, nor looking at the past again; at the next start as well."""
    _judged(store, _open(store), 50)
    clock = _At(EPOCH + dt.timedelta(seconds=258))
    for _ in range(2):
        lane = open_lane(replace(SPEC, stride_s=stride_s), store, _announce, clock, dt.UTC)
        assert lane.chunk(49).span == Span(245.0, 255.0)
        assert lane.chunk(50).span == Span(250.0, 260.0)
        lane.recorded_until_at = EPOCH + dt.timedelta(seconds=258)
        assert _completed(lane, 258, 265) == following


def test_a_clock_that_was_set_back_does_not_leave_a_camera_blind(store: Store) -> None:
    """The host ran a year ahead; windows go on from now, under numbers of their own."""
    year = dt.timedelta(days=365)
    ahead = open_lane(SPEC, store, _announce, _At(NOW), dt.UTC)
    _judged(store, ahead, int(year.total_seconds() // 5))
    lane = open_lane(SPEC, store, _announce, _At(NOW + dt.timedelta(minutes=5)), dt.UTC)
    first = int(year.total_seconds() // 5)
    assert lane.next_number == first
    assert _completed(lane, 300, 312) == [first]
    assert lane.chunk(first).span.start_s == pytest.approx(300.4)


def _fall(lane: Lane, number: int, start_s: float) -> Caption:
    claim = Claim(Kind.FALL, Span(start_s, start_s + 1), Severity.DANGER, ("person",))
    return Caption(lane.chunk(number), "", Verdict(Severity.DANGER, (claim,), ""), None)


def test_what_two_windows_show_is_one_incident(store: Store) -> None:
    """Windows overlap: the second one must find the incident still open."""
    lane = _open(store)
    first = lane.judge.judge(_fall(lane, 0, 7.0))
    second = lane.judge.judge(_fall(lane, 1, 7.0))
    assert [i.phase for i in first.incidents] == [Phase.OPEN]
    assert [i.id for i in second.incidents] in ([], [first.incidents[0].id])
    assert [m.type for m in (*first.messages, *second.messages)] == ["incident.opened"]


def test_an_incident_ends_when_no_later_window_can_show_it(store: Store) -> None:
    """After its end, the gap, and the stride."""
    lane = _open(store)
    lane.judge.judge(_fall(lane, 0, 7.0))
    calm = [Caption(lane.chunk(n), "", Verdict(Severity.SAFE, (), ""), None) for n in (1, 2)]
    assert [i.phase for i in lane.judge.judge(calm[0]).incidents] == []
    assert [i.phase for i in lane.judge.judge(calm[1]).incidents] == [Phase.RESOLVED]


def test_media_seconds_count_from_the_first_window(store: Store) -> None:
    """Five seconds per number."""
    lane = _open(store)
    assert lane.chunk(4).span == Span(20.0, 30.0)
    assert lane.media_s(EPOCH + dt.timedelta(seconds=21)) == 21.0


@pytest.mark.parametrize(
    ("from_s", "to_s", "awaited"),
    [
        pytest.param(8.0, 9.9, False, id="the-window-is-still-open"),
        pytest.param(8.0, 10.0, True, id="it-ends-here"),
        pytest.param(9.0, 10.7, True, id="it-ended-within"),
        pytest.param(10.0, 11.0, False, id="it-ended-before"),
        pytest.param(13.0, 15.2, True, id="and-so-on-every-stride"),
    ],
)
def test_a_segment_is_awaited_where_a_window_ends(
    store: Store, from_s: float, to_s: float, *, awaited: bool
) -> None:
    """So that the window need not wait until the segment is as long as others."""
    lane = _open(store)
    start_at, end_at = (EPOCH + dt.timedelta(seconds=s) for s in (from_s, to_s))
    assert lane.awaits(start_at, end_at) is awaited


def test_windows_of_cameras_end_at_different_moments(store: Store) -> None:
    """A camera keeps its own phase, also after a restart."""
    later = replace(SPEC, phase_s=1.5)
    lane = open_lane(later, store, _announce, _Still(), dt.UTC)
    assert lane.rhythm.span(0)[1] == EPOCH + dt.timedelta(seconds=11.5)
    again = open_lane(SPEC, store, _announce, _Still(), dt.UTC)
    assert again.rhythm == lane.rhythm
