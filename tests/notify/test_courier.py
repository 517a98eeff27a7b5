"""The courier says it, then strikes it off: at least once, in order, and nobody holds up anybody else."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from extension.clock import SystemClock
from extension.errors import DeliveryFailed, Unavailable
from extension.model import DeliveryState, Message
from extension.notify.courier import Courier, Send, Tally
from extension.notify.receiver import SampleReceiver
from extension.notify.receivers import Receiver
from extension.notify.schedule import DELAYS_S
from extension.notify.webhook import WebhookSender
from extension.store import Store
from tests.notify import scripted
from tests.notify.scripted import SECRET, answer, receiver
from tests.store import values
from tests.store.values import NOON, SetClock

_PENDING, _SENT, _FAILED = DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.FAILED


class Listener:
    """Stands at the end of `send`: notes what comes and answers as told, receiver by receiver."""

    def __init__(self, **failures: list[DeliveryFailed | None]) -> None:
        self.heard: list[tuple[str, str]] = []
        self._failures = failures

    def __call__(self, receiver: Receiver, message: Message, at: dt.datetime) -> None:
        """Take a message, or fail as told."""
        del at
        self.heard.append((receiver.name, message.id))
        left = self._failures.get(receiver.name, [])
        failure = left.pop(0) if left else None
        if failure is not None:
            raise failure


def _down() -> DeliveryFailed:
    return DeliveryFailed("down", permanent=False)


@pytest.fixture
def clock() -> SetClock:
    """A clock at noon."""
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    """An outbox."""
    store = values.open_store(tmp_path, clock)
    yield store
    store.close()


@pytest.fixture
def sample() -> Iterator[SampleReceiver]:
    """A receiver as it should be."""
    sample = SampleReceiver(SECRET)
    sample.start()
    yield sample
    sample.stop()


def _courier(store: Store, clock: SetClock, send: Send, *names: str) -> Courier:
    receivers = [receiver("https://a.example", name) for name in names or ("ops",)]
    return Courier(store, receivers, clock, send, random.Random(1))


def _state(store: Store, message_id: str) -> tuple[DeliveryState, int]:
    delivery = store.delivery(message_id)
    return delivery.state, delivery.attempts


def _until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def _running(courier: Courier) -> Iterator[threading.Event]:
    """The courier at work on its own thread; a mistake in it fails the test."""
    stop, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            courier.run(stop)
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            failures.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        courier.wake()
        thread.join(20)
    assert not thread.is_alive()
    assert failures == []


def test_what_is_due_is_delivered_and_struck_off(tmp_path: Path, sample: SampleReceiver) -> None:
    """Signed, over HTTP, once."""
    clock = SystemClock()
    store = Store.open(values.store_url(tmp_path), clock)
    values.store_messages(store, values.message("m1"), values.message("m2", incident_id="i-2"))
    courier = Courier(store, [receiver(sample.url)], clock, WebhookSender().send, random.Random(1))
    assert courier.deliver_due() == 2
    assert courier.deliver_due() == 0
    assert {message["id"] for message in sample.received} == {"m1", "m2"}
    assert sample.counts == {"verified": 2, "refused": 0, "duplicates": 0}
    assert store.delivery_counts() == {_SENT: 2, _PENDING: 0, _FAILED: 0}
    assert courier.tally == Tally(sent=2)
    store.close()


def test_what_is_not_due_waits(store: Store, clock: SetClock) -> None:
    """And comes when its time has come."""
    listener = Listener()
    courier = _courier(store, clock, listener)
    values.store_messages(store, values.message("m1"))
    store.mark_retry("m1", error="down", next_attempt_at=NOON + dt.timedelta(seconds=5))
    assert courier.deliver_due() == 0
    clock.pass_s(5)
    assert courier.deliver_due() == 1


def test_a_failed_attempt_is_repeated_on_schedule_until_it_succeeds(store: Store, clock: SetClock) -> None:
    """Two seconds, then five; the error is kept meanwhile."""
    listener = Listener(ops=[_down(), _down()])
    courier = _courier(store, clock, listener)
    values.store_messages(store, values.message("m1"))
    for attempts, wait_s in ((1, 2), (2, 5)):
        assert courier.deliver_due() == 0
        delivery = store.delivery("m1")
        assert (delivery.state, delivery.attempts, delivery.last_error) == (_PENDING, attempts, "down")
        waits = (delivery.next_attempt_at - clock.now()).total_seconds()
        assert wait_s <= waits <= wait_s * 1.1
        clock.pass_s(waits)
    assert courier.deliver_due() == 1
    assert _state(store, "m1") == (_SENT, 3)
    assert store.delivery("m1").sent_at == clock.now()
    assert courier.tally == Tally(sent=1, retried=2)


def test_a_receiver_that_never_comes_back_is_given_up_at_last(store: Store, clock: SetClock) -> None:
    """After the last wait of the schedule, with the number of attempts in the reason."""
    courier = _courier(store, clock, Listener(ops=[_down()] * 100))
    values.store_messages(store, values.message("m1"))
    for _ in range(100):
        due_at = store.next_due_at()
        if due_at is None:
            break
        clock.at = due_at
        courier.deliver_due()
    assert _state(store, "m1") == (_FAILED, len(DELAYS_S))
    assert store.delivery("m1").last_error == f"down ({len(DELAYS_S)} attempts)"
    assert clock.now() - NOON > dt.timedelta(hours=75)
    assert courier.tally.given_up == 1


def test_a_permanent_refusal_is_not_repeated_and_frees_what_waits_behind_it(
    store: Store, clock: SetClock
) -> None:
    """The next message of the incident may still get through."""
    listener = Listener(ops=[DeliveryFailed("410: the receiver is gone", permanent=True)])
    courier = _courier(store, clock, listener)
    values.store_messages(store, values.message("m1"), values.message("m2", sequence=2))
    assert courier.deliver_due() == 1
    assert _state(store, "m1") == (_FAILED, 1)
    assert store.delivery("m1").last_error == "410: the receiver is gone"
    assert _state(store, "m2") == (_SENT, 1)


def test_nobody_hears_the_end_before_the_beginning(store: Store, clock: SetClock) -> None:
    """While the first message of an incident fails, its later ones wait; other incidents and receivers do not."""
    listener = Listener(a=[_down()])
    courier = _courier(store, clock, listener, "a", "b")
    values.store_messages(
        store,
        *(values.message(f"{r}{n}", receiver=r, sequence=n) for n in (1, 2, 3) for r in "ab"),
        values.message("other", receiver="a", incident_id="i-2"),
    )
    assert courier.deliver_due() == 4
    assert [m for r, m in listener.heard if r == "a"] == ["a1", "other"]
    assert [m for r, m in listener.heard if r == "b"] == ["b1", "b2", "b3"]
    clock.pass_s(3)
    assert courier.deliver_due() == 3
    assert [m for r, m in listener.heard if r == "a"] == ["a1", "other", "a1", "a2", "a3"]


def test_a_receiver_that_is_no_longer_configured_gets_nothing(store: Store, clock: SetClock) -> None:
    """Its messages are given up for a reason that the operator can read."""
    listener = Listener()
    courier = _courier(store, clock, listener, "ops")
    values.store_messages(store, values.message("m1", receiver="gone"), values.message("m2", receiver="ops"))
    assert courier.deliver_due() == 1
    assert listener.heard == [("ops", "m2")]
    assert store.delivery("m1").state is _FAILED
    assert store.delivery("m1").last_error == "no receiver is called 'gone' any more"


def test_a_service_without_receivers_runs(store: Store, clock: SetClock) -> None:
    """There is nothing to do."""
    assert Courier(store, [], clock, Listener(), random.Random(1)).deliver_due() == 0


def test_a_receiver_that_asks_for_quiet_gets_it_for_all_its_messages(store: Store, clock: SetClock) -> None:
    """The others go on; afterwards everything comes."""
    busy = DeliveryFailed("the receiver answered 429", permanent=False, retry_after_s=30.0)
    listener = Listener(a=[busy])
    courier = _courier(store, clock, listener, "a", "b")
    messages = [values.message(f"{r}{n}", receiver=r, incident_id=f"i-{n}") for n in range(3) for r in "ab"]
    values.store_messages(store, *messages)
    assert courier.deliver_due() == 3
    clock.pass_s(29)
    assert courier.deliver_due() == 0
    assert [m for r, m in listener.heard if r == "a"] == ["a0"]
    clock.pass_s(5)
    assert courier.deliver_due() == 3


def test_an_absurd_wish_for_quiet_holds_for_minutes_only(store: Store, clock: SetClock) -> None:
    """The message itself waits for a day at most, the receiver's others for five minutes."""
    forever = DeliveryFailed("the receiver answered 503", permanent=False, retry_after_s=1e12)
    courier = _courier(store, clock, Listener(ops=[forever]))
    values.store_messages(store, values.message("m1"), values.message("m2", incident_id="i-2"))
    assert courier.deliver_due() == 0
    clock.pass_s(301)
    assert courier.deliver_due() == 1
    assert store.delivery("m1").next_attempt_at <= NOON + dt.timedelta(hours=27)


