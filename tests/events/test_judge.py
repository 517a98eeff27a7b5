"""Captions become events: with world time, places and policy, one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from extension.events import judge
from extension.model import Caption, Chunk, Claim, Failure, Kind, Position, Severity, Span, Verdict

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
CHUNK = Chunk(3, Span(6.0, 8.0))


def _claim(
    start_s: float, *objects: str, kind: Kind = Kind.COLLISION, severity: Severity = Severity.DANGER
) -> Claim:
    return Claim(kind, Span(start_s, start_s + 0.5), severity, objects)


def _caption(*claims: Claim) -> Caption:
    return Caption(CHUNK, "{}", Verdict(Severity.DANGER, claims, ""), None)


def _world(media_s: float) -> dt.datetime:
    return START + dt.timedelta(seconds=3 * media_s)


def _locate(objects: Sequence[str], at: dt.datetime) -> tuple[Position, ...]:
    return tuple(Position(o, (at - START).total_seconds(), 0.0, 1.0) for o in objects)


def test_events_carry_world_time_and_the_places_at_their_start() -> None:
    """A replay at 3x maps media seconds to three log seconds; places are those of the beginning."""
    (event,) = judge.events("job", _caption(_claim(7.0, "1", "4")), _world, _locate)
    assert event.start_at == START + dt.timedelta(seconds=21)
    assert event.end_at == START + dt.timedelta(seconds=22.5)
    assert [(p.objid, p.x) for p in event.positions] == [("1", 21.0), ("4", 21.0)]
    assert (event.chunk_index, event.span) == (3, Span(7.0, 7.5))


def test_without_an_anchor_there_is_no_wall_clock_and_no_place() -> None:
    """No invented times."""
    (event,) = judge.events("job", _caption(_claim(7.0, "1", "4")), lambda _: None, _locate)
    assert (event.start_at, event.end_at, event.positions) == (None, None, ())


def test_a_caption_without_verdict_has_no_events() -> None:
    """A failed chunk is a failure, not an event; it is counted elsewhere."""
    failed = Caption(CHUNK, "", None, Failure("Timeout", "too slow"))
    assert judge.events("job", failed, _world, _locate) == ()


def test_events_are_in_order_of_time_and_each_is_there_once() -> None:
    """The VLM's order and its repetitions do not matter."""
    claims = [_claim(7.5, "1", "2"), _claim(6.1, "3", "4"), _claim(7.5, "1", "2")]
    events = judge.events("job", _caption(*claims), _world, _locate)
    assert [e.objects for e in events] == [("3", "4"), ("1", "2")]


def test_the_same_caption_always_gives_the_same_ids() -> None:
    """Judging again after a crash makes no second event."""
    caption = _caption(_claim(7.5, "1", "2"), _claim(6.1, "3", "4"))
    first = judge.events("job", caption, _world, _locate)
    again = judge.events("job", caption, _world, _locate)
    other = judge.events("other job", caption, _world, _locate)
    assert [e.id for e in first] == [e.id for e in again]
    assert not {e.id for e in first} & {e.id for e in other}


def test_a_near_miss_is_a_warning_at_most_and_calm_claims_are_no_events() -> None:
    """Policy: proximity is no accident."""
    claims = [
        _claim(6.0, kind=Kind.NEAR_MISS, severity=Severity.EXTREME),
        _claim(6.5, severity=Severity.SAFE),
    ]
    (event,) = judge.events("job", _caption(*claims), _world, _locate)
    assert event.severity is Severity.WARN
