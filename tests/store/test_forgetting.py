"""What the store lets go of and what it keeps: old captions of a watched camera, the video that was drawn for a log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.errors import NotFound
from extension.model import JobOptions, JobStatus, Piece, VlmUse
from extension.store import Store
from tests.store import values
from tests.store.values import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with two jobs."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    store.add_job(values.job("job-2"))
    yield store
    store.close()


def test_captions_before_a_chunk_are_forgotten(store: Store) -> None:
    """That chunk and those after it stay."""
    store.save_captions("job-1", [values.caption(n) for n in range(6)])
    store.forget_captions("job-1", before=4)
    assert [one.chunk.index for one in store.captions("job-1")] == [4, 5]


def test_other_jobs_keep_theirs(store: Store) -> None:
    """Whatever their chunks are numbered."""
    for name in ("job-1", "job-2"):
        store.save_captions(name, [values.caption(n) for n in range(3)])
    store.forget_captions("job-1", before=99)
    assert store.captions("job-1") == []
    assert len(store.captions("job-2")) == 3


def test_what_was_judged_from_them_stays(store: Store) -> None:
    """Events, incidents, messages, and how far the job is judged."""
    store.save_captions("job-1", [values.collision_caption(n) for n in range(3)])
    store.commit_judgement(
        "job-1",
        judged_chunks=3,
        events=[values.event()],
        incidents=[values.incident()],
        messages=[values.message()],
    )
    store.forget_captions("job-1", before=3)
    job = store.job("job-1")
    assert (job.judged_chunks, job.answered_chunks) == (3, 0)
    assert store.events("job-1") == [values.event()]
    assert store.incidents("job-1") == [values.incident()]
    assert len(store.deliveries("job-1")) == 1


def test_failures_are_forgotten_as_answers_are(store: Store) -> None:
    """Their counts follow."""
    store.save_captions("job-1", [values.failed_caption(0), values.caption(1), values.failed_caption(2)])
    store.forget_captions("job-1", before=2)
    job = store.job("job-1")
    assert (job.answered_chunks, job.failed_chunks) == (0, 1)
    assert [index for index, _, _ in store.caption_costs("job-1")] == [2]
    assert store.answered_indices("job-1") == {2}


@pytest.mark.parametrize("before", [0, -3])
def test_nothing_before_the_first_is_nothing_to_forget(store: Store, before: int) -> None:
    """And an unknown job has nothing to forget either."""
    store.save_captions("job-1", [values.caption(0)])
    store.forget_captions("job-1", before=before)
    store.forget_captions("no-such-job", before=10)
    assert len(store.captions("job-1")) == 1


def test_forgetting_survives_a_restart(tmp_path: Path) -> None:
    """It is a write like any other."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    store.save_captions("job-1", [values.caption(n) for n in range(4)])
    store.forget_captions("job-1", before=3)
    store.close()
    again = values.open_store(tmp_path)
    assert [one.chunk.index for one in again.captions("job-1")] == [3]
    again.close()


def test_a_forgotten_chunk_can_be_stored_again(store: Store) -> None:
    """Forgetting leaves no mark."""
    store.save_captions("job-1", [values.caption(0)])
    store.forget_captions("job-1", before=1)
    store.save_captions("job-1", [values.failed_caption(0)])
    assert store.captions("job-1") == [values.failed_caption(0)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10)), min_size=1, max_size=4))
def test_what_is_left_is_what_was_not_forgotten(store: Store, steps: list[tuple[int, int]]) -> None:
    """However saving and forgetting take turns."""
    store.forget_captions("job-1", before=100)
    expected: set[int] = set()
    for saved, before in steps:
        store.save_captions("job-1", [values.caption(saved)])
        store.forget_captions("job-1", before)
        expected = {index for index in expected | {saved} if index >= before}
    assert store.answered_indices("job-1") == expected
    assert [one.chunk.index for one in store.captions("job-1")] == sorted(expected)


def test_a_drawn_video_is_noted_with_how_it_lies_in_the_log(store: Store) -> None:
    """Pieces with their instants come back to the microsecond, and nothing else of the job changes."""
    options = JobOptions(
        speed=3.0,
        vlm=VlmUse.CANDIDATES,
        geometry=False,
        level="full",
        start_at=NOON,
        pieces=(Piece(0.0, NOON), Piece(4.0, NOON + dt.timedelta(seconds=30, microseconds=200_001))),
    )
    before = store.job("job-1")
    store.set_media("job-1", "/media/drawn.mp4", options)
    after = store.job("job-1")
    assert (after.media_path, after.options) == ("/media/drawn.mp4", options)
    assert (after.name, after.status, after.created_at) == (before.name, before.status, before.created_at)
    assert store.job("job-2").media_path == "/media/dock.mp4"


def test_media_of_an_unknown_job_is_the_callers_mistake(store: Store) -> None:
    """Nothing is stored."""
    with pytest.raises(NotFound, match="no job has the id no"):
        store.set_media("no", "/x.mp4", JobOptions())
    assert {job.media_path for job in store.jobs()} == {"/media/dock.mp4"}


def test_a_retried_job_keeps_the_video_that_was_drawn_for_it(store: Store) -> None:
    """It need not be drawn again."""
    store.set_media("job-1", "/media/drawn.mp4", JobOptions(start_at=NOON))
    store.finish_job("job-1", JobStatus.DONE)
    store.requeue_job("job-1")
    job = store.job("job-1")
    assert (job.media_path, job.options.start_at, job.status) == ("/media/drawn.mp4", NOON, JobStatus.QUEUED)


def test_media_can_be_set_anew(store: Store) -> None:
    """The last one counts."""
    for name in ("a", "b"):
        store.set_media("job-1", f"/media/{name}.mp4", JobOptions(prompt=name))
    job = store.job("job-1")
    assert (job.media_path, job.options.prompt) == ("/media/b.mp4", "b")
