"""Captions come back as they were saved, whatever the VLM wrote."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.model import Caption, Failure, Severity, Verdict
from extension.store import Store
from tests.store import values


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one job."""
    store = values.open_store(tmp_path)
    store.add_job(values.job())
    yield store
    store.close()


def test_captions_come_back_in_chunk_order(store: Store) -> None:
    """Verdicts with their claims, failures and stats, in whatever order they were saved."""
    saved = [values.failed_caption(2), values.collision_caption(1), values.caption(0)]
    store.save_captions("job-1", saved)
    assert store.captions("job-1") == saved[::-1]
    assert store.captions("job-1", first=1) == [saved[1], saved[0]]
    assert store.captions("job-1", first=1, limit=1) == [saved[1]]
    assert store.answered_indices("job-1") == {0, 1, 2}


def test_nothing_to_save_is_no_mistake(store: Store) -> None:
    """An empty list stores nothing."""
    store.save_captions("job-1", [])
    assert store.captions("job-1") == []


def test_a_verdict_takes_the_place_of_a_failure_and_of_an_older_verdict(store: Store) -> None:
    """The newest answer counts."""
    store.save_captions("job-1", [values.failed_caption(0)])
    store.save_captions("job-1", [values.caption(0, "first")])
    store.save_captions("job-1", [values.caption(0, "second")])
    assert store.captions("job-1") == [values.caption(0, "second")]


def test_a_failure_never_takes_the_place_of_a_verdict(store: Store) -> None:
    """Neither alone nor in a batch with others."""
    store.save_captions("job-1", [values.caption(0)])
    store.save_captions("job-1", [values.failed_caption(0), values.failed_caption(1, "Refused")])
    store.save_captions("job-1", [values.failed_caption(1, "Timeout")])
    assert store.captions("job-1") == [values.caption(0), values.failed_caption(1, "Timeout")]


def test_captions_of_no_job_are_refused(store: Store) -> None:
    """The whole batch is, so that nothing dangles."""
    with pytest.raises(BadInput):
        store.save_captions("no", [values.caption(0)])
    assert store.captions("no") == []


def test_a_caption_has_either_verdict_or_failure(store: Store) -> None:
    """Neither and both are refused by the database itself."""
    neither = Caption(values.chunk(0), "", None, None)
    both = replace(values.caption(0), failure=Failure("Refused", "no"))
    for caption in (neither, both):
        with pytest.raises(BadInput):
            store.save_captions("job-1", [caption])
    assert store.answered_indices("job-1") == set()


def test_numbers_that_json_does_not_know_lose_nothing_else(store: Store) -> None:
    """An endpoint that reports NaN does not cost the caption."""
    stats = {"latency_s": math.nan, "tries": [1, math.inf], "packing": "mp4"}
    store.save_captions("job-1", [replace(values.caption(0), stats=stats)])
    assert store.captions("job-1")[0].stats == {"latency_s": None, "tries": [1, None], "packing": "mp4"}


def test_characters_that_no_database_keeps_are_replaced(store: Store) -> None:
    """Lone surrogates and NUL become U+FFFD."""
    store.save_captions("job-1", [replace(values.caption(0, "\udc00\U0001f4e6\x00"), text="a\ud800b\x00c")])
    (caption,) = store.captions("job-1")
    assert caption.text == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert caption.verdict is not None
    assert caption.verdict.summary == "\N{REPLACEMENT CHARACTER}\U0001f4e6\x00"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    summary=st.text(st.characters(codec="utf-8")),
)
def test_any_text_comes_back(store: Store, text: str, summary: str) -> None:
    """Whatever a model writes, in text or verdict, returns unchanged."""
    caption = Caption(values.chunk(0), text, Verdict(Severity.WARN, (), summary), None)
    store.save_captions("job-1", [caption])
    assert store.captions("job-1") == [caption]


def test_costs_come_without_texts_and_verdicts(store: Store) -> None:
    """Index, failure code and stats, in chunk order, from any chunk on."""
    costly = replace(values.caption(1), stats={"input_tokens": 7})
    store.save_captions("job-1", [values.failed_caption(2, "Clipped"), costly, values.caption(0)])
    found = store.caption_costs("job-1")
    assert [(index, code) for index, code, _ in found] == [(0, None), (1, None), (2, "Clipped")]
    assert found[1][2] == {"input_tokens": 7}
    assert store.caption_costs("job-1", first=1) == found[1:]
    assert store.caption_costs("job-2") == []
