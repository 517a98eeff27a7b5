"""Events become incidents on media time: merged over chunk borders, resolved when it is over, told once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.incidents import merge
from extension.model import Change, Check, Event, Incident, Kind, Phase, Severity, Span

GAP_S = 0.5
CHUNK_S = 2.0


def _event(start_s: float, end_s: float, *objects: str, severity: Severity = Severity.DANGER) -> Event:
    name = f"{start_s}/{end_s}/{objects}"
    return Event(
        name, "job", int(start_s // CHUNK_S), Kind.COLLISION, Span(start_s, end_s), severity, objects
    )


def _run(events: Iterable[Event], until_s: float = 20.0) -> tuple[list[Incident], list[tuple[Change, str]]]:
    """All incidents at the end, and what was told, feeding one chunk after another."""
    events = sorted(events, key=lambda e: e.span.start_s)
    known: dict[str, Incident] = {}
    told: list[tuple[Change, str]] = []
    still_open: tuple[Incident, ...] = ()
    for index in range(int(until_s / CHUNK_S)):
        mine = [e for e in events if e.chunk_index == index]
        step = merge.step(still_open, mine, (index + 1) * CHUNK_S, GAP_S)
        still_open = step.open
        known |= {i.id: i for i in step.changed}
        told += [(change, i.id) for change, i in step.news]
    step = merge.step(still_open, (), math.inf, GAP_S)
    known |= {i.id: i for i in step.changed}
    told += [(change, i.id) for change, i in step.news]
    return list(known.values()), told


@pytest.mark.parametrize(
    ("spans", "incidents"),
    [
        pytest.param([(0.5, 1.0)], 1, id="one"),
        pytest.param([(1.5, 2.0), (2.0, 2.5)], 1, id="over-a-chunk-border"),
        pytest.param([(1.5, 1.9), (2.3, 2.5)], 1, id="with-a-gap-within-the-limit"),
        pytest.param([(1.0, 1.2), (2.0, 2.5)], 2, id="with-a-gap-beyond-the-limit"),
        pytest.param([(0.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, 6.1)], 1, id="over-four-chunks"),
        pytest.param([(0.1, 0.2), (5.0, 5.1), (11.0, 11.5)], 3, id="three-times"),
    ],
)
def test_contacts_of_a_pair_are_merged_by_their_gap(spans: list[tuple[float, float]], incidents: int) -> None:
    """One thing that happened is one incident, told once at each end."""
    found, told = _run(_event(*span, "1", "2") for span in spans)
    assert len(found) == incidents
    assert all(i.phase is Phase.RESOLVED for i in found)
    assert [c for c, _ in told].count(Change.OPENED) == incidents
    assert [c for c, _ in told].count(Change.RESOLVED) == incidents


def test_different_objects_and_kinds_are_different_incidents() -> None:
    """Two pairs at the same moment are two things to act on."""
    fire = Event("f", "job", 0, Kind.FIRE, Span(0.5, 1.0), Severity.EXTREME, ("1", "2"))
    found, _ = _run([_event(0.5, 1.0, "1", "2"), _event(0.5, 1.0, "1", "3"), fire])
    assert len(found) == 3


@pytest.mark.parametrize(
    ("one", "other", "incidents"),
    [
        pytest.param(("worker",), ("a man in orange",), 1, id="words-for-the-same-man"),
        pytest.param(("worker", "forklift"), ("forklift",), 1, id="more-words-and-fewer"),
        pytest.param((), ("worker",), 1, id="no-words-and-some"),
        pytest.param(("1", "2"), ("1", "3"), 2, id="labels"),
        pytest.param(("1", "2"), ("worker",), 2, id="a-label-and-a-word"),
        pytest.param(("1", "2"), (), 2, id="labels-and-nobody"),
    ],
)
def test_labels_separate_incidents_and_words_do_not(
    one: tuple[str, ...], other: tuple[str, ...], incidents: int
) -> None:
    """Two answers about one moment in which two windows overlap; what the first called them stays."""
    found, told = _run([_event(1.0, 1.8, *one), _event(1.5, 2.0, *other)])
    assert len(found) == incidents
    assert [change for change, _ in told].count(Change.OPENED) == incidents
    assert found[0].objects == one


def test_words_of_another_kind_or_far_apart_are_another_incident() -> None:
    """Only what is of one kind and within the gap is taken for the same."""
    fire = Event("f", "job", 0, Kind.FIRE, Span(1.0, 1.8), Severity.EXTREME, ("a van",))
    found, _ = _run([_event(1.0, 1.8, "worker"), fire, _event(4.0, 4.5, "a man")])
    assert len(found) == 3


def test_a_second_look_is_told_and_the_strongest_check_counts() -> None:
    """An incident that becomes confirmed is told again; a weaker check after it changes nothing."""
    events = [
        _event(1.0, 1.9, "worker"),
        replace(_event(2.0, 2.5, "man"), check=Check.CONFIRMED),
        replace(_event(2.6, 3.0, "man"), check=Check.UNVERIFIED),
    ]
    (incident,), told = _run(events)
    assert incident.check is Check.CONFIRMED
    assert [change for change, _ in told] == [Change.OPENED, Change.UPDATED, Change.RESOLVED]


def test_an_incident_spans_its_events_and_knows_them() -> None:
    """Nothing of what was merged is lost."""
    events = [_event(1.5, 2.0, "1", "2"), _event(2.0, 2.5, "1", "2")]
    (incident,), _ = _run(events)
    assert incident.span == Span(1.5, 2.5)
    assert incident.event_ids == tuple(e.id for e in events)


def test_growing_worse_is_told_growing_longer_is_not() -> None:
    """Receivers hear of severity, not of every chunk."""
    events = [
        _event(1.5, 2.0, "1", "2", severity=Severity.WARN),
        _event(2.0, 4.0, "1", "2", severity=Severity.DANGER),
        _event(4.0, 4.5, "1", "2", severity=Severity.WARN),
    ]
    (incident,), told = _run(events)
    assert [change for change, _ in told] == [Change.OPENED, Change.UPDATED, Change.RESOLVED]
    assert incident.severity is Severity.DANGER


def test_an_unjudged_chunk_resolves_nothing() -> None:
    """Could not tell is not calm: the incident stays open."""
    opened = merge.step((), [_event(1.5, 2.0, "1", "2")], 2.0, GAP_S)
    after_failure = merge.step(opened.open, (), -math.inf, GAP_S)
    assert after_failure.open == opened.open
    assert after_failure.news == ()
    assert after_failure.changed == ()


def test_feeding_a_chunk_again_changes_nothing() -> None:
    """After a crash the same chunk may be judged once more."""
    event = _event(1.5, 2.0, "1", "2")
    once = merge.step((), [event], 2.0, GAP_S)
    twice = merge.step(once.open, [event], 2.0, GAP_S)
    assert twice.open == once.open
    assert twice.news == ()


@given(
    st.lists(
        st.tuples(
            st.floats(0, 17.9), st.floats(0.01, 1.9), st.sampled_from([("1", "2"), ("1", "3"), ("2", "3")])
        ),
        max_size=12,
    )
)
def test_every_event_ends_up_in_exactly_one_incident(
    drawn: list[tuple[float, float, tuple[str, str]]],
) -> None:
    """Merging neither loses nor doubles; every incident is opened once and resolved once, in that order."""
    events = {
        e.id: e
        for start_s, length_s, objects in drawn
        for e in [_event(start_s, min(start_s + length_s, (start_s // CHUNK_S + 1) * CHUNK_S), *objects)]
    }
    found, told = _run(events.values())
    assert sorted(name for i in found for name in i.event_ids) == sorted(events)
    for incident in found:
        changes = [change for change, name in told if name == incident.id]
        assert (changes[0], changes[-1]) == (Change.OPENED, Change.RESOLVED)
        assert len(changes) == 2
