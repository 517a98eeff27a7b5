"""Refusals with the status, code and message that the real engine was seen to give."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.via_server.conftest import MODEL, Via, error_of

UNKNOWN = "1f0e2f6a-9d2f-4f39-9c0e-6f1d5b1c7a11"


@pytest.fixture
def file_id(via: Via, clip: Path) -> str:
    """A file to ask about."""
    return via.add(clip)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"id": UNKNOWN}, (400, "BadParameter", f"No such resource {UNKNOWN}"), id="unknown-id"),
        pytest.param({"model": "other"}, (400, "BadParameters", "No such model 'other'"), id="unknown-model"),
        pytest.param(
            {"api_type": "internal"},
            (400, "BadParameters", f"api_type internal not supported by model '{MODEL}'"),
            id="api-type",
        ),
        pytest.param(
            {"chunk_duration": 2, "chunk_overlap_duration": 2},
            (400, "BadParameter", "chunkOverlapDuration must be less than chunkDuration"),
            id="overlap",
        ),
        pytest.param(
            {"model": "a/b"},
            (
                422,
                "InvalidParameters",
                "('body', 'model'): String should match pattern '^[A-Za-z0-9_.\\- ]*$' (input: \"a/b\")",
            ),
            id="model-with-slash",
        ),
        pytest.param(
            {"id": 7},
            (
                422,
                "InvalidParameters",
                "('body', 'id', 'uuid'): UUID input should be a string, bytes or UUID object",
            ),
            id="id-is-a-number",
        ),
        pytest.param(
            {"max_tokens": None},
            (422, "InvalidParameters", "('body', 'max_tokens'): Input should be a valid integer"),
            id="null-max-tokens",
        ),
        pytest.param(
            {"seed": None},
            (422, "InvalidParameters", "('body', 'seed'): Input should be a valid integer"),
            id="null-seed",
        ),
        pytest.param(
            {"max_tokens": 1025},
            (422, "InvalidParameters", "('body', 'max_tokens'): Input should be less than or equal to 1024"),
            id="too-many-tokens",
        ),
        pytest.param(
            {"surprise": 1},
            (422, "InvalidParameters", "('body', 'surprise'): Extra inputs are not permitted"),
            id="unknown-field",
        ),
        pytest.param(
            {"media_info": {"type": "offset", "start_offset": "x"}},
            (
                422,
                "InvalidParameters",
                (
                    "('body', 'media_info', 'MediaInfoOffset', 'start_offset'): Input should be a valid integer, "
                    "unable to parse string as an integer"
                ),
            ),
            id="offset-is-text",
        ),
    ],
)
def test_caption_requests_are_refused_as_by_the_engine(
    via: Via, file_id: str, fields: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    """Status, code and message word for word."""
    assert error_of(via.ask(**({"file_id": file_id} | fields))) == expected


def test_a_malformed_id_shows_what_was_sent(via: Via) -> None:
    """Parsing errors repeat their input."""
    status, code, message = error_of(via.ask("not-a-uuid"))
    assert (status, code) == (422, "InvalidParameters")
    assert message.startswith("('body', 'id', 'uuid'): Input should be a valid UUID, ")
    assert message.endswith(' (input: "not-a-uuid")')


def test_an_endless_input_is_not_repeated(via: Via) -> None:
    """The message stays short."""
    assert len(error_of(via.ask("x" * 100_000))[2]) < 500


@pytest.mark.parametrize("ids", [[], [UNKNOWN] * 51])
def test_a_list_of_ids_has_a_length(via: Via, ids: list[str]) -> None:
    """One to fifty."""
    status, code, message = error_of(via.ask(ids))  # type: ignore[arg-type]  # the route takes a list as well
    assert (status, code) == (422, "InvalidParameters")
    assert message.startswith("('body', 'id'): Value error, List of ids")


@pytest.mark.parametrize("side", ["vlm_input_width", "vlm_input_height"])
@pytest.mark.parametrize("px", [1, 15])
def test_a_tiny_size_is_refused(via: Via, file_id: str, side: str, px: int) -> None:
    """0 or at least 16."""
    assert error_of(via.ask(file_id, **{side: px}))[:2] == (400, "BadParameter")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "('body', 1): JSON decode error"),
        (b"{'id'", "('body', 1): JSON decode error"),
        (b"", "('body',): Field required"),
    ],
)
def test_a_broken_body_is_refused(via: Via, body: bytes, message: str) -> None:
    """With the place where it breaks."""
    response = via.post("/generate_vlm_captions", data=body, headers={"content-type": "application/json"})
    assert error_of(response) == (422, "InvalidParameters", message)


def test_the_first_missing_field_is_named(via: Via) -> None:
    """Only the first error is told."""
    assert error_of(via.post("/generate_vlm_captions", json={}))[2] == "('body', 'id'): Field required"


def test_routing_errors_are_fastapis(via: Via) -> None:
    """They have another shape, in the engine too."""
    missing, wrong = via.get("/nothing"), via.delete("/models")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Not Found"})
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})


Send = Callable[[Via], Any]


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        pytest.param(
            lambda via: via.post("/chat/completions", json={}),
            (400, "BadParameters", "Chat functionality disabled"),
            id="chat",
        ),
        pytest.param(
            lambda via: via.post("/alerts", json={}),
            (405, "MethodNotAllowed", "Alerts functionality is disabled"),
            id="add-alert",
        ),
        pytest.param(
            lambda via: via.delete(f"/alerts/{UNKNOWN}"),
            (400, "BadParameters", f"No such alert {UNKNOWN}"),
            id="delete-alert",
        ),
        pytest.param(
            lambda via: via.delete(f"/live-stream/{UNKNOWN}"),
            (400, "InvalidParameter", f"No such live-stream {UNKNOWN}"),
            id="delete-live-stream",
        ),
        pytest.param(
            lambda via: via.post("/live-stream", json={}),
            (501, "NotImplemented", "live-stream is not served by the embedded via-server"),
            id="add-live-stream",
        ),
        pytest.param(
            lambda via: via.post("/reviewAlert", json={}),
            (501, "NotImplemented", "reviewAlert is not served by the embedded via-server"),
            id="review-alert",
        ),
    ],
)
def test_what_is_switched_off_says_so(via: Via, send: Send, expected: tuple[int, str, str]) -> None:
    """As the engine without CA-RAG, or plainly that it is not served."""
    assert error_of(send(via)) == expected


@pytest.mark.parametrize("path", ["/alerts", "/alerts/recent", "/live-stream"])
def test_lists_of_what_is_switched_off_are_empty(via: Via, path: str) -> None:
    """There are none."""
    assert via.get(path).json() == []


def test_summaries_are_refused_as_without_ca_rag(via: Via, file_id: str) -> None:
    """In one piece with the engine's words, as a stream because it is not built in."""
    body = {"id": file_id, "model": MODEL, "summary_duration": 60, "enable_chat": True}
    assert error_of(via.post("/summarize", json=body)) == (
        400,
        "BadParameters",
        "Only streaming output is supported for files when CA-RAG is disabled",
    )
    assert error_of(via.post("/summarize", json=body | {"stream": True}))[:2] == (501, "NotImplemented")
    assert error_of(via.post("/summarize", json=body | {"id": UNKNOWN}))[1] == "BadParameter"
    assert error_of(via.post("/summarize", json=body | {"model": "other"}))[1] == "BadParameters"