def test_the_operator_can_have_it_sent_again(tmp_path: Path, sample: SampleReceiver) -> None:
    """Under the same id, so that a receiver that has it knows it."""
    clock = SystemClock()
    store = Store.open(values.store_url(tmp_path), clock)
    values.store_messages(store, values.message("m1"))
    courier = Courier(store, [receiver(sample.url)], clock, WebhookSender().send, random.Random(1))
    courier.deliver_due()
    store.redeliver("m1", clock.now())
    assert courier.deliver_due() == 1
    assert sample.counts == {"verified": 1, "refused": 0, "duplicates": 1}
    store.close()


def test_a_running_courier_wakes_for_news_and_for_the_schedule(
    tmp_path: Path, sample: SampleReceiver
) -> None:
    """A message put there later is sent at once, a failed one when it is due, without anybody asking."""
    clock = SystemClock()
    store = Store.open(values.store_url(tmp_path), clock)
    with scripted.scripted(answer(500), answer(200)) as flaky:
        receivers = [receiver(sample.url, "ops"), receiver(flaky.url, "flaky")]
        courier = Courier(store, receivers, clock, WebhookSender().send, random.Random(1))
        with _running(courier):
            values.store_messages(store, values.message("m1"), values.message("m2", receiver="flaky"))
            courier.wake()
            _until(lambda: sample.counts["verified"] == 1)
            _until(lambda: store.delivery("m2").state is _SENT)
    assert _state(store, "m2") == (_SENT, 2)
    assert len(flaky.requests) == 2
    store.close()


