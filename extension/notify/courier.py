"""The courier: sends what is due, says it first and strikes it off then. At least once, in order, nobody held up."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import structlog

from extension.clock import Clock
from extension.errors import DeliveryFailed, ExtensionError
from extension.model import Delivery, Message
from extension.notify import schedule
from extension.notify.receivers import Receiver

Send = Callable[[Receiver, Message, dt.datetime], None]
_LOG = structlog.get_logger(__name__)
_BATCH = 20
# Another program (the command line) may have put something into the outbox: look now and then.
_LONGEST_SLEEP_S = 30.0
# How soon a stop is noticed.
_SLICE_S = 0.25
# A store that fails after a message was sent would have it sent again at once.
_STORE_REST_S = 15.0
# A receiver that asks for quiet gets it for all its messages, but an operator's word must not wait for a day.
_LONGEST_REST_S = 300.0


class Outbox(Protocol):
    """What the courier asks of the store; extension.store.Store keeps it."""

    def due(self, now: dt.datetime, limit: int = 20, receiver: str | None = None) -> list[Delivery]:
        """Deliveries to attempt now, the first in line of each incident and receiver."""
        ...

    def receivers_due(self, now: dt.datetime) -> set[str]:
        """Names of the receivers for which something is due."""
        ...

    def next_due_at(self, without: Collection[str] = ()) -> dt.datetime | None:
        """When something is due next, some receivers left aside."""
        ...

    def mark_sent(self, message_id: str, at: dt.datetime) -> None:
        """Strike it off."""
        ...

    def mark_retry(self, message_id: str, *, error: str, next_attempt_at: dt.datetime) -> None:
        """Note a failed attempt that is to be repeated."""
        ...

    def mark_failed(self, message_id: str, error: str) -> None:
        """Give it up."""
        ...


@dataclass
class Tally:
    """What the courier did since it was made, for metrics; attempts are sent + retried + given_up."""

    sent: int = 0
    retried: int = 0
    given_up: int = 0
    store_errors: int = 0


class Courier:
    """Delivers the messages in the outbox.

    Each receiver has its own thread while something is due for it: a slow one delays only itself.

    Args:
        store: The outbox.
        receivers: Everybody who listens, by unlike names.
        clock: Says what is due.
        send: Makes one attempt; raises DeliveryFailed.
        rng: Chance for the jitter.
        tally: Counts what was done.
    """

    def __init__(
        self,
        store: Outbox,
        receivers: Iterable[Receiver],
        clock: Clock,
        send: Send,
        rng: random.Random,
        tally: Tally | None = None,
    ) -> None:
        self._store = store
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._clock = clock
        self._send = send
        self._rng = rng
        self.tally = tally or Tally()
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._rests_until: dict[str, dt.datetime] = {}
        self._news = threading.Event()

    def wake(self) -> None:
        """Look into the outbox now: something was put there."""
        self._news.set()

    def deliver_due(self) -> int:
        """Attempt everything that is due; return how many messages were accepted.

        Raises:
            Unavailable: when the store does not answer.
        """
        with self._pool() as pool:
            lanes = self._start_lanes(pool, threading.Event())
        return sum(lane.result() for lane in lanes)

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; attempts that are running then are still finished."""
        lanes: list[Future[int]] = []
        with self._pool() as pool:
            while not stop.is_set():
                self._news.clear()
                lanes = _running(lanes)
                try:
                    lanes += self._start_lanes(pool, stop)
                    sleep_s = self._sleep_s()
                except ExtensionError as exc:
                    self._store_failed(exc)
                    sleep_s = _STORE_REST_S
                self._sleep(sleep_s, stop)

    def _pool(self) -> ThreadPoolExecutor:
        # One more for receivers that are no longer configured.
        return ThreadPoolExecutor(len(self._receivers) + 1, thread_name_prefix="courier")

    def _start_lanes(self, pool: ThreadPoolExecutor, stop: threading.Event) -> list[Future[int]]:
        now = self._clock.now()
        waiting = self._store.receivers_due(now)
        with self._lock:
            resting = {name for name, until in self._rests_until.items() if until > now}
            names = sorted(waiting - self._busy - resting)
            self._busy.update(names)
        return [pool.submit(self._lane, name, stop) for name in names]

    def _lane(self, name: str, stop: threading.Event) -> int:
        """Send one receiver what is due for it, one message after another; return how many it accepted."""
        accepted = 0
        try:
            while not stop.is_set() and not self._rests(name):
                due = self._store.due(self._clock.now(), _BATCH, name)
                if not due:
                    break
                accepted += sum(self._attempt(name, delivery) for delivery in self._until(stop, name, due))
        except ExtensionError as exc:
            self._rest(name, _STORE_REST_S)
            self._store_failed(exc)
        finally:
            with self._lock:
                self._busy.discard(name)
            self._news.set()
        return accepted

    def _until(self, stop: threading.Event, name: str, due: list[Delivery]) -> Iterable[Delivery]:
        for delivery in due:
            if stop.is_set() or self._rests(name):
                return
            yield delivery

    def _attempt(self, name: str, delivery: Delivery) -> bool:
        """Send one message and write down what came of it; True when it was accepted."""
        message_id = delivery.message.id
        receiver = self._receivers.get(name)
        if receiver is None:
            self._give_up(delivery, f"no receiver is called {name!r} any more")
            return False
        try:
            self._send(receiver, delivery.message, self._clock.now())
        except DeliveryFailed as exc:
            self._failed(delivery, exc)
            return False
        self._store.mark_sent(message_id, self._clock.now())
        self._count(sent=1)
        _LOG.info("delivered", message=message_id, receiver=name, attempt=delivery.attempts + 1)
        return True

    def _failed(self, delivery: Delivery, failure: DeliveryFailed) -> None:
        attempts = delivery.attempts + 1
        with self._lock:
            chance = self._rng.random()
        wait_s = schedule.next_delay_s(attempts, chance, failure.retry_after_s)
        if failure.permanent or wait_s is None:
            self._give_up(delivery, str(failure) if failure.permanent else f"{failure} ({attempts} attempts)")
            return
        if failure.retry_after_s:
            # It asked for quiet: that holds for every message to it.
            self._rest(delivery.message.receiver, min(failure.retry_after_s, _LONGEST_REST_S))
        at = self._clock.now() + dt.timedelta(seconds=wait_s)
        self._store.mark_retry(delivery.message.id, error=str(failure), next_attempt_at=at)
        self._count(retried=1)
        _LOG.warning(
            "delivery_failed",
            message=delivery.message.id,
            receiver=delivery.message.receiver,
            attempt=attempts,
            reason=str(failure),
            again_in_s=round(wait_s, 1),
        )

    def _give_up(self, delivery: Delivery, reason: str) -> None:
        self._store.mark_failed(delivery.message.id, reason)
        self._count(given_up=1)
        _LOG.error(
            "delivery_given_up",
            message=delivery.message.id,
            receiver=delivery.message.receiver,
            reason=reason,
        )

    def _rest(self, name: str, seconds: float) -> None:
        with self._lock:
            self._rests_until[name] = self._clock.now() + dt.timedelta(seconds=seconds)

    def _rests(self, name: str) -> bool:
        with self._lock:
            until = self._rests_until.get(name)
        return until is not None and until > self._clock.now()

    def _store_failed(self, error: ExtensionError) -> None:
        self._count(store_errors=1)
        _LOG.error("outbox_failed", reason=str(error))

    def _count(self, **more: int) -> None:
        with self._lock:
            for name, number in more.items():
                setattr(self.tally, name, getattr(self.tally, name) + number)

    def _sleep_s(self) -> float:
        """Seconds until there is something to do; a receiver whose lane runs wakes the courier when it ends."""
        now = self._clock.now()
        with self._lock:
            resting = {name: until for name, until in self._rests_until.items() if until > now}
            without = self._busy | resting.keys()
        times = [*resting.values()]
        due_at = self._store.next_due_at(without)
        if due_at is not None:
            times.append(due_at)
        waits = [(at - now).total_seconds() for at in times]
        return max(0.0, min([_LONGEST_SLEEP_S, *waits]))

    def _sleep(self, seconds: float, stop: threading.Event) -> None:
        end_s = self._clock.monotonic_s() + seconds
        while not stop.is_set() and not self._news.is_set():
            left_s = end_s - self._clock.monotonic_s()
            if left_s <= 0:
                return
            self._news.wait(min(left_s, _SLICE_S))


def _running(lanes: Iterable[Future[int]]) -> list[Future[int]]:
    """The lanes that still run; a mistake of ours in one that ended is raised here, not lost."""
    running = []
    for lane in lanes:
        if lane.done():
            lane.result()
        else:
            running.append(lane)
    return running
