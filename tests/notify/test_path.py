"""From an announcement to a receiver that verified it, with a crash and a retried job on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from extension.clock import SystemClock
from extension.model import Announcement, Change, DeliveryState, Incident, Phase, Severity
from extension.notify import receivers as receivers_file
from extension.notify.courier import Courier
from extension.notify.message import messages_for
from extension.notify.receiver import SampleReceiver
from extension.notify.receivers import Receiver
from extension.notify.webhook import WebhookSender
from extension.store import Store
from tests.notify.scripted import OTHER_SECRET, SECRET
from tests.store import values

_CLOCK = SystemClock()


@pytest.fixture
def samples() -> Iterator[tuple[SampleReceiver, SampleReceiver]]:
    """Two receivers with secrets of their own."""
    both = (SampleReceiver(SECRET), SampleReceiver(OTHER_SECRET))
    for sample in both:
        sample.start()
    yield both
    for sample in both:
        sample.stop()


@pytest.fixture
def receivers(tmp_path: Path, samples: tuple[SampleReceiver, SampleReceiver]) -> tuple[Receiver, ...]:
    """Both, from a file: one hears everything, the other only that something extreme began."""
    path = tmp_path / "receivers.yaml"
    path.write_text(
        f"""
receivers:
  - {{name: all, url: "{samples[0].url}", secret: "{SECRET}"}}
  - name: worst
    url: "{samples[1].url}"
    secret: ["{SECRET}", "{OTHER_SECRET}"]
    types: [incident.opened, incident.updated]
    min_severity: extreme
""",
        "utf-8",
    )
    return receivers_file.load(path)


def _commit(
    store: Store, receivers: tuple[Receiver, ...], change: Change, sequence: int, incident: Incident
) -> None:
    made = messages_for(Announcement(incident, change, sequence), store.job("job-1"), receivers, _CLOCK.now())
    store.commit_judgement("job-1", judged_chunks=sequence, events=(), incidents=[incident], messages=made)


def test_every_change_reaches_those_who_want_it_once_and_in_order(
    tmp_path: Path, receivers: tuple[Receiver, ...], samples: tuple[SampleReceiver, SampleReceiver]
) -> None:
    """Opened, worse, resolved; then the service starts anew, judges the same again, and nobody hears it twice."""
    opened = values.incident()
    worse = replace(opened, severity=Severity.EXTREME)
    resolved = replace(worse, phase=Phase.RESOLVED)
    story = [(Change.OPENED, opened), (Change.UPDATED, worse), (Change.RESOLVED, resolved)]
    for run in range(2):
        store = Store.open(values.store_url(tmp_path), _CLOCK)
        if run == 0:
            store.add_job(values.job())
        for sequence, (change, incident) in enumerate(story, start=1):
            _commit(store, receivers, change, sequence, incident)
        assert store.announced("i-1") == 3
        courier = Courier(store, receivers, _CLOCK, WebhookSender().send, random.Random(1))
        assert courier.deliver_due() == (4 if run == 0 else 0)
        assert store.delivery_counts()[DeliveryState.SENT] == 4
        store.close()
    everything, worst = samples
    assert [message["type"] for message in everything.received] == [
        "incident.opened",
        "incident.updated",
        "incident.resolved",
    ]
    assert [message["id"] for message in everything.received] == [f"msg_i-1_{n}_all" for n in (1, 2, 3)]
    assert [message["data"]["incident"]["severity"] for message in worst.received] == ["extreme"]
    assert everything.counts == {"verified": 3, "refused": 0, "duplicates": 0}
    assert worst.counts == {"verified": 1, "refused": 0, "duplicates": 0}


def test_an_alert_says_in_any_language_what_happened(
    tmp_path: Path, receivers: tuple[Receiver, ...], samples: tuple[SampleReceiver, SampleReceiver]
) -> None:
    """Korean words, emoji and a file name with quotes arrive as they are, and verify."""
    store = Store.open(values.store_url(tmp_path), _CLOCK)
    store.add_job(values.job(name='창고 "A"\\1\n.mp4'))
    _commit(store, receivers, Change.OPENED, 1, values.incident(description="작업자가 넘어짐 🚨"))
    Courier(store, receivers, _CLOCK, WebhookSender().send, random.Random(1)).deliver_due()
    (message,) = samples[0].received
    assert message["data"]["source"] == '창고 "A"\\1\n.mp4'
    assert message["data"]["incident"]["description"] == "작업자가 넘어짐 🚨"
    store.close()
