"""However receivers fail, every message arrives, each incident's in order."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.errors import DeliveryFailed
from extension.model import DeliveryState, Message
from extension.notify.courier import Courier
from extension.notify.receivers import Receiver
from tests.notify.scripted import receiver
from tests.store import values
from tests.store.values import SetClock

_RECEIVERS, _INCIDENTS, _SEQUENCES = ("a", "b"), ("x", "y"), (1, 2, 3)


class _Unsteady:
    """Fails as a list of chances says, then never again."""

    def __init__(self, chances: list[int | None]) -> None:
        self._chances = list(chances)
        self.accepted: dict[tuple[str, str], list[str]] = defaultdict(list)

    def __call__(self, receiver: Receiver, message: Message, at: dt.datetime) -> None:
        """Accept the message or not; a number is the wish for so many seconds of quiet."""
        del at
        wait_s = self._chances.pop() if self._chances else None
        if wait_s is not None:
            raise DeliveryFailed("busy", permanent=False, retry_after_s=float(wait_s) or None)
        self.accepted[receiver.name, message.incident_id].append(message.id)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(chances=st.lists(st.none() | st.sampled_from([0, 7, 400]), max_size=25), seed=st.integers(0, 99))
def test_every_message_arrives_once_and_in_order(chances: list[int | None], seed: int) -> None:
    """The clock is set to whenever the store says that something is due, as the running courier does."""
    clock, unsteady = SetClock(), _Unsteady(chances)
    with tempfile.TemporaryDirectory() as folder:
        store = values.open_store(Path(folder), clock)
        values.store_messages(
            store,
            *(
                values.message(f"{r}{i}{n}", receiver=r, incident_id=i, sequence=n)
                for n in _SEQUENCES
                for i in _INCIDENTS
                for r in _RECEIVERS
            ),
        )
        courier = Courier(
            store, [receiver("https://a", name) for name in _RECEIVERS], clock, unsteady, random.Random(seed)
        )
        for _ in range(100):
            due_at = store.next_due_at()
            if due_at is None:
                break
            # A receiver that asked for quiet is left alone for a while though something is due for it.
            clock.at = max(due_at, clock.now() + dt.timedelta(seconds=30))
            courier.deliver_due()
        assert unsteady.accepted == {
            (r, i): [f"{r}{i}{n}" for n in _SEQUENCES] for r in _RECEIVERS for i in _INCIDENTS
        }
        assert store.delivery_counts()[DeliveryState.SENT] == 12
        store.close()
