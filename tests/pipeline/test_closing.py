"""Times and places are settled at the end, and what a recorder misses at the edges of a log is told from it."""

from __future__ import annotations

import datetime as dt

import pytest

from extension.chunks.plan import chunks
from extension.model import (
    Basis,
    Caption,
    Chunk,
    Claim,
    Event,
    Incident,
    JobOptions,
    Kind,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline import closing
from extension.pipeline.world import World
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SEOUL = dt.timezone(dt.timedelta(hours=9))


def _log(touching: set[int], seconds: int = 60, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Objects 1 and 2, once a second: 40 cm apart in the given seconds, 900 cm otherwise."""
    rows = []
    for second in range(seconds):
        at = f"2025-01-01 00:00:{second:02d}.000"
        rows += [
            f"{at},obj001,{second},0,0",
            f"{at},obj002,{second + (40 if second in touching else 900)},0,0",
        ]
    return parse_trajectory("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n", tz)


def _caption(index: int, clock: str | None, *claims: Claim) -> Caption:
    return Caption(
        Chunk(index, Span(2.0 * index, 2.0 * index + 2)), "", Verdict(Severity.SAFE, claims, "", clock), None
    )


def _event(start_s: float, chunk_index: int = 0) -> Event:
    span = Span(start_s, start_s + 1)
    return Event(f"e{start_s}", "job", chunk_index, Kind.COLLISION, span, Severity.DANGER, ("1", "2"))


def _incident(*events: Event) -> Incident:
    span = Span(events[0].span.start_s, events[-1].span.end_s)
    ids = tuple(e.id for e in events)
    return Incident("i", "job", Kind.COLLISION, ("1", "2"), Phase.OPEN, Severity.DANGER, span, ids)


def _world(log: Trajectory, first_s: float = 0.0, *, geometry: bool = True) -> World:
    """The world of a video whose first frame is stated to show that second of the log."""
    start_at = log.start_at + dt.timedelta(seconds=first_s)
    return World(JobOptions(start_at=start_at, geometry=geometry), log, log.tz)


@pytest.mark.parametrize(
    ("touching", "first_s", "last_s", "found"),
    [
        pytest.param({0, 1}, 3.0, 59.0, [0], id="just-before-the-video"),
        pytest.param({58, 59}, 0.0, 57.0, [58], id="just-after-the-video"),
        pytest.param({0, 59}, 2.0, 58.0, [0, 59], id="at-both-ends"),
        pytest.param({1}, 10.0, 59.0, [], id="the-video-was-cut-on-purpose"),
        pytest.param({59}, 0.0, 30.0, [], id="and-at-its-end"),
    ],
)
def test_contacts_at_the_edges_are_told_from_the_log(
    touching: set[int], first_s: float, last_s: float, found: list[int]
) -> None:
    """Only where the recorder was merely late; they belong to no chunk."""
    world, parts = _world(_log(touching), first_s), chunks(last_s - first_s, 2)
    events = closing.unclaimed_contacts("job", world, parts, ())
    assert [e.start_at for e in events] == [START + dt.timedelta(seconds=s) for s in found]
    for event in events:
        assert (event.chunk_index, event.basis) == (closing.NO_CHUNK, Basis.LOG)
        assert "40 cm apart" in event.description
        assert "does not show" in event.description
        assert [p.objid for p in event.positions] == ["obj001", "obj002"]
        assert event.span.start_s == event.span.end_s in {0.0, last_s - first_s}
    again = closing.unclaimed_contacts("job", world, parts, ())
    assert [e.id for e in again] == [e.id for e in events], "a restart finds the same"


@pytest.mark.parametrize(
    ("touching", "first_s", "chunk_index", "span"),
    [
        pytest.param({20, 21}, 3.0, 8, Span(17.0, 18.0), id="in-the-video"),
        pytest.param({1, 2, 3}, 2.0, 0, Span(0.0, 1.0), id="reaches-into-the-video"),
    ],
)
def test_contacts_of_the_video_that_no_event_speaks_of_are_told(
    touching: set[int], first_s: float, chunk_index: int, span: Span
) -> None:
    """As events of their chunk, unless an event of the same objects is there."""
    world, parts = _world(_log(touching), first_s), chunks(50.0, 2)
    (told,) = closing.unclaimed_contacts("job", world, parts, ())
    assert (told.chunk_index, told.span, told.basis) == (chunk_index, span, Basis.LOG)
    assert "did not report" in told.description
    assert closing.unclaimed_contacts("job", world, parts, (told,)) == ()


def test_nothing_is_told_where_the_job_wants_the_vlm_alone() -> None:
    """Then the log only gives times and places."""
    world = _world(_log({20}), geometry=False)
    assert closing.unclaimed_contacts("job", world, chunks(50.0, 2), ()) == ()


def test_the_clock_of_an_unseen_contact_is_the_logs_own() -> None:
    """In the zone that the log is written in."""
    log = _log({0}, tz=SEOUL)
    (event,) = closing.unclaimed_contacts("job", _world(log, 2.0), chunks(50.0, 2), ())
    assert event.clock == "00:00:00"
    assert event.start_at == dt.datetime(2024, 12, 31, 15, tzinfo=dt.UTC)


def test_settling_follows_what_the_clocks_taught() -> None:
    """An early guess is corrected; what is right stays the same object."""
    world = World(JobOptions(speed=1.0), _log({9}), dt.UTC)
    guessed = closing.settled(_event(6.0), world)
    assert guessed.start_at == START + dt.timedelta(seconds=6)
    for index in range(4):
        world.learn(_caption(index, f"00:00:{2 * index + 3:02d}"))
    settled = closing.settled(guessed, world)
    assert settled.start_at is not None
    assert settled.end_at is not None
    assert abs((settled.start_at - START).total_seconds() - 9.5) <= 0.5
    assert settled.end_at - settled.start_at == dt.timedelta(seconds=1)
    assert settled.positions[0].x == pytest.approx((settled.start_at - START).total_seconds(), abs=1e-6)
    assert closing.settled(settled, world) is settled


def test_without_an_anchor_nothing_is_invented() -> None:
    """No log, no stated start: no wall clock."""
    world = World(JobOptions(), None, dt.UTC)
    world.learn(_caption(0, "12:00:00"))
    event = _event(3.0)
    assert closing.settled(event, world) is event
    assert world.at(3.0) is None
    assert world.media_s("12:00:03") is None
    assert world.locate(("1",), START) == ()


def test_a_stated_start_anchors_without_a_log() -> None:
    """A camera's file with a known start has wall-clock times, no places."""
    world = World(JobOptions(start_at=START), None, dt.UTC)
    settled = closing.settled(_event(3.0), world)
    assert (settled.start_at, settled.positions) == (START + dt.timedelta(seconds=3), ())


def test_seen_and_unseen_are_told_apart() -> None:
    """An incident is seen when any of its events is."""
    seen, unseen = _event(3.0), _event(0.0, closing.NO_CHUNK)
    both, neither = _incident(unseen, seen), _incident(unseen)
    assert closing.seen([seen, unseen], [both, neither]) == ([seen], [both])


@pytest.mark.parametrize(
    ("start", "clock", "media_s"),
    [
        pytest.param(START, "00:00:30", 10.0, id="plain"),
        pytest.param(START.replace(hour=23, minute=59), "00:00:00", 20.0, id="past-midnight"),
    ],
)
def test_a_clock_text_finds_its_media_second(start: dt.datetime, clock: str, media_s: float) -> None:
    """At three times the speed, thirty log seconds are ten of the video; midnight is no wall."""
    world = World(JobOptions(speed=3.0, start_at=start), None, dt.UTC)
    assert world.media_s(clock) == pytest.approx(media_s)
