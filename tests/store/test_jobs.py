"""Jobs are taken in order, survive a restart and say how far they got."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.errors import BadInput, NotFound
from extension.model import JobOptions, JobStatus
from extension.store import Store
from tests.store import values
from tests.store.values import NOON, SetClock


@pytest.fixture
def clock() -> SetClock:
    """A clock at noon."""
    return SetClock()


@pytest.fixture
def store(tmp_path: Path, clock: SetClock) -> Iterator[Store]:
    """A new store."""
    store = values.open_store(tmp_path, clock)
    yield store
    store.close()


def test_a_job_comes_back_as_it_was_added(store: Store) -> None:
    """Every field, options and their instants included."""
    seoul = dt.timezone(dt.timedelta(hours=9))
    start_at = dt.datetime(2026, 3, 1, 8, 30, tzinfo=seoul)
    options = JobOptions(
        speed=3.0, chunk_s=2, frames_per_chunk=20, prompt="camera", merge_gap_s=0.0, start_at=start_at
    )
    job = values.job(name="창고 \U0001f4e6.mp4", trajectory_path="/media/a.csv", options=options)
    store.add_job(job)
    assert store.job(job.id) == job
    assert store.job(job.id).options.start_at == start_at


def test_an_id_is_taken_once(store: Store) -> None:
    """A second job of the same id is refused and the first stays."""
    store.add_job(values.job())
    with pytest.raises(BadInput):
        store.add_job(values.job(name="other.mp4"))
    assert store.job("job-1").name == "dock.mp4"


def test_an_instant_without_zone_is_the_callers_mistake(store: Store) -> None:
    """Naive time is refused, not guessed at."""
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(Exception, match="time zone"):
        store.add_job(values.job(created_at=naive))
    assert store.jobs() == []


def test_an_unknown_job_is_not_found(store: Store) -> None:
    """Every call that names a job says so."""
    for call in (
        lambda: store.job("no"),
        lambda: store.plan_job("no", media_s=1.0, chunk_count=1, model="m"),
        lambda: store.finish_job("no", JobStatus.DONE),
        lambda: store.requeue_job("no"),
        lambda: store.jobs(before="no"),
    ):
        with pytest.raises(NotFound, match="no job has the id no"):
            call()


def test_jobs_are_listed_newest_first_page_by_page(store: Store) -> None:
    """`before` goes on where the last page ended, even when all were added in the same instant."""
    for number in range(5):
        store.add_job(values.job(f"job-{number}"))
    assert [job.id for job in store.jobs(limit=2)] == ["job-4", "job-3"]
    assert [job.id for job in store.jobs(limit=2, before="job-3")] == ["job-2", "job-1"]
    assert [job.id for job in store.jobs(before="job-1")] == ["job-0"]


def test_the_oldest_queued_job_is_next(store: Store, clock: SetClock) -> None:
    """It is running from then on, with the time it began."""
    store.add_job(values.job("a"))
    store.add_job(values.job("b"))
    clock.pass_s(5)
    taken = store.next_job()
    assert taken is not None
    assert (taken.id, taken.status, taken.started_at) == ("a", JobStatus.RUNNING, clock.now())
    assert store.job("a") == taken


def test_a_job_left_running_by_a_crash_comes_first(tmp_path: Path, clock: SetClock) -> None:
    """It keeps the time it began."""
    store = values.open_store(tmp_path, clock)
    store.add_job(values.job("a"))
    store.add_job(values.job("b"))
    store.next_job()
    store.close()
    clock.pass_s(60)
    again = values.open_store(tmp_path, clock)
    job = again.next_job()
    assert job is not None
    assert (job.id, job.started_at) == ("a", NOON)
    again.finish_job("a", JobStatus.DONE)
    job = again.next_job()
    assert job is not None
    assert job.id == "b"
    again.finish_job("b", JobStatus.DONE)
    assert again.next_job() is None
    again.close()


def test_a_job_counts_its_chunks_from_its_captions(store: Store) -> None:
    """Verdicts are answered, failures are failed, both in the job and in the list."""
    store.add_job(values.job())
    store.plan_job("job-1", media_s=60.5, chunk_count=31, model="qwen")
    store.save_captions("job-1", [values.caption(0), values.caption(1), values.failed_caption(2)])
    job = store.job("job-1")
    assert (job.media_s, job.chunk_count, job.model) == (60.5, 31, "qwen")
    assert (job.answered_chunks, job.failed_chunks) == (2, 1)
    assert store.jobs() == [job]


def test_a_finished_job_says_when_and_why(store: Store, clock: SetClock) -> None:
    """Status, error and time are kept."""
    store.add_job(values.job())
    store.finish_job("job-1", JobStatus.FAILED, "not a video")
    job = store.job("job-1")
    assert (job.status, job.error, job.finished_at) == (JobStatus.FAILED, "not a video", clock.now())


def test_a_retried_job_asks_its_failed_chunks_again_and_keeps_the_rest(store: Store) -> None:
    """Answers and events stay; it is judged from its start."""
    store.add_job(values.job())
    store.save_captions("job-1", [values.caption(0), values.failed_caption(1), values.caption(2)])
    store.commit_judgement("job-1", judged_chunks=3, events=[values.event()], incidents=(), messages=())
    store.finish_job("job-1", JobStatus.DONE, "1 of 3 chunks could not be judged")
    store.requeue_job("job-1")
    job = store.job("job-1")
    assert (job.status, job.error, job.finished_at) == (JobStatus.QUEUED, None, None)
    assert (job.answered_chunks, job.failed_chunks, job.judged_chunks) == (2, 0, 0)
    assert store.answered_indices("job-1") == {0, 2}
    assert len(store.events("job-1")) == 1


def test_a_running_job_is_not_retried(store: Store) -> None:
    """Its captions would vanish under its feet."""
    store.add_job(values.job())
    store.next_job()
    with pytest.raises(BadInput, match="still running"):
        store.requeue_job("job-1")
