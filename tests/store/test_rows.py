"""Whatever the domain can hold goes through the database and comes back the same."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.model import (
    Caption,
    Chunk,
    Claim,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Phase,
    Position,
    Severity,
    Span,
    Verdict,
)
from extension.store import Store
from tests.store import values

_SETTINGS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
_NUMBERS = itertools.count()
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)
_NUMBER = st.floats(-1e9, 1e9)
_INSTANT = st.datetimes(
    min_value=dt.datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=dt.datetime(2090, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(dt.UTC),
)
_SPAN = st.builds(Span, _NUMBER, _NUMBER)
_OBJECTS = st.lists(_TEXT, max_size=4).map(tuple)
_POSITIONS = st.lists(st.builds(Position, _TEXT, _NUMBER, _NUMBER, _NUMBER), max_size=3).map(tuple)
_OPTIONS = st.builds(
    JobOptions,
    speed=st.floats(0.1, 100),
    chunk_s=st.integers(0, 3600),
    frames_per_chunk=st.integers(0, 256),
    prompt=_TEXT,
    merge_gap_s=st.none() | st.floats(0, 3600),
    start_at=st.none() | _INSTANT,
)
_HAPPENING = {
    "job_id": st.just("job-1"),
    "kind": st.sampled_from(Kind),
    "span": _SPAN,
    "severity": st.sampled_from(Severity),
    "objects": _OBJECTS,
    "clock": st.none() | _TEXT,
    "description": _TEXT,
    "start_at": st.none() | _INSTANT,
    "end_at": st.none() | _INSTANT,
    "positions": _POSITIONS,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all examples; it has `job-1`."""
    folder: Path = tmp_path_factory.mktemp("rows")
    store = values.open_store(folder)
    store.add_job(values.job())
    yield store
    store.close()


@_SETTINGS
@given(
    job=st.builds(
        Job,
        id=st.just(""),
        name=_TEXT,
        media_path=_TEXT,
        trajectory_path=st.none() | _TEXT,
        options=_OPTIONS,
        status=st.sampled_from(JobStatus),
        created_at=_INSTANT,
        error=st.none() | _TEXT,
        model=st.none() | _TEXT,
        media_s=st.none() | _NUMBER,
        chunk_count=st.none() | st.integers(0, 10**6),
        judged_chunks=st.integers(0, 10**6),
        started_at=st.none() | _INSTANT,
        finished_at=st.none() | _INSTANT,
    )
)
def test_any_job(store: Store, job: Job) -> None:
    """Options, instants to the microsecond, and everything that may be missing."""
    # An example may be tried again, an id is taken once.
    job = replace(job, id=f"{next(_NUMBERS)}")
    store.add_job(job)
    assert store.job(job.id) == job


@_SETTINGS
@given(
    claims=st.lists(
        st.builds(
            Claim,
            kind=st.sampled_from(Kind),
            span=_SPAN,
            severity=st.sampled_from(Severity),
            objects=_OBJECTS,
            clock=st.none() | _TEXT,
            description=_TEXT,
            confidence=st.none() | st.floats(0, 1),
        ),
        max_size=4,
    ),
    failure=st.none() | st.builds(Failure, code=_TEXT, message=_TEXT),
    span=_SPAN,
    stats=st.dictionaries(
        _TEXT, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT, max_size=4
    ),
)
def test_any_caption(
    store: Store, claims: list[Claim], failure: Failure | None, span: Span, stats: dict[str, object]
) -> None:
    """A verdict with any claims, or any failure; each example has a chunk of its own, so that none stands in its way."""
    index = len(store.answered_indices("job-1"))
    verdict = None if failure else Verdict(Severity.WARN, tuple(claims), "summary")
    caption = Caption(Chunk(index, span), "text", verdict, failure, stats)
    store.save_captions("job-1", [caption])
    assert store.captions("job-1", first=index) == [caption]


@_SETTINGS
@given(
    event=st.builds(
        Event,
        id=st.uuids().map(str),
        chunk_index=st.integers(0, 10**6),
        confidence=st.none() | st.floats(0, 1),
        **_HAPPENING,
    )
)
def test_any_event(store: Store, event: Event) -> None:
    """Its objects keep their order, its positions their numbers."""
    store.commit_judgement("job-1", judged_chunks=1, events=[event], incidents=(), messages=())
    assert event in store.events("job-1")


@_SETTINGS
@given(
    incident=st.builds(
        Incident,
        id=st.uuids().map(str),
        phase=st.sampled_from(Phase),
        event_ids=st.lists(st.uuids().map(str), min_size=1, max_size=4).map(tuple),
        **_HAPPENING,
    )
)
def test_any_incident(store: Store, incident: Incident) -> None:
    """Its events keep their order."""
    store.commit_judgement("job-1", judged_chunks=1, events=(), incidents=[incident], messages=())
    assert store.incident(incident.id) == incident
