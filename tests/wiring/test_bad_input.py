"""Bad input and broken neighbours, through real programs: a clear error each, and nothing lost.

The embedded via-server runs as a program with the override inside; behind it stands a VLM double whose answers are scripted.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from extension.chunks.via_client import ViaClient
from extension.clock import SystemClock
from extension.model import Job, JobOptions, JobStatus, Phase
from extension.pipeline.records import Kept
from extension.pipeline.runner import JobRunner, Policy
from extension.pipeline.summing import Wish
from extension.store import Store
from tests.via_server.drawing import draw, draw_sound_mp4, even
from tests.vss_overrides.vlm_double import Reply, VlmDouble

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONTACT = {
    "kind": "collision",
    "start_s": 0.5,
    "end_s": 1.0,
    "severity": "danger",
    "objects": ["1", "2"],
    "description": "",
}
DANGER = json.dumps({"status": "danger", "events": [CONTACT], "summary": ""})


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that both sides see."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def vlm() -> Iterator[VlmDouble]:
    """The VLM behind the via-server."""
    with VlmDouble() as double:
        yield double


@pytest.fixture(scope="module")
def via_url(media: Path, vlm: VlmDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The embedded via-server as a program; its override tries twice and waits little."""
    folder = tmp_path_factory.mktemp("via")
    command = [sys.executable, "-m", "via_server", "--port", "0", "--port-file", str(folder / "port")]
    command += ["--asset-dir", str(folder / "assets"), "--allowed-media-dir", str(media)]
    env = {**os.environ, **vlm.environment, "CHUNK_CAPTION_RETRIES": "1", "CHUNK_CAPTION_TIMEOUT_S": "2"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while not (folder / "port").exists():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{(folder / 'port').read_text().strip()}"
    process.terminate()
    assert process.wait(20) == 0


class Run:
    """Runs jobs on the via-server and looks at what is stored."""

    def __init__(self, store: Store, via_url: str, folder: Path) -> None:
        self.store = store
        policy = Policy(
            chunk_s=2,
            frames_per_chunk=4,
            max_frame_px=1280 * 720,
            chunks_per_request=6,
            requests_in_flight=2,
            max_tokens=512,
            patience_s=0.0,
            merge_gap_s=0.5,
            contact_cm=100.0,
            zero_copy=True,
            timezone=ZoneInfo("UTC"),
            replays_dir=folder / "media",
            logs_dir=folder / "logs",
            kept=Kept(folder / "outputs", Wish(film=None, most_moments=5), evidence=0),
        )
        via = ViaClient(via_url, timeout_s=30.0)
        self.runner = JobRunner(
            store, via, lambda *_: [], policy, SystemClock(), threading.Event(), lambda: None
        )

    def __call__(self, video: Path) -> Job:
        """The job as it ended."""
        self.store.add_job(Job("job", video.name, str(video), None, JobOptions(), JobStatus.QUEUED, NOW))
        job = self.store.next_job()
        assert job is not None
        self.runner.run(job)
        return self.store.job("job")

    def failures(self) -> list[str]:
        """Codes of the failed chunks."""
        return [caption.failure.code for caption in self.store.captions("job") if caption.failure]


@pytest.fixture
def run(via_url: str, vlm: VlmDouble, tmp_path: Path) -> Iterator[Run]:
    """A fresh store; the VLM sees a contact in every chunk unless told otherwise."""
    vlm.default, vlm.script = Reply(text=DANGER), []
    store = Store.open(f"sqlite:///{tmp_path / 'test.db'}", SystemClock())
    yield Run(store, via_url, tmp_path)
    store.close()


@pytest.fixture(scope="module")
def six(media: Path) -> Path:
    """Six seconds of video."""
    return draw(media / "six.mp4", even(60, 10.0))


@pytest.mark.parametrize(
    ("name", "fps", "frames", "options"),
    [
        pytest.param("one frame.mp4", 10.0, 1, {}, id="one-frame"),
        pytest.param("two.mp4", 1.0, 2, {}, id="one-frame-a-second"),
        pytest.param("gray.mkv", 10.0, 40, {"pix_fmt": "gray"}, id="gray"),
        pytest.param("444.mp4", 10.0, 40, {"pix_fmt": "yuv444p"}, id="yuv444p"),
        pytest.param("mjpeg.avi", 10.0, 40, {"codec": "mjpeg", "pix_fmt": "yuvj420p"}, id="mjpeg-in-avi"),
        pytest.param(
            "odd.mkv", 10.0, 40, {"codec": "ffv1", "pix_fmt": "bgr0", "size_px": (67, 45)}, id="odd-size"
        ),
        pytest.param("이름 (1) '#.mp4", 10.0, 40, {}, id="odd-name"),
    ],
)
def test_unusual_videos_are_judged(
    run: Run, media: Path, name: str, fps: float, frames: int, options: dict[str, object]
) -> None:
    """Unusual is not wrong: every chunk gets its verdict."""
    job = run(draw(media / name, even(frames, fps), **options))  # type: ignore[arg-type] # options by test case
    assert (job.status, job.error, job.failed_chunks) == (JobStatus.DONE, None, 0)
    assert len(run.store.events("job")) == job.chunk_count
    assert all(incident.phase is Phase.RESOLVED for incident in run.store.incidents("job"))


def _truncated(path: Path, six: Path) -> Path:
    path.write_bytes(six.read_bytes()[: six.stat().st_size // 2])
    return path


def test_videos_that_are_none_fail_with_their_name(run: Run, media: Path, six: Path) -> None:
    """Truncated, empty, sound only, text: one sentence, no path."""
    (media / "empty.mp4").write_bytes(b"")
    (media / "text.mp4").write_text("hello " * 500)
    sound = draw_sound_mp4(media / "sound.mp4")
    for number, video in enumerate(
        [
            media / "empty.mp4",
            media / "text.mp4",
            sound,
            _truncated(media / "half.mp4", six),
            media / "gone.mp4",
        ]
    ):
        job = Job(f"bad-{number}", video.name, str(video), None, JobOptions(), JobStatus.QUEUED, NOW)
        run.store.add_job(job)
        found = run.store.next_job()
        assert found is not None
        run.runner.run(found)
        ended = run.store.job(job.id)
        assert ended.status is JobStatus.FAILED
        assert video.name in (ended.error or "")
        assert str(media) not in (ended.error or "")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(Reply(text="I see discs."), "Garbled", id="prose"),
        pytest.param(Reply(text=DANGER[:-30]), "Garbled", id="half-a-verdict"),
        pytest.param(Reply(text=""), "Empty", id="empty"),
        pytest.param(Reply(text=DANGER, finish_reason="length"), "Clipped", id="clipped"),
        pytest.param(Reply(status=400), "Refused", id="400"),
        pytest.param(Reply(status=401), "Refused", id="401"),
        pytest.param(Reply(status=404), "Refused", id="404"),
        pytest.param(Reply(status=500), "ServerError", id="500"),
        pytest.param(Reply(status=503), "ServerError", id="503"),
        pytest.param(Reply(raw=b"<html>"), "ServerError", id="no-json"),
        pytest.param(Reply(reset=True), "Unreachable", id="connection-reset"),
        pytest.param(Reply(cut=20), "Unreachable", id="half-an-answer"),
        pytest.param(Reply(hang=True), "Timeout", id="hangs"),
    ],
)
def test_a_vlm_that_fails_is_named_never_calm(
    run: Run, vlm: VlmDouble, six: Path, reply: Reply, code: str
) -> None:
    """Every chunk is counted as failed, by its reason; the job has failed; nothing reads as safe."""
    vlm.default = reply
    job = run(six)
    assert job.status is JobStatus.FAILED
    assert set(run.failures()) == {code}
    assert job.failed_chunks == job.chunk_count == 3
    assert code in (job.error or "")
    assert run.store.incidents("job") == []


def test_one_bad_answer_costs_one_chunk_at_most(run: Run, vlm: VlmDouble, six: Path) -> None:
    """What fails once is asked again; the others keep their verdicts."""
    vlm.script = [Reply(text="hm")]
    job = run(six)
    assert (job.status, job.failed_chunks) == (JobStatus.DONE, 0)
    assert len(run.store.events("job")) == 3


def test_an_overloaded_vlm_is_asked_again(run: Run, vlm: VlmDouble, six: Path) -> None:
    """429 with Retry-After is a matter of waiting."""
    vlm.script = [Reply(status=429, headers={"retry-after": "0"})]
    assert run(six).failed_chunks == 0


def test_no_secret_is_stored(run: Run, vlm: VlmDouble, six: Path, tmp_path: Path) -> None:
    """Keys of the VLM appear in no caption, no error, no database page."""
    vlm.default = Reply(status=401, error="bad key sk-made-up-key")
    run(six)
    assert "sk-made-up-key" not in "".join(c.text for c in run.store.captions("job"))
    for path in tmp_path.glob("test.db*"):
        assert b"sk-made-up-key" not in path.read_bytes()
