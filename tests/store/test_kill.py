"""A process killed at any moment leaves a database in which every invariant holds."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from extension.model import DeliveryState, Phase
from extension.store import Store
from tests.store import values

# Judges chunk after chunk from wherever the database says it stopped, and sends what is due, until it is killed.
_WRITER = """
import sys
from dataclasses import replace
from extension.clock import SystemClock
from extension.model import Phase
from extension.store import Store
from tests.store import values

clock = SystemClock()
store = Store.open(sys.argv[1], clock)
print("ready", flush=True)
if not store.jobs():
    store.add_job(values.job())
job = store.next_job()
chunk = job.judged_chunks
while True:
    store.save_captions("job-1", [values.collision_caption(chunk)])
    event = values.event(f"e-{chunk}", chunk)
    opened = values.incident(f"i-{chunk}", event_ids=(event.id,))
    before = [replace(i, phase=Phase.RESOLVED) for i in store.open_incidents("job-1")]
    messages = [
        values.message(f"msg_{i.id}_{n}_{r}", receiver=r, incident_id=i.id, sequence=n)
        for i, n in [(opened, 1), *((i, 2) for i in before)]
        for r in ("a", "b")
    ]
    chunk += 1
    store.commit_judgement(
        "job-1", judged_chunks=chunk, events=[event], incidents=[opened, *before], messages=messages
    )
    for delivery in store.due(clock.now(), limit=2):
        store.mark_sent(delivery.message.id, clock.now())
"""


def test_killed_at_any_moment_nothing_is_lost_halved_or_doubled(tmp_path: Path) -> None:
    """Kills during the making of the schema and during judgements; the next process goes on where the last stopped."""
    rng = random.Random(20)
    judged = 0
    for wait_s in (None, *(rng.uniform(0.0, 0.12) for _ in range(4))):
        _run_and_kill(tmp_path, wait_s, rng)
        store = values.open_store(tmp_path)
        judged = _checked(store, judged)
        store.close()
    assert judged > 0


def _run_and_kill(folder: Path, wait_s: float | None, rng: random.Random) -> None:
    """Kill the writer so many seconds after it is ready; None: while it starts, as soon as its file is there."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, values.store_url(folder)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    if wait_s is None:
        while not (folder / "alerts.db").exists() and psutil.pid_exists(writer.pid):
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.02))
    else:
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(wait_s)
    writer.send_signal(signal.SIGKILL)
    assert writer.wait(10) == -signal.SIGKILL
    writer.stdout.close()


def _checked(store: Store, judged_before: int) -> int:
    """Check every invariant; return how many chunks are judged."""
    if not store.jobs():
        assert store.incidents() == []
        assert store.deliveries() == []
        assert judged_before == 0
        return 0
    judged = store.job("job-1").judged_chunks
    assert judged >= judged_before
    assert {event.chunk_index for event in store.events("job-1")} == set(range(judged))
    # A caption is saved before its chunk is judged.
    assert store.answered_indices("job-1") - set(range(judged)) <= {judged}
    incidents = store.incidents("job-1", limit=100_000)
    assert {incident.id for incident in incidents} == {f"i-{n}" for n in range(judged)}
    assert sum(incident.phase is Phase.OPEN for incident in incidents) == min(judged, 1)
    _check_deliveries(store, judged)
    return judged


def _check_deliveries(store: Store, judged: int) -> None:
    deliveries = store.deliveries(limit=100_000)
    expected = {f"msg_i-{n}_1_{r}" for n in range(judged) for r in "ab"}
    expected |= {f"msg_i-{n}_2_{r}" for n in range(judged - 1) for r in "ab"}
    assert Counter(delivery.message.id for delivery in deliveries) == Counter(expected)
    for delivery in deliveries:
        assert delivery.attempts == (delivery.state is DeliveryState.SENT)
        assert (delivery.sent_at is not None) == (delivery.state is DeliveryState.SENT)
        assert json.loads(delivery.message.body)["type"] == "incident.opened"
