"""The outbox against a model of a few lines: any sequence of puts, marks, restarts and looks agrees with it."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from extension.model import DeliveryState
from tests.store import values
from tests.store.values import NOON, SetClock

_PENDING, _SENT, _FAILED = DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.FAILED


class OutboxMachine(RuleBasedStateMachine):
    """Does to a real outbox what it does to a list."""

    @initialize()
    def begin(self) -> None:
        """An empty outbox in a new database."""
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock()
        self.store = values.open_store(Path(self.folder.name), self.clock)
        self.store.add_job(values.job())
        # Rows in order: [id, receiver, incident, state, attempts, due at].
        self.rows: list[list[object]] = []

    def teardown(self) -> None:
        """Close it."""
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule(receiver=st.sampled_from("ab"), incident=st.sampled_from("xy"))
    def put(self, receiver: str, incident: str) -> None:
        """Put a new message, and the same one again."""
        message = values.message(f"m{len(self.rows)}", receiver=receiver, incident_id=incident)
        for _ in range(2):
            self.store.commit_judgement("job-1", judged_chunks=0, events=(), incidents=(), messages=[message])
        self.rows.append([message.id, receiver, incident, _PENDING, 0, self.clock.now()])

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), wait_s=st.integers(0, 5))
    def fail_for_now(self, data: st.DataObject, wait_s: int) -> None:
        """Note a failed attempt of any message that is still to be sent."""
        row = data.draw(st.sampled_from(self.rows))
        if row[3] is _PENDING:
            at = self.clock.now() + dt.timedelta(seconds=wait_s)
            row[4:] = [int(str(row[4])) + 1, at]
            self.store.mark_retry(str(row[0]), error="down", next_attempt_at=at)

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), accepted=st.booleans())
    def end(self, data: st.DataObject, *, accepted: bool) -> None:
        """Strike a message off, or give it up."""
        row = data.draw(st.sampled_from(self.rows))
        if row[3] is _PENDING:
            row[3], row[4] = (_SENT if accepted else _FAILED), int(str(row[4])) + 1
            if accepted:
                self.store.mark_sent(str(row[0]), self.clock.now())
            else:
                self.store.mark_failed(str(row[0]), "410")

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """The operator's word."""
        row = data.draw(st.sampled_from(self.rows))
        row[3:] = [_PENDING, 0, self.clock.now()]
        self.store.redeliver(str(row[0]), self.clock.now())

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.pass_s(seconds)

    @rule()
    def restart(self) -> None:
        """Close and open again."""
        self.store.close()
        self.store = values.open_store(Path(self.folder.name), self.clock)

    @invariant()
    def what_is_due_agrees(self) -> None:
        """Heads of their lines whose time has come, longest due first; and the next time that something is."""
        if not hasattr(self, "rows"):
            return
        heads: dict[object, list[object]] = {}
        for row in self.rows:
            if row[3] is _PENDING:
                heads.setdefault((row[1], row[2]), row)
        ready = sorted((row for row in heads.values()), key=lambda row: (str(row[5]), int(str(row[0])[1:])))
        now = self.clock.now()
        due = [row[0] for row in ready if dt.datetime.fromisoformat(str(row[5])) <= now]
        assert [delivery.message.id for delivery in self.store.due(now)] == due
        assert str(self.store.next_due_at()) == str(ready[0][5] if ready else None)
        assert self.store.receivers_due(now) == {row[1] for row in self.rows if row[0] in due}

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        """Every message is there once, in its state, with its attempts."""
        if not hasattr(self, "rows"):
            return
        found = [(d.message.id, d.state, d.attempts) for d in reversed(self.store.deliveries())]
        assert found == [(row[0], row[3], row[4]) for row in self.rows]
        assert sum(self.store.delivery_counts().values()) == len(self.rows)
        assert self.store.due(NOON - dt.timedelta(seconds=1)) == []


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
