"""The limits of the caption request's fields, and of the other routes' answers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.via_server.conftest import MODEL, Via, error_of
from via_server.wire import VlmQuery, sampling_of

FILE = "1f0e2f6a-9d2f-4f39-9c0e-6f1d5b1c7a11"
LEAST = {"id": FILE, "model": MODEL}
TIMESTAMPS = {"start_timestamp": "2026-01-01T00:00:00.000Z", "end_timestamp": "2026-01-01T00:00:10.000Z"}

# field: values at its limits, values just beyond them
LIMITS: dict[str, tuple[list[Any], list[Any]]] = {
    "id": ([FILE, [FILE], [FILE] * 50], ["", 1, None, [], [FILE] * 51, ["x"]]),
    "model": (["x" * 256, "a_b.c-d e", ""], ["x" * 257, "a/b", "a:b", None, 1]),
    "prompt": (["", "사고 " * 1666], ["x" * 5001, None, 1]),
    "system_prompt": (["", "x" * 5000], ["x" * 5001, None]),
    "api_type": (["", "openai"], ["open-ai", "x" * 33, "a1", None]),
    "response_format": (
        [{"type": "text"}, {"type": "json_object"}],
        [{"type": "json_schema"}, {}, "text", None],
    ),
    "stream": ([True, "true", "false", 0], ["maybe", None, 2]),
    "stream_options": ([None, {}, {"include_usage": True}], [{"include_usage": None}, {"other": 1}, True]),
    "max_tokens": ([1, 1024, "2", 2.0], [0, 1025, 2.5, "x", None, -1]),
    "temperature": ([0, 1, 0.5, "0.5"], [-0.01, 1.01, None, "x"]),
    "top_p": ([0, 1], [-0.01, 1.01, None]),
    "top_k": ([1, 1000, 2.5], [0.99, 1001, None]),
    "seed": ([1, 2**32 - 1], [0, 2**32, None, 1.5]),
    "chunk_duration": ([0, 3600, "10"], [-1, 3601, None, 0.5]),
    "chunk_overlap_duration": ([0, 3600], [-1, 3601, None]),
    "media_info": (
        [
            {"type": "offset"},
            {"type": "offset", "start_offset": 0, "end_offset": 4_000_000_000},
            {"type": "timestamp", **TIMESTAMPS},
        ],
        [
            None,
            {},
            {"type": "other"},
            {"type": "offset", "start_offset": -1},
            {"type": "offset", "end_offset": None},
            {"type": "offset", "end_offset": 4_000_000_001},
            {"type": "timestamp", "start_timestamp": "2026-01-01T00:00:00Z"},
            {"type": "timestamp", "start_offset": 1},
        ],
    ),
    "user": (["", "a-Z.9_"], ["a b", "x" * 257, None]),
    "tools": (
        [[], [{"type": "alert", "alert": {"name": "a", "events": ["fire"]}}]],
        [None, [{"type": "function"}], [{}] * 101],
    ),
    "enable_cv_metadata": ([True, False], [None, "x"]),
    "cv_pipeline_prompt": (["", "person . car", "person;0.5"], ["person!", "x" * 1025, None]),
    "num_frames_per_chunk": ([0, 256], [-1, 257, None]),
    "vlm_input_width": ([0, 16, 4096], [-1, 4097, None]),
    "vlm_input_height": ([0, 16, 4096], [-1, 4097, None]),
    "enable_reasoning": ([True], [None, "x"]),
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, (fine, _) in LIMITS.items() for value in fine], ids=str
)
def test_values_at_the_limits_are_taken(field: str, value: Any) -> None:
    """Numbers also as text, as the engine does."""
    VlmQuery.model_validate(LEAST | {field: value})


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, (_, wrong) in LIMITS.items() for value in wrong], ids=str
)
def test_values_beyond_the_limits_are_refused(field: str, value: Any) -> None:
    """Null included, except where the engine takes it."""
    with pytest.raises(ValidationError) as told:
        VlmQuery.model_validate(LEAST | {field: value})
    assert {error["loc"][0] for error in told.value.errors()} == {field}


def test_every_field_is_in_the_table() -> None:
    """A new field needs its limits."""
    assert set(LIMITS) == set(VlmQuery.model_fields)


def test_only_what_was_sent_reaches_the_model() -> None:
    """Under the engine's names; reasoning only when it is wanted."""
    assert sampling_of(VlmQuery.model_validate(LEAST)) == {}
    sent = {"max_tokens": 5, "temperature": 0, "top_p": 1, "top_k": 2, "seed": 9, "enable_reasoning": True}
    assert sampling_of(VlmQuery.model_validate(LEAST | sent)) == {
        "max_new_tokens": 5,
        "temperature": 0.0,
        "top_p": 1.0,
        "top_k": 2.0,
        "seed": 9,
        "enable_reasoning": True,
    }
    assert sampling_of(VlmQuery.model_validate(LEAST | {"enable_reasoning": False})) == {}


def test_the_model_is_listed(via: Via) -> None:
    """In the engine's shape."""
    listed = via.get("/models").json()
    assert listed["data"][0].pop("created") > 1_700_000_000
    assert listed == {
        "object": "list",
        "data": [{"id": MODEL, "object": "model", "owned_by": "nobody", "api_type": "openai"}],
    }


@pytest.mark.parametrize("path", ["/health/ready", "/health/live"])
def test_health_is_an_empty_answer(via: Via, path: str) -> None:
    """200 and nothing else."""
    response = via.get(path)
    assert (response.status_code, response.content) == (200, b"")


def test_metrics_have_the_engines_names(via: Via) -> None:
    """Those that apply without live streams, chat and audio."""
    shown = via.get("/metrics").text
    for name in (
        "video_file_queries_processed",
        "video_file_queries_pending",
        "active_live_streams",
        "system_uptime_seconds",
        "decode_latency_seconds_bucket",
        "decode_latency_seconds_latest",
        "vlm_latency_seconds_bucket",
        "vlm_latency_seconds_latest",
        "vlm_input_tokens_per_chunk_bucket",
        "vlm_output_tokens_per_chunk_bucket",
    ):
        assert f"\n{name}" in shown


def test_no_configuration_is_recommended(via: Via) -> None:
    """As the engine does without a table of GPUs; limits hold all the same."""
    fine = {"video_length": 60, "target_response_time": 5, "usecase_event_duration": 2}
    assert via.post("/recommended_config", json=fine).json() == {"chunk_size": 0, "text": "NA"}
    assert via.post("/recommended_config", json={}).status_code == 200
    wrong = via.post("/recommended_config", json={"video_length": 0})
    assert error_of(wrong)[2] == "('body', 'video_length'): Input should be greater than or equal to 1"


def test_the_contract_is_published(via: Via) -> None:
    """Under the engine's title, with the upload's form."""
    page = via.get("/openapi.json").json()
    assert (page["info"]["title"], page["info"]["version"]) == ("Visual Insights Agent API", "v1")
    form = page["paths"]["/files"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["purpose", "media_type"]
