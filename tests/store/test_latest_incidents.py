"""The incidents of a job that began last."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.clock import SystemClock
from extension.model import Span
from extension.store import Store
from tests.store import values


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two jobs; the first has an incident at each of ten minutes, stored in no order, the second one at another time."""
    folder: Path = tmp_path_factory.mktemp("latest")
    store = Store.open(f"sqlite:///{folder / 'test.db'}", SystemClock())
    for job_id in ("job-1", "job-2"):
        store.add_job(values.job(job_id))
    made = [
        values.incident(f"i-{minute}", span=Span(60.0 * minute, 60.0 * minute + 5), event_ids=())
        for minute in (3, 9, 0, 4, 1, 8, 2, 7, 5, 6)
    ]
    other = values.incident("other", job_id="job-2", span=Span(90.0, 95.0), event_ids=())
    store.commit_judgement("job-1", judged_chunks=0, events=[], incidents=made, messages=[])
    store.commit_judgement("job-2", judged_chunks=0, events=[], incidents=[other], messages=[])
    yield store
    store.close()


@given(limit=st.integers(1, 30))
@settings(deadline=None)
def test_they_are_the_end_of_all_that_there_are(store: Store, limit: int) -> None:
    """By start, at most so many."""
    assert store.latest_incidents("job-1", limit) == store.incidents("job-1")[-limit:]


def test_those_of_other_jobs_are_not_among_them(store: Store) -> None:
    """However late they began."""
    assert [incident.id for incident in store.latest_incidents("job-2", 5)] == ["other"]
    assert "other" not in {incident.id for incident in store.latest_incidents("job-1", 30)}


def test_a_job_without_any_has_none(store: Store) -> None:
    """Nor has a job that there is not."""
    assert store.latest_incidents("job-3", 5) == []
