"""The summary as a value: one moment per incident, honest counts, a stated rule for the worst, and proof of what was looked at."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import (
    Basis,
    Caption,
    Chunk,
    Incident,
    JobOptions,
    JobStatus,
    Kind,
    Piece,
    Position,
    Severity,
    Span,
    Verdict,
)
from extension.timetravel.contacts import contacts
from extension.timetravel.summary import badness
from extension.timetravel.summary_making import summarize
from extension.timetravel.timeline import Timeline
from extension.timetravel.trajectory_csv import read_trajectory
from tests.timetravel.summary_samples import (
    SEOUL,
    START,
    anchored,
    at,
    captions,
    contacts_of,
    incident,
    job,
    log,
    summary_of,
)


def test_every_incident_is_one_moment_in_time_order() -> None:
    """Whatever order they come in, none is lost and none told twice."""
    late, early, middle = incident(0, 30, 31), incident(1, 5, 6), incident(2, 12, 12.5)
    summary = summary_of([late, early, middle])
    assert [m.incident_id for m in summary.moments] == ["incident-1", "incident-2", "incident-0"]
    assert [m.number for m in summary.moments] == [1, 2, 3]


def test_moments_of_one_instant_are_all_kept() -> None:
    """Two pairs that meet at the same time are two moments, by the numbers of their objects."""
    both = [incident(0, 5, 6, objects=("3", "10")), incident(1, 5, 6, objects=("2", "4"))]
    assert [m.objects for m in summary_of(both).moments] == [("2", "4"), ("3", "10")]


def test_a_moment_keeps_all_objects_and_the_place_of_each() -> None:
    """Three objects are three, in the order of their numbers, and each has its position."""
    places = tuple(Position(f"obj00{n}", 100.0 * n, 0.0, 30.0 * n) for n in (1, 2, 3))
    (moment,) = summary_of([incident(objects=("10", "2", "1", "2"), positions=places)]).moments
    assert moment.objects == ("1", "2", "10")
    assert moment.positions == places
    assert moment.place == pytest.approx((200.0, 60.0))
    assert moment.closest_cm is None


def test_the_log_tells_how_near_objects_came_and_where() -> None:
    """Not where they were when it began, but where they were nearest."""
    trajectory = log()
    (moment,) = summary_of([anchored(0, 9.0, 11.0)], trajectory=trajectory).moments
    assert moment.closest_cm == pytest.approx(40.0)
    assert moment.place == pytest.approx((200.0, 0.0))
    assert moment.closest_at is not None
    assert at(9.0) <= moment.closest_at <= at(11.0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"objects": ("1",)}, id="one-object"),
        pytest.param({"objects": ("1", "77")}, id="an-object-the-log-has-not"),
        pytest.param({"objects": ("1", "2"), "start_at": None}, id="no-instant"),
    ],
)
def test_a_distance_that_nobody_knows_is_none(changes: dict[str, object]) -> None:
    """It is never made up."""
    found = dataclasses.replace(anchored(0, 9, 11), **changes)  # type: ignore[arg-type]  # tests change any field
    (moment,) = summary_of([found], trajectory=log()).moments
    assert moment.closest_cm is None
    assert moment.closest_at is None


def test_what_a_moment_rests_on_is_kept() -> None:
    """The VLM, the log, or both."""
    summary = summary_of([incident(0, 1, 2, basis=Basis.LOG), incident(1, 3, 4)])
    assert [m.basis for m in summary.moments] == [Basis.LOG, Basis.VLM]


def test_counts_add_up() -> None:
    """By kind, severity, object and group; most first, worst first."""
    summary = summary_of(
        [
            incident(0, 1, 2, objects=("1", "2")),
            incident(1, 3, 4, objects=("1", "2"), kind=Kind.NEAR_MISS, severity=Severity.WARN),
            incident(2, 5, 6, objects=("1", "3"), severity=Severity.EXTREME),
            incident(3, 7, 8, objects=(), kind=Kind.FIRE, severity=Severity.EXTREME),
        ]
    )
    assert dict(summary.kinds) == {Kind.COLLISION: 2, Kind.NEAR_MISS: 1, Kind.FIRE: 1}
    assert summary.kinds[0] == (Kind.COLLISION, 2)
    assert summary.severities == ((Severity.EXTREME, 2), (Severity.DANGER, 1), (Severity.WARN, 1))
    assert summary.objects == (("1", 3), ("2", 2), ("3", 1))
    assert summary.groups == ((("1", "2"), 2), (("1", "3"), 1))


KINDS = st.sampled_from(list(Kind))
SEVERITIES = st.sampled_from(list(Severity))
NAMES = st.lists(st.sampled_from(["1", "2", "3", "forklift"]), max_size=3)


@given(st.lists(st.tuples(KINDS, SEVERITIES, NAMES, st.floats(0, 59), st.floats(0, 5)), max_size=20))
def test_no_count_disagrees_with_the_list(
    drawn: list[tuple[Kind, Severity, list[str], float, float]],
) -> None:
    """The sums are those of the moments, and the worst is one of them."""
    found = [
        incident(n, start, start + long, kind=kind, severity=severity, objects=tuple(names))
        for n, (kind, severity, names, start, long) in enumerate(drawn)
    ]
    summary = summary_of(found, most_in_video=7)
    assert {m.incident_id for m in summary.moments} == {i.id for i in found}
    assert [m.span.start_s for m in summary.moments] == sorted(i.span.start_s for i in found)
    assert sum(n for _, n in summary.kinds) == sum(n for _, n in summary.severities) == len(found)
    assert sum(n for _, n in summary.objects) == sum(len(m.objects) for m in summary.moments)
    assert len(summary.shown) == min(7, len(found))
    assert list(summary.shown) == sorted(set(summary.shown))
    if found:
        assert summary.worst in summary.shown
        assert summary.worst_moment == min(summary.moments, key=badness)
    else:
        assert summary.worst_moment is None


@pytest.mark.parametrize(
    ("incidents", "worst"),
    [
        pytest.param(
            [anchored(0, 10, 11), incident(1, 20, 21, severity=Severity.EXTREME)], 2, id="severity-first"
        ),
        pytest.param([anchored(0, 5, 6), anchored(1, 10, 10.4)], 2, id="then-the-nearest"),
        pytest.param([incident(0, 5, 6), anchored(1, 6, 6.5)], 2, id="unknown-is-far"),
        pytest.param([incident(0, 5, 6), incident(1, 10, 14)], 2, id="then-the-longest"),
        pytest.param([incident(0, 5, 6), incident(1, 10, 11)], 1, id="then-the-first"),
    ],
)
def test_the_worst_is_chosen_by_the_stated_rule(incidents: list[Incident], worst: int) -> None:
    """Higher severity, then smaller distance, then longer, then earlier."""
    assert summary_of(incidents, trajectory=log()).worst == worst


def test_the_length_of_a_moment_is_that_of_the_world() -> None:
    """At ten times the speed, a second of video is ten of the world."""
    short = incident(0, 5, 8)
    long = incident(1, 10, 11, start_at=at(100), end_at=at(110))
    assert summary_of([short, long]).worst == 2


def test_of_very_many_moments_the_video_shows_the_worst() -> None:
    """A cap, by the same rule, in time order."""
    many = [
        incident(n, n, n + 0.5, severity=Severity.EXTREME if n % 100 == 7 else Severity.WARN)
        for n in range(1000)
    ]
    summary = summary_of(many, most_in_video=10)
    assert len(summary.moments) == 1000
    assert summary.shown == tuple(8 + 100 * n for n in range(10))
    assert [m.severity for m in summary.shown_moments] == [Severity.EXTREME] * 10


def test_no_moment_may_be_shown() -> None:
    """A cap of none is a video without moments."""
    assert summary_of([incident()], most_in_video=0).shown == ()


def test_a_run_without_moments_proves_that_it_looked() -> None:
    """How much was looked at stands in the summary."""
    coverage = summary_of().coverage
    assert (coverage.chunks, coverage.judged, coverage.not_asked, coverage.failed) == (30, 30, 0, ())
    assert coverage.not_asked_spans == ()
    assert coverage.ended
    assert not coverage.log_asked


def test_failed_chunks_are_named() -> None:
    """They are no calm: where they are, and why."""
    coverage = summary_of(failed=[4, 2]).coverage
    assert coverage.judged == 28
    assert [missed.span for missed in coverage.failed] == [Span(4, 6), Span(8, 10)]
    assert {missed.code for missed in coverage.failed} == {"VlmGarbled"}
    assert coverage.failed[0].message == "The answer is not a verdict."


def test_chunks_that_nobody_asked_about_are_counted_apart() -> None:
    """Neither judged nor failed: no answer at all, or one that says so itself."""
    silent = Caption(Chunk(20, Span(40, 42)), "", Verdict(Severity.SAFE, (), ""), None, {"asked": False})
    summary = summarize(job(), [], [*captions(20), silent])
    assert summary.coverage.judged == 20
    assert summary.coverage.not_asked == 10
    assert summary.coverage.not_asked_spans == (Span(40, 60),)


def test_holes_between_chunks_are_found() -> None:
    """Every span of the video that no asked chunk covers."""
    kept = [c for c in captions(30) if c.chunk.index not in {0, 5, 6, 29}]
    coverage = summarize(job(), [], kept).coverage
    assert coverage.not_asked_spans == (Span(0, 2), Span(10, 14), Span(58, 60))
    assert coverage.not_asked == 4


def test_overlapping_chunks_leave_no_hole() -> None:
    """Ten seconds every five."""
    windows = [
        Caption(Chunk(n, Span(5.0 * n, 5.0 * n + 10)), "", Verdict(Severity.SAFE, (), ""), None)
        for n in range(11)
    ]
    assert summarize(job(chunk_count=11), [], windows).coverage.not_asked_spans == ()


@pytest.mark.parametrize(
    ("status", "told", "ended"),
    [
        (JobStatus.RUNNING, None, False),
        (JobStatus.QUEUED, None, False),
        (JobStatus.DONE, None, True),
        (JobStatus.FAILED, None, True),
        (JobStatus.RUNNING, True, True),
    ],
)
def test_a_summary_knows_whether_more_may_come(status: JobStatus, told: bool | None, ended: bool) -> None:  # noqa: FBT001 - a table
    """By the job's status, or as the pipeline says at its end."""
    assert summarize(job(status=status), [], [], ended=told).coverage.ended is ended


