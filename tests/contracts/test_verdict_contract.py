"""The verdict is one contract for four programs: the schema that is sent, the prompts, the parser and the reference program agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.captions import parse, prompts
from extension.model import Chunk, Kind, Severity, Span
from vlm_server.reference.verdict import SeenEvent, Verdict, to_json

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = json.loads(
    (ROOT / "vss_overrides" / "chunk_caption" / "verdict_schema_v1.json").read_text("utf-8")
)
EVENT = SCHEMA["properties"]["events"]["items"]
CHUNK = Chunk(3, Span(6.0, 8.0))
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


def test_words_are_the_same_everywhere() -> None:
    """Kinds and severities of the schema are the glossary's; prompts use no others."""
    assert set(EVENT["properties"]["kind"]["enum"]) == {kind.value for kind in Kind}
    assert SCHEMA["properties"]["status"]["enum"] == [severity.value for severity in Severity]
    assert EVENT["properties"]["severity"]["enum"] == [severity.value for severity in Severity]
    camera = prompts.load("camera").user
    for kind in Kind:
        assert f'"{kind.value}"' in camera


@pytest.mark.parametrize("name", prompts.names())
def test_prompts_ask_for_what_the_schema_demands(name: str) -> None:
    """No required field goes unmentioned, and nothing else is asked for."""
    text = prompts.load(name).user
    for field in (*SCHEMA["required"], *EVENT["required"]):
        assert f'"{field}"' in text, field


def test_the_schema_is_bounded() -> None:
    """Without bounds a small model writes for ever."""

    def check(node: dict[str, Any], where: str) -> None:
        if node["type"] == "object":
            assert node["additionalProperties"] is False, where
            for name, child in node["properties"].items():
                check(child, f"{where}.{name}")
        elif node["type"] == "array":
            assert node["maxItems"] <= 100, where
            check(node["items"], f"{where}[]")
        elif node["type"] == "string":
            assert "enum" in node or node["maxLength"] <= 1000, where
        else:
            assert {"minimum", "maximum"} <= set(node), where

    check(SCHEMA, "verdict")


def _events() -> st.SearchStrategy[list[dict[str, Any]]]:
    times = st.floats(0, 1.9).flatmap(lambda start: st.tuples(st.just(start), st.floats(start, 2.0)))
    event = st.builds(
        lambda kind, span, severity, objects, description: {
            "kind": kind,
            "start_s": span[0],
            "end_s": span[1],
            "severity": severity,
            "objects": objects,
            "description": description,
        },
        st.sampled_from([kind.value for kind in Kind]),
        times,
        st.sampled_from([severity.value for severity in Severity]),
        st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=10), max_size=4),
        st.text(max_size=50),
    )
    return st.lists(event, max_size=5)


@given(_events(), st.sampled_from([severity.value for severity in Severity]), st.text(max_size=50))
def test_whatever_the_schema_admits_the_parser_reads(
    events: list[dict[str, Any]], status: str, summary: str
) -> None:
    """Every claim arrives, in its place and with its words."""
    page = {"status": status, "events": events, "summary": summary}
    assert VALIDATOR.is_valid(page)
    caption = parse.read(json.dumps(page), CHUNK, {})
    assert caption.verdict is not None
    if events:
        assert [c.kind.value for c in caption.verdict.claims] == [e["kind"] for e in events]
        for claim, event in zip(caption.verdict.claims, events, strict=True):
            assert claim.severity.value == event["severity"]
            assert claim.span.start_s == pytest.approx(6.0 + event["start_s"], abs=1e-3)
            assert claim.description == event["description"]


@pytest.mark.parametrize("clock", [None, "00:00:28"])
def test_the_reference_program_answers_in_the_schema(clock: str | None) -> None:
    """With and without a clock; the parser reads both."""
    event = SeenEvent(
        kind="collision",
        start_s=0.5,
        end_s=1.0,
        severity="danger",
        objects=["1", "4"],
        clock=clock,
        description="Objects 1 and 4 overlap.",
    )
    text = to_json(Verdict(status="danger", events=[event], summary="One overlap.", clock=clock))
    assert VALIDATOR.is_valid(json.loads(text))
    caption = parse.read(text, CHUNK, {})
    assert caption.verdict is not None
    assert caption.verdict.clock == clock
    assert caption.verdict.claims[0].span == Span(6.5, 7.0)