def test_a_receiver_that_hangs_does_not_hold_up_another(tmp_path: Path, sample: SampleReceiver) -> None:
    """While every attempt at it waits, the other hears all there is, what comes meanwhile included."""
    clock = SystemClock()
    store = Store.open(values.store_url(tmp_path), clock)
    sender = WebhookSender(total_s=60)
    with scripted.scripted(scripted.hang) as stuck:
        receivers = [receiver(stuck.url, "stuck"), receiver(sample.url, "ops")]
        courier = Courier(store, receivers, clock, sender.send, random.Random(1))
        with _running(courier) as stop:
            for n in range(5):
                both = [
                    values.message(f"{r}-{n}", receiver=r, incident_id=f"i-{n}") for r in ("stuck", "ops")
                ]
                values.store_messages(store, *both)
                courier.wake()
                _until(lambda sent=n + 1: store.delivery_counts()[_SENT] == sent)  # type: ignore[misc]  # bound at once
            assert sample.counts["verified"] == 5
            assert len(stuck.requests) == 1
            stop.set()
            sender.cut()
    counts = store.delivery_counts()
    assert (counts[_SENT], counts[_PENDING]) == (5, 5)
    store.close()


def test_a_store_that_fails_after_sending_does_not_make_a_storm(
    store: Store, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk cannot strike off: the message goes out again, but only after a rest."""
    listener = Listener()
    courier = _courier(store, clock, listener)
    values.store_messages(store, values.message("m1"))

    def full(*_: object) -> None:
        raise Unavailable("the database alerts.db cannot grow: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "mark_sent", full)
        for _ in range(3):
            assert courier.deliver_due() == 0
    assert listener.heard == [("ops", "m1")]
    assert courier.tally.store_errors == 1
    clock.pass_s(60)
    assert courier.deliver_due() == 1
    assert listener.heard == [("ops", "m1")] * 2
    assert _state(store, "m1") == (_SENT, 1)


def test_a_mistake_of_ours_is_not_lost_in_a_thread(store: Store, clock: SetClock) -> None:
    """Whoever runs the courier sees it and can start it anew."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    courier = Courier(store, [receiver("https://a")], SystemClock(), broken, random.Random(1))
    del clock
    values.store_messages(store, values.message("m1"))
    with pytest.raises(ZeroDivisionError):
        courier.run(threading.Event())
    assert _state(store, "m1") == (_PENDING, 0)


# Sends what is due; the first argument is the database, the second the receiver, the third the moment of death.
_CHILD = """
import os, random, signal, sys, threading
from extension.clock import SystemClock
from extension.notify.courier import Courier
from extension.notify.webhook import WebhookSender
from extension.store import Store
from tests.notify.scripted import receiver

clock, sender = SystemClock(), WebhookSender()
store = Store.open(sys.argv[1], clock)

def send(*args):
    sender.send(*args)
    if sys.argv[3] == "before-striking-off":
        os.kill(os.getpid(), signal.SIGKILL)

courier = Courier(store, [receiver(sys.argv[2])], clock, send, random.Random(1))
print("ready", flush=True)
courier.run(threading.Event())
"""


def _child(folder: Path, url: str, death: str) -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    arguments = [sys.executable, "-c", _CHILD, values.store_url(folder), url, death]
    return subprocess.Popen(
        arguments, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ
    )


def test_killed_between_sending_and_striking_off_it_comes_twice_under_one_id(
    tmp_path: Path, sample: SampleReceiver
) -> None:
    """The next courier cannot know, so it says it again; the receiver can."""
    clock = SystemClock()
    store = Store.open(values.store_url(tmp_path), clock)
    values.store_messages(store, values.message("m1"))
    with _child(tmp_path, sample.url, "before-striking-off") as child:
        assert child.wait(30) == -signal.SIGKILL
    assert sample.counts == {"verified": 1, "refused": 0, "duplicates": 0}
    assert _state(store, "m1") == (_PENDING, 0)
    courier = Courier(store, [receiver(sample.url)], clock, WebhookSender().send, random.Random(1))
    assert courier.deliver_due() == 1
    assert sample.counts == {"verified": 1, "refused": 0, "duplicates": 1}
    assert _state(store, "m1") == (_SENT, 1)
    store.close()


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path, sample: SampleReceiver) -> None:
    """Every message arrives, in its order; at most the one in hand at each death arrives twice."""
    clock, rng = SystemClock(), random.Random(3)
    store = Store.open(values.store_url(tmp_path), clock)
    ids = [f"m-{n:03d}" for n in range(60)]
    values.store_messages(store, *(values.message(message_id) for message_id in ids))
    deaths = 2
    for _ in range(deaths):
        heard = sample.counts["verified"]
        with _child(tmp_path, sample.url, "from-outside") as child:
            _until(lambda heard=heard: sample.counts["verified"] > heard)  # type: ignore[misc]  # bound at once
            time.sleep(rng.uniform(0.0, 0.05))
            child.kill()
    courier = Courier(store, [receiver(sample.url)], clock, WebhookSender().send, random.Random(1))
    courier.deliver_due()
    assert [message["id"] for message in sample.received] == ids
    assert sample.counts["duplicates"] <= deaths
    assert store.delivery_counts()[_SENT] == 60
    store.close()
