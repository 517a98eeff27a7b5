"""The outbox hands out what is due, in order, and forgets nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.errors import NotFound
from extension.model import DeliveryState
from extension.store import Store
from tests.store import values
from tests.store.values import NOON, SetClock

_SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def clock() -> SetClock:
    """A clock at noon."""
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    """A store with one job."""
    store = values.open_store(tmp_path, clock)
    yield store
    store.close()


def _due(store: Store, at: dt.datetime = NOON, receiver: str | None = None) -> list[str]:
    return [delivery.message.id for delivery in store.due(at, receiver=receiver)]


def test_a_new_message_is_due_at_once(store: Store) -> None:
    """It has not been tried."""
    values.store_messages(store, values.message("m1"))
    (delivery,) = store.due(NOON)
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.PENDING, 0, None)
    assert delivery.created_at == delivery.next_attempt_at == NOON
    assert store.next_due_at() == NOON
    assert store.due(NOON - _SECOND) == []


def test_an_empty_outbox_is_never_due(store: Store) -> None:
    """Nothing to send, no time to wake."""
    assert store.due(NOON) == []
    assert store.next_due_at() is None
    assert store.receivers_due(NOON) == set()


def test_a_later_message_of_an_incident_waits_for_the_earlier_one(store: Store) -> None:
    """Only to the same receiver: another one hears at once. Sent or given up, the earlier frees the later."""
    values.store_messages(
        store,
        values.message("a1", receiver="a"),
        values.message("b1", receiver="b"),
        values.message("a2", receiver="a", sequence=2),
        values.message("b2", receiver="b", sequence=2),
        values.message("other", receiver="a", incident_id="i-2"),
    )
    assert _due(store) == ["a1", "b1", "other"]
    store.mark_sent("a1", NOON)
    store.mark_failed("b1", "410 Gone")
    assert _due(store) == ["a2", "b2", "other"]


def test_a_message_waiting_behind_a_retry_does_not_wake_anyone(store: Store) -> None:
    """The next time is that of the message in front."""
    values.store_messages(store, values.message("a1"), values.message("a2", sequence=2))
    store.mark_retry("a1", error="down", next_attempt_at=NOON + 60 * _SECOND)
    assert _due(store, NOON + 59 * _SECOND) == []
    assert store.next_due_at() == NOON + 60 * _SECOND
    assert _due(store, NOON + 60 * _SECOND) == ["a1"]


def test_what_has_waited_longest_is_first_and_the_limit_holds(store: Store) -> None:
    """Due time goes before order of arrival."""
    values.store_messages(store, *(values.message(f"m{n}", incident_id=f"i-{n}") for n in range(4)))
    store.mark_retry("m0", error="down", next_attempt_at=NOON + _SECOND)
    at = NOON + 2 * _SECOND
    assert _due(store, at) == ["m1", "m2", "m3", "m0"]
    assert [delivery.message.id for delivery in store.due(at, limit=2)] == ["m1", "m2"]


def test_dues_can_be_asked_for_one_receiver(store: Store) -> None:
    """And those who have some are named."""
    values.store_messages(
        store, values.message("a1", receiver="a"), values.message("b1", receiver="b", incident_id="i-2")
    )
    store.mark_retry("b1", error="down", next_attempt_at=NOON + _SECOND)
    assert store.receivers_due(NOON) == {"a"}
    assert store.receivers_due(NOON + _SECOND) == {"a", "b"}
    assert _due(store, NOON + _SECOND, "b") == ["b1"]
    assert store.next_due_at(without={"a"}) == NOON + _SECOND
    assert store.next_due_at(without={"a", "b"}) is None


def test_each_mark_counts_the_attempt(store: Store) -> None:
    """A retry keeps the error until the receiver accepts."""
    values.store_messages(store, values.message("m1"))
    store.mark_retry("m1", error="503", next_attempt_at=NOON + _SECOND)
    tried = store.delivery("m1")
    assert (tried.state, tried.attempts, tried.last_error) == (DeliveryState.PENDING, 1, "503")
    store.mark_sent("m1", NOON + _SECOND)
    sent = store.delivery("m1")
    assert (sent.state, sent.attempts, sent.last_error) == (DeliveryState.SENT, 2, None)
    assert sent.sent_at == NOON + _SECOND


def test_what_is_given_up_is_not_due(store: Store) -> None:
    """Its reason stays."""
    values.store_messages(store, values.message("m1"))
    store.mark_failed("m1", "410 Gone")
    delivery = store.delivery("m1")
    assert (delivery.state, delivery.attempts, delivery.last_error) == (DeliveryState.FAILED, 1, "410 Gone")
    assert _due(store) == []


def test_the_operator_can_send_again(store: Store) -> None:
    """Given up or sent, it is due with a fresh schedule and the same id."""
    values.store_messages(store, values.message("m1"), values.message("m2", incident_id="i-2"))
    store.mark_failed("m1", "410 Gone")
    store.mark_sent("m2", NOON)
    for message_id in ("m1", "m2"):
        store.redeliver(message_id, NOON + _SECOND)
        delivery = store.delivery(message_id)
        assert (delivery.state, delivery.attempts, delivery.sent_at) == (DeliveryState.PENDING, 0, None)
    assert _due(store, NOON + _SECOND) == ["m1", "m2"]


def test_an_unknown_delivery_is_not_found(store: Store) -> None:
    """Marks of it are refused too."""
    for call in (
        lambda: store.delivery("no"),
        lambda: store.mark_sent("no", NOON),
        lambda: store.mark_retry("no", error="x", next_attempt_at=NOON),
        lambda: store.mark_failed("no", "x"),
        lambda: store.redeliver("no", NOON),
    ):
        with pytest.raises(NotFound, match="no delivery has the id no"):
            call()


def test_deliveries_are_listed_newest_first_and_counted(store: Store) -> None:
    """Per job or altogether; states without deliveries count zero."""
    values.store_messages(store, values.message("m1"), values.message("m2", incident_id="i-2"))
    store.add_job(values.job("job-2"))
    other = values.message("m3", incident_id="i-3")
    store.commit_judgement("job-2", judged_chunks=1, events=(), incidents=(), messages=[other])
    store.mark_sent("m1", NOON)
    assert [delivery.message.id for delivery in store.deliveries()] == ["m3", "m2", "m1"]
    assert [delivery.message.id for delivery in store.deliveries("job-1", limit=1)] == ["m2"]
    sent, pending, failed = DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.FAILED
    assert store.delivery_counts() == {sent: 1, pending: 2, failed: 0}
    assert store.delivery_counts("job-2") == {sent: 0, pending: 1, failed: 0}