NOT_A_VIDEO = (400, "InvalidFile", "File does not seem to be a valid MediaType.VIDEO file")


def test_two_videos_at_once_are_refused(via: Via, file_id: str) -> None:
    """Only images come in groups."""
    assert error_of(via.ask([file_id, file_id]))[:2] == (400, "BadParameters")  # type: ignore[arg-type]  # as above
    assert error_of(via.ask([file_id, str(uuid.uuid4())]))[1] == "BadParameter"  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    "fields",
    [
        {"media_info": {"type": "offset", "start_offset": 5}},
        {"media_info": {"type": "offset", "start_offset": 3, "end_offset": 3}},
        {"media_info": {"type": "offset", "start_offset": 3, "end_offset": 1}},
        {"media_info": {"type": "timestamp", "start_timestamp": "2026-01-01T00:00:00.000Z"}},
    ],
)
def test_a_stretch_that_holds_nothing_is_refused(via: Via, file_id: str, fields: dict[str, Any]) -> None:
    """A file of five seconds has nothing at five."""
    assert error_of(via.ask(file_id, **fields))[:2] == (400, "BadParameter")


def test_a_request_without_any_prompt_is_refused(start: Callable[..., Via], clip: Path) -> None:
    """When the server has no default either."""
    via = start("--summarization-query", "")
    assert error_of(via.ask(via.add(clip), prompt="")) == (400, "BadParameters", "VLM prompt is required")
