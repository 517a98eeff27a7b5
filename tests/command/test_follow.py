"""Following a job: patient with a service that starts anew, impatient with one that is gone, never submitting twice."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from extension.client import ApiClient
from extension.command.follow import Follower, Wanted
from extension.errors import BadInput, Unavailable
from extension.model import DeliveryState, JobStatus
from extension.wire import DeliveryOut, JobIn, JobOut

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WANTED = Wanted(Path("videos/x.mp4"), None, 1.0)


class WaitingClock:
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> dt.datetime:
        """Unused here."""
        return NOW

    def monotonic_s(self) -> float:
        """Seconds waited."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.now_s += seconds


def _job(status: JobStatus, progress: float = 0.0, **changes: Any) -> JobOut:
    values: dict[str, Any] = {
        "id": "job",
        "name": "x.mp4",
        "status": status,
        "error": None,
        "model": None,
        "speed": 1.0,
        "media_s": 4.0,
        "chunk_count": 2,
        "answered_chunks": 0,
        "failed_chunks": 0,
        "judged_chunks": 0,
        "progress": progress,
        "created_at": NOW,
        "started_at": None,
        "finished_at": None,
        "has_trajectory": False,
    }
    return JobOut(**{**values, **changes})


def _delivery(state: DeliveryState) -> DeliveryOut:
    return DeliveryOut(
        id="m",
        receiver="r",
        incident_id="i",
        type="incident.opened",
        state=state,
        attempts=1,
        created_at=NOW,
        next_attempt_at=NOW,
        sent_at=None,
        last_error=None,
    )


@dataclass
class Scripted:
    """A service that answers by script; an exception in a script is raised. The last entry is repeated."""

    jobs_script: list[Any] = field(default_factory=lambda: [[]])
    job_script: list[Any] = field(default_factory=lambda: [_job(JobStatus.DONE, 1.0)])
    submit_script: list[Any] = field(default_factory=lambda: [_job(JobStatus.QUEUED)])
    deliveries_script: list[Any] = field(default_factory=lambda: [[]])
    keys: list[str | None] = field(default_factory=list)
    uploads: list[dict[str, str]] = field(default_factory=list)

    def jobs(self) -> Any:
        """The list of jobs."""
        return _next(self.jobs_script)

    def job(self, _job_id: str) -> Any:
        """One job."""
        return _next(self.job_script)

    def submit_path(self, job: JobIn, key: str | None = None) -> Any:
        """A submission by path."""
        assert Path(job.path or "").is_absolute()
        self.keys.append(key)
        return _next(self.submit_script)

    def submit_upload(
        self, _video: Path, _log: Path | None, options: dict[str, str], key: str | None = None
    ) -> Any:
        """A submission by upload."""
        self.uploads.append(options)
        self.keys.append(key)
        return _next(self.submit_script)

    def events(self, _job_id: str) -> list[Any]:
        """No events."""
        return []

    incidents = events

    def deliveries(self, _job_id: str) -> Any:
        """The deliveries."""
        return _next(self.deliveries_script)


def _next(script: list[Any]) -> Any:
    entry = script.pop(0) if len(script) > 1 else script[0]
    if isinstance(entry, Exception):
        raise entry
    return entry


Follow = Callable[[Scripted], tuple[Follower, WaitingClock, io.StringIO]]


@pytest.fixture
def follow() -> Follow:
    """A follower of a scripted service."""

    def made(service: Scripted) -> tuple[Follower, WaitingClock, io.StringIO]:
        clock, text = WaitingClock(), io.StringIO()
        follower = Follower(cast("ApiClient", service), Console(file=text, width=100), clock, settle_s=30.0)
        return follower, clock, text

    return made


def test_a_job_is_followed_to_its_end(follow: Follow) -> None:
    """Submitted once, watched, with its deliveries settled."""
    service = Scripted(
        job_script=[_job(JobStatus.RUNNING, 0.5), _job(JobStatus.DONE, 1.0)],
        deliveries_script=[[_delivery(DeliveryState.PENDING)], [_delivery(DeliveryState.SENT)]],
    )
    outcome = follow(service)[0].run(WANTED)
    assert outcome.job.status is JobStatus.DONE
    assert outcome.delivered(DeliveryState.SENT) == 1
    assert len(service.keys) == 1


def test_a_service_that_starts_anew_is_waited_for_and_told_the_same_key(follow: Follow) -> None:
    """Whatever the moment: before, while and after submitting. A repeated submission is the same job."""
    away = Unavailable("away")
    service = Scripted(
        jobs_script=[away, []],
        submit_script=[away, away, _job(JobStatus.QUEUED)],
        job_script=[away, _job(JobStatus.RUNNING), away, _job(JobStatus.DONE)],
        deliveries_script=[away, []],
    )
    assert follow(service)[0].run(WANTED).job.status is JobStatus.DONE
    assert len(service.keys) == 3
    assert len(set(service.keys)) == 1


def test_a_service_that_is_gone_ends_the_wait(follow: Follow) -> None:
    """A minute of silence is enough."""
    follower, clock, _ = follow(Scripted(job_script=[Unavailable("gone")]))
    with pytest.raises(Unavailable, match="gone"):
        follower.run(WANTED)
    assert 60 <= clock.now_s < 120


def test_a_refusal_is_not_repeated(follow: Follow) -> None:
    """Bad input stays bad."""
    service = Scripted(submit_script=[BadInput("no video")])
    with pytest.raises(BadInput, match="no video"):
        follow(service)[0].run(WANTED)
    assert len(service.keys) == 1


@pytest.mark.parametrize(
    ("known", "taken_up"),
    [
        pytest.param(_job(JobStatus.RUNNING), True, id="the-same-video"),
        pytest.param(_job(JobStatus.QUEUED), True, id="still-queued"),
        pytest.param(_job(JobStatus.DONE), False, id="already-done"),
        pytest.param(_job(JobStatus.RUNNING, name="y.mp4"), False, id="another-video"),
        pytest.param(_job(JobStatus.RUNNING, speed=3.0), False, id="another-speed"),
        pytest.param(_job(JobStatus.RUNNING, has_trajectory=True), False, id="with-a-log"),
    ],
)
def test_a_job_under_way_is_taken_up_again(follow: Follow, known: JobOut, *, taken_up: bool) -> None:
    """After a crash the same command goes on with the job instead of beginning another."""
    service = Scripted(jobs_script=[[known]])
    follower, _, text = follow(service)
    follower.run(WANTED)
    assert (service.keys == []) is taken_up
    assert ("going on with job" in text.getvalue()) is taken_up


def test_deliveries_that_do_not_settle_are_shown_as_they_are(follow: Follow) -> None:
    """The wait for receivers has an end; the outcome tells what is pending."""
    service = Scripted(deliveries_script=[[_delivery(DeliveryState.PENDING)]])
    follower, clock, _ = follow(service)
    assert follower.run(WANTED).delivered(DeliveryState.PENDING) == 1
    assert clock.now_s >= 30


def test_a_video_may_be_uploaded_instead(follow: Follow) -> None:
    """To a service that may not read the folder."""
    service = Scripted()
    follow(service)[0].run(Wanted(Path("x.mp4"), None, 3.0, "camera"), upload=True)
    assert service.uploads == [{"speed": "3.0", "prompt": "camera", "vlm": "all", "geometry": "true"}]
