"""kill -9 of the service at any moment, then a new start: the job ends, no incident is lost or doubled, no delivery is lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from extension.client import ApiClient
from extension.errors import Unavailable
from extension.model import DeliveryState, JobStatus, Phase
from extension.notify.receiver import SampleReceiver
from extension.stack.settings import child_environment
from extension.wire import JobIn, JobOut
from tests.pipeline.via_double import Answer, ViaDouble, captions

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
CHUNKS = 30


def _video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="rgb24")
        for _ in range(CHUNKS * 10):
            picture.pts = None
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def _content(start_s: float) -> str:
    """One contact in every third chunk, the pair told by the chunk."""
    if start_s % 6:
        return '{"status": "safe", "events": [], "summary": ""}'
    event = {
        "kind": "collision",
        "start_s": 0.5,
        "end_s": 1.0,
        "severity": "danger",
        "objects": ["1", f"{start_s:.0f}9"],
    }
    return json.dumps({"status": "danger", "events": [event], "summary": ""})


def _slow(query: dict[str, Any], _: int) -> Answer:
    time.sleep(0.05)
    return 200, captions(query, _content)


class ServiceProcess:
    """The service in a process of its own, on a database that outlives it."""

    def __init__(self, folder: Path, via_url: str, receiver: SampleReceiver) -> None:
        self.folder = folder
        self.env = child_environment(
            VIA_BACKEND=via_url,
            EXT_DATA_DIR=str(folder / "data"),
            EXT_MEDIA_DIRS=str(folder),
            EXT_VIA_ZERO_COPY="true",
            EXT_CHUNKS_PER_REQUEST="1",
            EXT_WEBHOOK_URL=receiver.url,
            EXT_WEBHOOK_SECRET=SECRET,
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> ApiClient:
        """Start it and wait until it answers."""
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "extension",
            "serve",
            "--no-page",
            "--port",
            "0",
            "--port-file",
            str(port_file),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        _until(port_file.exists)
        api = ApiClient(f"http://127.0.0.1:{port_file.read_text().strip()}")
        _until(lambda: _answers(api))
        return api

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def _answers(api: ApiClient) -> bool:
    try:
        api.jobs()
    except Unavailable:
        return False
    return True


def _until(fact: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def receiver() -> Iterator[SampleReceiver]:
    """A receiver that verifies signatures."""
    made = SampleReceiver(SECRET)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("seed", [1, 2])
def test_killing_the_service_loses_and_doubles_nothing(
    tmp_path: Path, receiver: SampleReceiver, seed: int, request: pytest.FixtureRequest
) -> None:
    """Killed five times at moments drawn by chance, the job still ends with every incident once and told."""
    rng = random.Random(seed)
    video = _video(tmp_path / "kill.mp4")
    with ViaDouble(_slow) as double:
        service = ServiceProcess(tmp_path, double.url, receiver)
        request.addfinalizer(service.kill)
        job = service.start().submit_path(JobIn(path=str(video)))
        for _ in range(5):
            time.sleep(rng.uniform(0.0, 0.5))
            service.kill()
            api = service.start()
        _until(lambda: _ended(api.job(job.id)))
        _until(lambda: all(d.state is not DeliveryState.PENDING for d in api.deliveries(job.id)))
        _check(api, job.id, receiver)
        assert service.stop() == 0


def _ended(job: JobOut) -> bool:
    return job.status in {JobStatus.DONE, JobStatus.FAILED}


def _check(api: ApiClient, job_id: str, receiver: SampleReceiver) -> None:
    job = api.job(job_id)
    assert (job.status, job.failed_chunks, job.judged_chunks) == (JobStatus.DONE, 0, CHUNKS)
    incidents = api.incidents(job_id)
    assert sorted(i.start_s for i in incidents) == [6.0 * n + 0.5 for n in range(10)]
    assert all(i.phase is Phase.RESOLVED for i in incidents)
    assert len(api.events(job_id)) == 10
    deliveries = api.deliveries(job_id)
    assert {d.state for d in deliveries} == {DeliveryState.SENT}
    expected = {(i.id, f"incident.{change}") for i in incidents for change in ("opened", "resolved")}
    assert sorted((d.incident_id, d.type) for d in deliveries) == sorted(expected)
    heard = [(message["data"]["incident"]["id"], message["type"]) for message in receiver.received]
    assert sorted(heard) == sorted(expected), (
        "each message is heard once: the receiver drops repeats by their id"
    )
    assert receiver.counts["refused"] == 0
