"""What a manifest says of an incident, and that it says nothing of the machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extension.evidence.account import Case, account
from extension.evidence.manifest import Manifest
from extension.evidence.parts import Part, whole
from extension.evidence.wanted import Limits, wanted
from extension.model import Basis, Failure, Span
from tests.evidence.cases import CONTEXT, caption, claim, event, incident

PARTS = whole(Path("/secret/place/yard.mp4"), 20.0)
LIMITS = Limits()


def manifest(case: Case, parts: tuple[Part, ...] = PARTS, **changes: Any) -> Manifest:
    """The manifest of a case."""
    wish = wanted(case.incident, case.own_events, Span(0.0, 20.0), LIMITS)
    digests: dict[Part, tuple[str, int] | None] = dict.fromkeys(parts, ("ab" * 32, 1234))
    return account(case, wish, parts, digests, replace(CONTEXT, **changes), LIMITS)


@pytest.fixture
def case() -> Case:
    """Two events merged into one incident, and a stranger."""
    events = (event(5.5, 6.0, 0), event(6.0, 7.0, 1, basis=Basis.LOG), event(9.0, 9.5, 2))
    captions = [caption(2, claim(5.0, 6.0)), caption(3), caption(4, claim(9.0, 9.5))]
    return Case(incident(*events[:2]), events, captions)


def test_it_names_the_findings(case: Case) -> None:
    """The incident, its events and the answers they rest on; nothing of other incidents."""
    page = json.loads(manifest(case).page())
    assert page["incident"]["id"] == "incident-0"
    assert page["incident"]["objects"] == ["3", "7"]
    assert [answer["chunk_index"] for answer in page["answers"]] == [2, 3]
    assert [(s["ruling"], s["event"]["id"]) for s in page["decision"]["steps"]] == [
        ("confirmed", "event-0"),
        ("told", "event-1"),
    ]
    assert page["decision"]["steps"][0]["claim"]["start_s"] == 5.0
    assert page["decision"]["merged_events"] == 2


def test_it_names_how_the_vlm_was_asked(case: Case) -> None:
    """Model, prompt with its text and hash, schema and parameters in a steady order."""
    asked = manifest(case).asked
    assert (asked.model, asked.verdict_schema) == ("test-model", 1)
    assert asked.prompt is not None
    text = f"{asked.prompt.system}\n{asked.prompt.user}".encode()
    assert asked.prompt.sha256 == hashlib.sha256(text).hexdigest()
    assert list(asked.parameters) == ["chunk_s", "frames_per_chunk"]


def test_each_answer_is_hashed(case: Case) -> None:
    """Its text, as it came."""
    answer = manifest(case).answers[0]
    assert answer.sha256 == hashlib.sha256(answer.text.encode()).hexdigest()
    assert answer.stats == {"tokens": 12}


def test_times_of_the_world_have_their_zone(case: Case) -> None:
    """An instant that could be meant in another zone would be no evidence."""
    page = json.loads(manifest(case).page())
    assert page["incident"]["start_at"] == "2026-05-04T12:00:05.500000+09:00"


def test_it_names_files_not_folders(case: Case) -> None:
    """What lies where on a machine concerns nobody."""
    page = manifest(case).page()
    assert "secret" not in page
    (file,) = manifest(case).source.files
    assert (file.name, file.size_bytes, file.sha256) == ("yard.mp4", 1234, "ab" * 32)


def test_only_the_files_of_the_clip_are_named(case: Case) -> None:
    """And the gaps between them."""
    parts = tuple(Part(Path(f"{n}.mp4"), 0.0, 2.0, at_s) for n, at_s in enumerate((0.0, 2.0, 6.0, 8.0, 18.0)))
    source = manifest(case, parts).source
    assert [file.name for file in source.files] == ["0.mp4", "1.mp4", "2.mp4", "3.mp4"]
    assert [(gap.start_s, gap.end_s) for gap in source.gaps] == [(4.0, 6.0), (10.0, 12.0)]


def test_the_same_findings_give_the_same_bytes(case: Case) -> None:
    """Whatever order the store gives them in."""
    turned = Case(case.incident, case.events[::-1], case.captions[::-1])
    assert manifest(case).page() == manifest(turned).page()


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(caption(2, text="half a \ud83d pair"), id="a-text-that-utf-8-has-no-room-for"),
        pytest.param(
            caption(2, latency=float("nan"), rate=float("inf")), id="numbers-that-json-does-not-have"
        ),
        pytest.param(caption(2, text='<b>"사고"</b>\x00\u202e'), id="markup-korean-and-control-letters"),
        pytest.param(
            replace(caption(2), verdict=None, failure=Failure("VlmGarbled", "\udcff")), id="a-failure"
        ),
    ],
)
def test_odd_answers_can_be_written_and_read_back(odd: Any) -> None:
    """And are the same case when they come again."""
    made = manifest(Case(incident(event(5.0, 6.0)), [event(5.0, 6.0)], [odd]))
    again = Manifest.model_validate_json(made.page().encode("utf-8"))
    assert again.page() == made.page()
    assert again.same_case(made)


def test_another_version_that_finds_the_same_is_the_same_case(case: Case) -> None:
    """Evidence is not made again for a new version's sake, but for new findings' sake it is."""
    first = manifest(case)
    assert first.same_case(manifest(case, version="9.9", pyav="99"))
    assert not first.same_case(manifest(case, model="another"))
    milder = replace(case, incident=replace(case.incident, description="another"))
    assert not first.same_case(manifest(milder))


def test_a_job_that_asked_no_vlm_has_no_prompt(case: Case) -> None:
    """Where the log alone decided."""
    asked = manifest(case, model=None, prompt=None).asked
    assert (asked.model, asked.prompt) == (None, None)
