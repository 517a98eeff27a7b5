"""Questions are answered from what is stored, and written by the connected model only where it can write."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.clock import SystemClock
from extension.model import (
    Caption,
    Chunk,
    Event,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.questions import Endpoint, Questions
from extension.store import Store
from tests.vss_overrides.vlm_double import Reply, VlmDouble

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOWHERE = Endpoint("", "", "")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A finished job with one collision of 1 and 4 in its second chunk."""
    made = Store.open(f"sqlite:///{tmp_path / 'q.db'}", SystemClock())
    made.add_job(Job("job", "x.mp4", "x.mp4", None, JobOptions(), JobStatus.QUEUED, NOW))
    made.next_job()
    made.plan_job("job", media_s=4.0, chunk_count=2, model="m")
    verdicts = (Verdict(Severity.SAFE, (), "Nothing overlaps."), Verdict(Severity.DANGER, (), "One overlap."))
    made.save_captions(
        "job", [Caption(Chunk(i, Span(2.0 * i, 2.0 * i + 2)), "{}", v, None) for i, v in enumerate(verdicts)]
    )
    span, objects = Span(2.5, 3.0), ("1", "4")
    event = Event(
        "e", "job", 1, Kind.COLLISION, span, Severity.DANGER, objects, description="Objects 1 and 4 overlap."
    )
    incident = Incident(
        "i", "job", Kind.COLLISION, objects, Phase.RESOLVED, Severity.DANGER, span, ("e",), event.description
    )
    made.commit_judgement("job", judged_chunks=2, events=[event], incidents=[incident], messages=[])
    made.finish_job("job", JobStatus.DONE)
    yield made
    made.close()


def test_without_a_writer_the_answer_is_put_together_from_facts(store: Store) -> None:
    """True, cited, and said to be extractive."""
    answer = Questions(store, NOWHERE).ask(store.job("job"), "What happened to object 4?")
    assert answer.written_by == "extractive"
    assert "4" in answer.answer
    assert [citation.start_s for citation in answer.citations] == [2.5]


def test_the_reference_program_is_not_asked_to_write(store: Store) -> None:
    """It says itself that it cannot."""
    with VlmDouble(owned_by="timetravel") as vlm:
        endpoint = Endpoint(vlm.endpoint, vlm.environment["VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME"], "k")
        answer = Questions(store, endpoint).ask(store.job("job"), "How many collisions?")
        assert vlm.requests == []
    assert answer.written_by == "extractive"


def test_a_model_that_can_write_writes_with_citations(store: Store) -> None:
    """Its numbers become citations that seek."""
    written = json.dumps({"answer": "Objects 1 and 4 overlapped once.", "citations": [1]})
    with VlmDouble(owned_by="vllm") as vlm:
        vlm.default = Reply(text=written)
        endpoint = Endpoint(vlm.endpoint, vlm.environment["VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME"], "k")
        answer = Questions(store, endpoint).ask(store.job("job"), "What happened to object 4?")
    assert answer.answer == "Objects 1 and 4 overlapped once."
    assert [citation.start_s for citation in answer.citations] == [2.5]
    assert answer.written_by != "extractive"


def test_an_endpoint_that_is_away_costs_nothing_but_style(store: Store) -> None:
    """The facts are still there."""
    answer = Questions(store, Endpoint("http://127.0.0.1:9/v1", "m", "")).ask(
        store.job("job"), "충돌이 몇 번?"
    )
    assert answer.written_by == "extractive"
    assert answer.citations