def test_a_video_that_was_never_opened_has_no_coverage() -> None:
    """Nothing is known, and nothing is said to be known."""
    coverage = summarize(job(media_s=None, chunk_count=None, status=JobStatus.FAILED), [], []).coverage
    assert (coverage.media_s, coverage.chunks, coverage.judged, coverage.not_asked) == (None, None, 0, 0)
    assert coverage.not_asked_spans == ()


@pytest.mark.parametrize(("geometry", "asked"), [(True, True), (False, False)])
def test_whether_the_log_was_searched_is_told(geometry: bool, asked: bool) -> None:  # noqa: FBT001 - a table
    """A job may want the VLM alone."""
    summary = summary_of(trajectory=log(), options=JobOptions(geometry=geometry))
    assert summary.coverage.log_asked is asked


def test_the_video_lies_in_the_world_as_its_timeline_says() -> None:
    """First and last instant that it shows."""
    timeline = Timeline(START, 3.0, lead_s=1.0)
    coverage = summarize(job(media_s=20.0), [], captions(10), timeline=timeline).coverage
    assert coverage.shown_from_at == at(-3)
    assert coverage.shown_to_at == at(57)
    assert summary_of().coverage.shown_from_at is None


def test_a_video_that_leaves_out_parts_of_the_log_says_how_many_it_shows() -> None:
    """From the first instant of the first part to the last of the last."""
    timeline = Timeline(
        START, 1.0, sure=True, pieces=(Piece(0.0, at(0)), Piece(4.0, at(100)), Piece(8.0, at(500)))
    )
    coverage = summarize(job(media_s=12.0, chunk_count=6), [], captions(6), timeline=timeline).coverage
    assert (coverage.parts, coverage.shown_from_at, coverage.shown_to_at) == (3, at(0), at(504))
    assert summary_of(trajectory=log()).coverage.parts == 1


