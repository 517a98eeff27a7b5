"""Answers become verdicts, or failures by name; nothing unreadable is ever calm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.captions import parse
from extension.model import Caption, Chunk, Kind, Severity, Span

CHUNK = Chunk(7, Span(14.0, 16.0))
CONTACT = {
    "kind": "collision",
    "start_s": 0.5,
    "end_s": 1.0,
    "severity": "danger",
    "objects": ["1", "4"],
    "clock": "00:00:28",
    "description": "Objects 1 and 4 overlap.",
}
DANGER = {"status": "danger", "events": [CONTACT], "summary": "one contact"}
SAFE = {"status": "safe", "events": [], "summary": "nothing"}


def _read(answer: Any) -> Caption:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return parse.read(text, CHUNK, {})


def _failure(answer: Any) -> str:
    caption = _read(answer)
    assert caption.verdict is None
    assert caption.failure is not None
    return caption.failure.code


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param("{}", id="bare"),
        pytest.param("```json\n{}\n```", id="fenced"),
        pytest.param("Sure, here it is:\n```\n{}\n```\nAnything else?", id="fenced-amid-prose"),
        pytest.param("<think>maybe [1, 2]?</think>\n{}", id="after-reasoning"),
        pytest.param("<think>hm</think><answer>{}</answer>", id="in-answer-tags"),
        pytest.param("Here you are: {} Good luck.", id="amid-prose"),
    ],
)
def test_a_verdict_is_read_however_it_is_wrapped(wrap: str) -> None:
    """Fences, reasoning and politeness do not hide a verdict."""
    caption = _read(wrap.replace("{}", json.dumps(DANGER)))
    assert caption.failure is None
    assert caption.verdict is not None
    (claim,) = caption.verdict.claims
    assert claim.span == Span(14.5, 15.0)
    assert claim.objects == ("1", "4")
    assert claim.clock == "00:00:28"
    assert claim.kind is Kind.COLLISION
    assert caption.verdict.status is Severity.DANGER


def test_a_safe_verdict_has_no_claims() -> None:
    """Calm, said in the schema, is calm."""
    caption = _read(SAFE)
    assert caption.verdict is not None
    assert caption.verdict.claims == ()
    assert caption.verdict.status is Severity.SAFE


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("", id="empty"),
        pytest.param("   \n", id="blank"),
        pytest.param("No accident can be seen.", id="prose"),
        pytest.param("yes", id="yes"),
        pytest.param("null", id="null"),
        pytest.param("42", id="number"),
        pytest.param('"safe"', id="string"),
        pytest.param("{}", id="empty-object"),
        pytest.param('{"events": []}', id="no-status"),
        pytest.param('{"status": "danger", "events": []', id="cut-off-after-an-empty-list"),
        pytest.param(
            '{"status": "danger", "events": [' + json.dumps(CONTACT) + "]", id="cut-off-after-the-events"
        ),
        pytest.param(json.dumps(DANGER)[:-20], id="cut-off-inside"),
        pytest.param("I looked at frames [] and saw nothing", id="empty-list-amid-prose"),
        pytest.param("<think>the discs overlap", id="cut-off-while-reasoning"),
        pytest.param("[1, 4]", id="list-of-numbers"),
        pytest.param('[{"28": [1, 4]}]', id="list-without-clock"),
        pytest.param('[{"00:00:28": [1]}]', id="contact-of-one"),
        pytest.param('[{"00:00:28": [[1, 2], 3]}]', id="groups-and-objects-mixed"),
        pytest.param({**SAFE, "status": "calm"}, id="unknown-status"),
        pytest.param({**SAFE, "events": "none"}, id="events-no-list"),
        pytest.param({**DANGER, "events": ["crash"]}, id="event-no-object"),
        pytest.param({**DANGER, "events": [{**CONTACT, "start_s": "0.5"}]}, id="time-as-text"),
        pytest.param({**DANGER, "events": [{**CONTACT, "start_s": True}]}, id="time-as-truth"),
        pytest.param({**DANGER, "events": [{**CONTACT, "end_s": 0.1}]}, id="ends-before-it-begins"),
        pytest.param(
            {**DANGER, "events": [{**CONTACT, "start_s": 90, "end_s": 91}]}, id="far-outside-the-chunk"
        ),
        pytest.param({**DANGER, "events": [{**CONTACT, "objects": [[1], 2]}]}, id="object-is-a-list"),
        pytest.param({**DANGER, "events": [{**CONTACT, "objects": "1 and 4"}]}, id="objects-as-text"),
        pytest.param(json.dumps(DANGER).replace("0.5", "NaN"), id="nan"),
        pytest.param("[" * 100_000, id="nested-without-end"),
        pytest.param("Safety Status: Safe\nSafety Status: Danger", id="two-statuses"),
        pytest.param("Safety Status: fine", id="unknown-status-line"),
    ],
)
def test_what_cannot_be_read_is_garbled(answer: Any) -> None:
    """Silence, prose and half an answer are failures by name."""
    assert _failure(answer) == parse.GARBLED


def test_the_overrides_marker_keeps_its_code() -> None:
    """A failure that the override reports stays what it is."""
    caption = _read({"error": {"code": "Timeout", "message": "no answer within 60 s"}})
    assert caption.failure is not None
    assert (caption.failure.code, caption.failure.message) == ("Timeout", "no answer within 60 s")


@pytest.mark.parametrize(
    ("name", "label"),
    [("obj004", "4"), ("Object 4", "4"), ("04", "4"), (4, "4"), ("forklift", "forklift"), ("obj_12", "12")],
)
def test_objects_are_named_by_their_number(name: Any, label: str) -> None:
    """However a model writes an object, it is one object."""
    caption = _read({**DANGER, "events": [{**CONTACT, "objects": [name, "99"]}]})
    assert caption.verdict is not None
    assert caption.verdict.claims[0].objects in {(label, "99"), ("99", label)}


def test_objects_are_sorted_by_number_and_named_once() -> None:
    """The same pair is the same pair in any order."""
    caption = _read({**DANGER, "events": [{**CONTACT, "objects": ["10", "9", "obj009"]}]})
    assert caption.verdict is not None
    assert caption.verdict.claims[0].objects == ("9", "10")


def test_times_of_the_whole_source_are_understood() -> None:
    """Some models answer in absolute seconds; they cannot be chunk seconds when they exceed the chunk."""
    caption = _read({**DANGER, "events": [{**CONTACT, "start_s": 14.5, "end_s": 15.5}]})
    assert caption.verdict is not None
    assert caption.verdict.claims[0].span == Span(14.5, 15.5)


def test_times_a_little_outside_are_cut_to_the_chunk() -> None:
    """Rounding at the border is no reason to lose a claim."""
    caption = _read({**DANGER, "events": [{**CONTACT, "start_s": -0.2, "end_s": 2.4}]})
    assert caption.verdict is not None
    assert caption.verdict.claims[0].span == CHUNK.span


def test_a_status_without_events_is_a_claim_of_its_own() -> None:
    """Danger without details is still danger."""
    caption = _read({"status": "Extreme", "events": [], "summary": "a fire"})
    assert caption.verdict is not None
    (claim,) = caption.verdict.claims
    assert (claim.kind, claim.severity, claim.span) == (Kind.OTHER, Severity.EXTREME, CHUNK.span)


def test_a_verdict_is_as_bad_as_its_worst_event() -> None:
    """A status milder than its events is raised to them."""
    caption = _read({**DANGER, "status": "safe"})
    assert caption.verdict is not None
    assert caption.verdict.status is Severity.DANGER


def test_unknown_kinds_are_other_and_synonyms_are_known() -> None:
    """A word outside the glossary loses its kind, not its claim."""
    events = [{**CONTACT, "kind": "contact"}, {**CONTACT, "kind": "meteor"}, {**CONTACT, "kind": "Near Miss"}]
    caption = _read({**DANGER, "events": events})
    assert caption.verdict is not None
    assert [c.kind for c in caption.verdict.claims] == [Kind.COLLISION, Kind.OTHER, Kind.NEAR_MISS]


def test_the_older_list_by_clock_is_read_with_all_its_groups() -> None:
    """Several groups at one second are several claims; repeats count once."""
    text = '[{"00:00:28": [[1, 4], ["obj002", 3]]}, {"0:00:29": [1, 4]}, {"0:00:29": [4, 1]}]'
    caption = parse.read(text, CHUNK, {}, clock_to_media={"00:00:28": 14.2}.get)
    assert caption.verdict is not None
    claims = [(c.clock, c.objects, c.span) for c in caption.verdict.claims]
    assert claims == [
        ("00:00:28", ("1", "4"), Span(14.2, 14.2)),
        ("00:00:28", ("2", "3"), Span(14.2, 14.2)),
        ("00:00:29", ("1", "4"), CHUNK.span),
    ]


def test_the_older_empty_list_is_calm() -> None:
    """A whole answer that is an empty list says that nothing overlaps."""
    caption = _read("```json\n[]\n```")
    assert caption.verdict is not None
    assert caption.verdict.status is Severity.SAFE


@pytest.mark.parametrize(
    ("text", "severity", "kind"),
    [
        (
            "Safety Status: Danger\nIdentified Hazard: Fall Risk - a worker lies on the floor",
            "danger",
            Kind.FALL,
        ),
        ("**Safety Status:** [Extreme]\n**Identified Hazard:** Fire/Electric - sparks", "extreme", Kind.FIRE),
        ("- Safety Status: warn\n- Identified Hazard: Collision - grazed", "warn", Kind.COLLISION),
        ("safety status : DANGER", "danger", Kind.OTHER),
    ],
)
def test_the_older_status_lines_are_read(text: str, severity: str, kind: Kind) -> None:
    """Stars, brackets and letter case do not matter."""
    caption = _read(f"<think>Safety Status: Safe?</think>{text}")
    assert caption.verdict is not None
    (claim,) = caption.verdict.claims
    assert (claim.severity, claim.kind, claim.span) == (Severity(severity), kind, CHUNK.span)


def test_a_safe_status_line_is_calm() -> None:
    """The older form says calm in its own way."""
    caption = _read("Safety Status: Safe\nIdentified Hazard: None")
    assert caption.verdict is not None
    assert caption.verdict.claims == ()


@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text gives a verdict or a failure, never both, never an exception."""
    caption = parse.read(text, CHUNK, {})
    assert (caption.verdict is None) != (caption.failure is None)


@given(st.floats(-0.9, 2.9), st.floats(0, 2))
def test_claims_always_lie_inside_their_chunk(start_s: float, length_s: float) -> None:
    """Whatever the rounding, a claim never leaves the chunk it was made for."""
    caption = _read({**DANGER, "events": [{**CONTACT, "start_s": start_s, "end_s": start_s + length_s}]})
    if caption.verdict is not None:
        span = caption.verdict.claims[0].span
        assert CHUNK.span.start_s <= span.start_s <= span.end_s <= CHUNK.span.end_s
