"""A judgement is stored whole: events, incidents, messages and cursor, or none of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extension.errors import BadInput, NotFound
from extension.model import DeliveryState, Phase, Severity, Span
from extension.store import Store
from tests.store import values
from tests.store.values import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one job."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    yield store
    store.close()


def test_a_judgement_comes_back_as_it_was_committed(store: Store) -> None:
    """Every field of its events and incidents; its messages are due at once."""
    event, incident, message = values.event(), values.incident(), values.message()
    store.commit_judgement("job-1", judged_chunks=1, events=[event], incidents=[incident], messages=[message])
    assert store.events("job-1") == [event]
    assert store.incidents("job-1") == store.open_incidents("job-1") == [incident]
    assert store.incident("i-1") == incident
    assert store.job("job-1").judged_chunks == 1
    assert [delivery.message for delivery in store.due(NOON)] == [message]


def test_instants_come_back_in_utc(store: Store) -> None:
    """A start stated in Seoul is the same instant."""
    seoul = NOON.astimezone(dt.timezone(dt.timedelta(hours=9)))
    store.commit_judgement(
        "job-1", judged_chunks=1, events=[values.event(start_at=seoul)], incidents=(), messages=()
    )
    start_at = store.events("job-1")[0].start_at
    assert start_at == NOON
    assert start_at is not None
    assert start_at.tzinfo is dt.UTC


def test_committing_again_doubles_nothing(store: Store) -> None:
    """Events and incidents are renewed, a message that was sent is left alone."""
    for severity in (Severity.DANGER, Severity.EXTREME):
        store.commit_judgement(
            "job-1",
            judged_chunks=1,
            events=[values.event(severity=severity)],
            incidents=[values.incident(severity=severity)],
            messages=[values.message()],
        )
        if severity is Severity.DANGER:
            store.mark_sent("msg_i-1_1_ops", NOON)
    assert [event.severity for event in store.events("job-1")] == [Severity.EXTREME]
    assert [incident.severity for incident in store.incidents()] == [Severity.EXTREME]
    assert [delivery.state for delivery in store.deliveries()] == [DeliveryState.SENT]


def test_the_cursor_never_moves_backwards(store: Store) -> None:
    """A late commit of an early chunk does not undo progress."""
    for judged in (3, 1):
        store.commit_judgement("job-1", judged_chunks=judged, events=(), incidents=(), messages=())
    assert store.job("job-1").judged_chunks == 3


def test_a_judgement_that_fails_leaves_no_trace(store: Store) -> None:
    """An incident of a job that does not exist takes the events and the cursor with it."""
    stray = values.incident(job_id="no")
    with pytest.raises(BadInput):
        store.commit_judgement(
            "job-1", judged_chunks=1, events=[values.event()], incidents=[stray], messages=[values.message()]
        )
    assert store.events("job-1") == []
    assert store.deliveries() == []
    assert store.job("job-1").judged_chunks == 0


def test_a_judgement_of_no_job_is_not_found(store: Store) -> None:
    """Nothing is stored for it."""
    with pytest.raises(NotFound):
        store.commit_judgement("no", judged_chunks=1, events=(), incidents=(), messages=[values.message()])
    assert store.deliveries() == []


def test_events_are_in_order_of_time_then_objects(store: Store) -> None:
    """Two at the same moment are told apart by their objects."""
    late = values.event("a", span=Span(4.0, 5.0))
    second = values.event("b", span=Span(1.0, 2.0), objects=("2", "3"))
    first = values.event("c", span=Span(1.0, 2.0), objects=("1", "4"))
    store.commit_judgement("job-1", judged_chunks=1, events=[late, second, first], incidents=(), messages=())
    assert store.events("job-1") == [first, second, late]


def test_only_unresolved_incidents_are_open(store: Store) -> None:
    """Those of another job do not count."""
    store.add_job(values.job("job-2"))
    resolved = values.incident("i-2", phase=Phase.RESOLVED, event_ids=("e-2",))
    other = values.incident("i-3", job_id="job-2", event_ids=("e-3",))
    store.commit_judgement(
        "job-1", judged_chunks=1, events=(), incidents=[values.incident(), resolved], messages=()
    )
    store.commit_judgement("job-2", judged_chunks=1, events=(), incidents=[other], messages=())
    assert [incident.id for incident in store.open_incidents("job-1")] == ["i-1"]
    assert [incident.id for incident in store.incidents()] == ["i-3", "i-1", "i-2"]
    assert [incident.id for incident in store.incidents(limit=1)] == ["i-3"]


def test_an_unknown_incident_is_not_found(store: Store) -> None:
    """The sentence names it."""
    with pytest.raises(NotFound, match="no incident has the id no"):
        store.incident("no")


def test_announced_is_the_highest_sequence_of_any_receiver(store: Store) -> None:
    """Several receivers of one announcement count once; none is zero."""
    assert store.announced("i-1") == 0
    values.store_messages(
        store,
        values.message("m1", receiver="a", sequence=1),
        values.message("m2", receiver="b", sequence=1),
        values.message("m3", receiver="a", sequence=2),
        values.message("m4", receiver="a", incident_id="i-2", sequence=7),
    )
    assert store.announced("i-1") == 2


def test_a_message_that_is_not_an_alert_is_stored_too(store: Store) -> None:
    """It only has no place in the count of announcements."""
    for number, body in enumerate(("hello", "[]", '{"data": {"sequence": "x"}}', "{}")):
        values.store_messages(store, replace(values.message(f"m{number}"), body=body))
    assert len(store.deliveries()) == 4
    assert store.announced("i-1") == 0


def test_two_incidents_that_prove_to_be_one_become_one(store: Store) -> None:
    """A retried chunk joins its neighbours: the swallowed incident goes, its deliveries stay."""
    before = [
        values.incident("i-1"),
        values.incident("i-2", event_ids=("e-3",)),
        values.incident("i-9", event_ids=("e-9",)),
    ]
    store.commit_judgement(
        "job-1", judged_chunks=3, events=(), incidents=before, messages=[values.message(incident_id="i-2")]
    )
    joined = values.incident("i-1", event_ids=("e-1", "e-2", "e-3"), span=Span(0.0, 5.0))
    store.commit_judgement("job-1", judged_chunks=3, events=(), incidents=[joined], messages=())
    assert {incident.id for incident in store.incidents("job-1")} == {"i-1", "i-9"}
    assert len(store.deliveries("job-1")) == 1


def test_incidents_since_an_instant_are_those_that_end_there_or_later(store: Store) -> None:
    """Of one job, open or not, by start."""
    store.add_job(values.job(id="job-2"))
    spans = {"old": (0.0, 5.0), "across": (2.0, 30.0), "edge": (5.0, 10.0), "new": (20.0, 25.0)}
    incidents = [
        replace(values.incident(), id=name, span=Span(*span), event_ids=(name,))
        for name, span in spans.items()
    ]
    store.commit_judgement("job-1", judged_chunks=1, events=(), incidents=incidents, messages=())
    assert [found.id for found in store.incidents_since("job-1", 10.0)] == ["across", "edge", "new"]
    assert store.incidents_since("job-1", 30.5) == []
    assert store.incidents_since("job-2", 0.0) == []