def test_busy_minutes_are_those_of_the_worlds_clock() -> None:
    """In the zone that times are told in; a minute with one moment is not busy."""
    starts = [5, 50, 70, 71, 72, 200]
    summary = summary_of([anchored(n, s, s + 1) for n, s in enumerate(starts)], media_s=240.0, tz=SEOUL)
    assert [(b.count, b.start_s) for b in summary.busiest] == [(3, 70), (2, 5)]
    first = summary.busiest[0].start_at
    assert first is not None
    assert (first.isoformat(), first.tzinfo) == ("2025-01-01T09:01:00+09:00", SEOUL)


def test_without_a_clock_busy_minutes_are_those_of_the_video() -> None:
    """From its first frame; one moment without a clock is enough."""
    mixed = [anchored(0, 61, 62), incident(1, 65, 66), incident(2, 119, 121), incident(3, 121, 122)]
    summary = summary_of(mixed, media_s=180.0)
    assert [(b.start_s, b.start_at, b.count) for b in summary.busiest] == [(61, None, 3)]


def test_four_thousand_moments_are_summarized_at_once() -> None:
    """No step of it grows with the square of their number in Python."""
    many = [
        incident(n, n * 0.9, n * 0.9 + 1, positions=(Position("1", float(n % 900), 0.0, float(n % 700)),))
        for n in range(4000)
    ]
    summary = summary_of(many, media_s=3600.0, chunk_count=1800)
    assert len(summary.moments) == 4000
    assert summary.hot_spots
    assert sum(b.count for b in summary.busiest) > 190


@pytest.mark.footage
def test_the_labs_log_is_summarized_as_worked_by_hand(footage_log: Path) -> None:
    """Nine contacts, the nearest at 00:00:40 with 8 cm; 2 and 4 meet three times."""
    trajectory = read_trajectory(footage_log)
    summary = summary_of(contacts_of(trajectory), trajectory=trajectory, tz=ZoneInfo("UTC"))
    assert len(summary.moments) == len(contacts(trajectory)) == 9
    assert [round(m.closest_cm or 0) for m in summary.moments] == [36, 73, 13, 88, 8, 13, 58, 68, 16]
    assert summary.worst == 5
    assert summary.groups[0] == (("2", "4"), 3)
    assert summary.hot_spots[0].count == 3
    worst = summary.worst_moment
    assert worst is not None
    assert worst.closest_at is not None
    assert abs((worst.closest_at - START) - dt.timedelta(seconds=40)) < dt.timedelta(seconds=0.3)
