"""The whole product over its REST API, as a program of somebody else's would use it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from extension.client import ApiClient
from extension.clock import SystemClock
from extension.errors import BadInput
from extension.model import DeliveryState, JobStatus, Phase
from extension.notify.receiver import SampleReceiver
from extension.settings import load
from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.render import render
from extension.sources.replay.style import Style
from extension.stack.embedded import EmbeddedStack
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory_csv import read_trajectory, write_trajectory
from extension.wire import JobOut

pytestmark = pytest.mark.e2e
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


class Product:
    """The running product, its receiver, and a replay to try it on."""

    def __init__(self, url: str, receiver: SampleReceiver, folder: Path) -> None:
        self.api = ApiClient(url)
        self.url = f"{url}/api/v1"
        self.receiver = receiver
        self.video = folder / "replay 리플레이.mp4"
        self.log = folder / "log.csv"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Everything embedded, one receiver."""
    folder = tmp_path_factory.mktemp("product")
    receiver = SampleReceiver(SECRET)
    receiver.start()
    stack = EmbeddedStack(
        load(None, data_dir=folder / "data", port=0),
        media_dirs=(),
        webhook=(receiver.url, SECRET),
        page=False,
        clock=SystemClock(),
        say=lambda _: None,
    )
    made = Product("", receiver, folder)
    trajectory = generate(Plan(objects=5, duration_s=14.0, contacts=2, near_misses=1), seed=11)
    write_trajectory(trajectory, made.log)
    render(trajectory, Style(), made.video)
    with stack:
        yield Product(stack.service_url, receiver, folder)
    receiver.stop()


@pytest.fixture(scope="module")
def job(product: Product) -> JobOut:
    """The replay, uploaded with its log and analysed."""
    submitted = product.api.submit_upload(product.video, product.log, {"speed": "1.0"})
    _until(lambda: product.api.job(submitted.id).status in {JobStatus.DONE, JobStatus.FAILED})
    _until(lambda: all(d.state is not DeliveryState.PENDING for d in product.api.deliveries(submitted.id)))
    return product.api.job(submitted.id)


def _until(fact: Callable[[], bool], seconds: float = 160.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_an_uploaded_replay_is_judged_exactly(product: Product, job: JobOut) -> None:
    """Every contact of the log, with its objects, time and places, and none besides."""
    assert (job.status, job.failed_chunks, job.name) == (JobStatus.DONE, 0, product.video.name)
    truth = contacts(read_trajectory(product.log))
    incidents = product.api.incidents(job.id)
    assert sorted(tuple(i.objects) for i in incidents) == sorted(c.objects for c in truth)
    for incident in incidents:
        assert incident.phase is Phase.RESOLVED
        assert incident.start_at is not None
        near = [c for c in truth if c.objects == tuple(incident.objects)]
        assert min(abs((incident.start_at - c.start_at).total_seconds()) for c in near) <= 1.0
        one, other = incident.positions
        assert ((one.x - other.x) ** 2 + (one.z - other.z) ** 2) ** 0.5 < 130


def test_the_receiver_heard_each_change_once_in_order(product: Product, job: JobOut) -> None:
    """Opened before resolved; the body is the incident as the API tells it."""
    heard = [m for m in product.receiver.received if m["data"]["incident"]["job_id"] == job.id]
    for incident in product.api.incidents(job.id):
        mine = [m for m in heard if m["data"]["incident"]["id"] == incident.id]
        assert [m["type"] for m in mine] == ["incident.opened", "incident.resolved"]
        assert [m["data"]["sequence"] for m in mine] == [1, 2]
        assert mine[1]["data"]["source"] == product.video.name
        assert mine[1]["data"]["incident"]["objects"] == incident.objects
    assert product.receiver.counts["refused"] == 0


def test_the_video_can_be_sought(product: Product, job: JobOut) -> None:
    """Ranges, as a player asks for them."""
    whole = requests.get(f"{product.url}/jobs/{job.id}/video", timeout=20)
    part = requests.get(f"{product.url}/jobs/{job.id}/video", headers={"range": "bytes=100-199"}, timeout=20)
    assert whole.content == product.video.read_bytes()
    assert (part.status_code, part.content) == (206, whole.content[100:200])


def test_outputs_can_be_fetched(product: Product, job: JobOut) -> None:
    """Three files in the forms that twins read; beside them the summary, with its pictures and its video."""
    every = product.api.outputs(job.id)
    assert {"heatmap.png", "timeline.png", "summary.mp4", "summary.en.md", "summary.ko.md"} <= set(every)
    names = [name for name in every if name.startswith("replay-reference_")]
    assert len(names) == 3
    pages: dict[str, Any] = {
        name: requests.get(f"{product.url}/jobs/{job.id}/outputs/{name}", timeout=20).text for name in names
    }
    (events,) = [text for name, text in pages.items() if name.endswith("eventlist.jsonl")]
    lines = [json.loads(line) for line in events.splitlines()]
    assert {line["objid"][:3] for line in lines} == {"obj"}
    assert all(set(line["position"]) == {"x", "y", "z"} for line in lines)
    (raw,) = [json.loads(text) for name, text in pages.items() if name.endswith(".json")]
    assert len(raw["chunk_responses"]) == job.chunk_count


@pytest.mark.parametrize("question", ["How many collisions were there?", "충돌이 몇 번 있었나요?"])
def test_questions_are_answered_with_citations(product: Product, job: JobOut, question: str) -> None:
    """From what is stored, in the question's language; each citation is an incident's own time."""
    answer = product.api.ask(job.id, question)
    incidents = product.api.incidents(job.id)
    assert str(len(incidents)) in answer.answer
    assert answer.written_by == "extractive"
    assert {c.start_s for c in answer.citations} <= {i.start_s for i in incidents}
    assert ("번" in answer.answer or "건" in answer.answer) is ("충돌" in question)


def test_a_delivery_can_be_sent_again(product: Product, job: JobOut) -> None:
    """The receiver knows it by its id and drops the repeat."""
    delivery = product.api.deliveries(job.id)[0]
    before = product.receiver.counts["duplicates"]
    assert requests.post(f"{product.url}/deliveries/{delivery.id}/redeliver", timeout=20).ok
    _until(lambda: product.receiver.counts["duplicates"] == before + 1)


def test_captions_name_prompt_model_and_cost(product: Product, job: JobOut) -> None:
    """What every answer was asked with, and what it took."""
    for caption in product.api.captions(job.id):
        assert caption.failure is None
        assert caption.stats["prompt"] == "simple_view.v1"
        assert caption.stats["model"] == "replay-reference"
        assert caption.stats["frames"] >= 1
        assert caption.stats["input_tokens"] > 0


def test_a_path_outside_the_allowed_folders_is_refused(product: Product) -> None:
    """However it is written."""
    from extension.wire import JobIn

    for path in ("/etc/passwd", str(product.video), f"{product.video.parent}/data/media/../../log.csv"):
        with pytest.raises(BadInput):
            product.api.submit_path(JobIn(path=path))
