"""Reading completions strictly and reporting on them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chunk_caption import answers
from chunk_caption.failures import CaptionFailed


def completion(text: Any = "yes", reason: Any = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion with one choice."""
    return {"choices": [{"finish_reason": reason, "message": {"content": text, **message}}]}


def test_a_finished_answer_is_taken_as_it_is() -> None:
    """Not a character is changed."""
    assert answers.text_of(completion('  {"a": 1}\n')) == '  {"a": 1}\n'


@pytest.mark.parametrize(
    ("told", "code", "again"),
    [
        pytest.param(completion(reason="length"), "Clipped", False, id="clipped"),
        pytest.param(completion(reason="content_filter"), "Refused", False, id="filtered"),
        pytest.param(completion(refusal="I cannot"), "Refused", False, id="declined"),
        pytest.param(completion(""), "Empty", False, id="empty"),
        pytest.param(completion(" \n"), "Empty", False, id="blank"),
        pytest.param(completion(None), "Empty", False, id="null"),
        pytest.param(completion(["x"]), "Empty", False, id="not-text"),
        pytest.param(completion(reason=None), "ServerError", True, id="unfinished"),
        pytest.param(completion(reason="abort"), "ServerError", True, id="aborted"),
        pytest.param({}, "ServerError", True, id="no-choices"),
        pytest.param({"choices": []}, "ServerError", True, id="empty-choices"),
        pytest.param({"choices": "x"}, "ServerError", True, id="choices-are-text"),
        pytest.param({"choices": [None]}, "ServerError", True, id="choice-is-null"),
        pytest.param({"choices": [{"finish_reason": "stop"}]}, "ServerError", True, id="no-message"),
    ],
)
def test_anything_else_is_a_named_failure(told: dict[str, Any], code: str, again: bool) -> None:  # noqa: FBT001 -- a table's column
    """An answer that was cut short is never taken for a whole one."""
    with pytest.raises(CaptionFailed) as failed:
        answers.text_of(told)
    assert (failed.value.code, failed.value.again) == (code, again)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, (0, 0, 0)),
        ("many", (0, 0, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 2}, (5, 2, 0)),
        ({"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": None}, (5, 2, 0)),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
            (5, 2, 4),
        ),
        ({"prompt_tokens": "5", "completion_tokens": -2}, (0, 0, 0)),
        ({"prompt_tokens": True}, (0, 0, 0)),
    ],
)
def test_usage_is_read_from_any_shape(usage: Any, expected: tuple[int, int, int]) -> None:
    """A server that does not count, or counts strangely, counts as zero."""
    read = answers.usage_of({"usage": usage})
    assert (read.input_tokens, read.output_tokens, read.cached_tokens) == expected


def test_the_report_travels_as_json() -> None:
    """The engine takes the two counts; the rest rides in its one free field."""
    report = answers.Report("images", 20, 1234, 2, "m", answers.Usage(100, 20, 64), 99, -0.25, "Timeout")
    stats = answers.stats(report)
    assert (stats["input_tokens"], stats["output_tokens"]) == (100, 20)
    assert json.loads(stats["reasoning_description"]) == {
        "packing": "images",
        "frames": 20,
        "latency_ms": 1234,
        "retries": 2,
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 64,
        "predicted_tokens": 99,
        "mean_logprob": -0.25,
        "model": "m",
        "error": "Timeout",
    }


def test_a_marker_is_json() -> None:
    """Whatever the message holds."""
    message = 'quote " and 사고'
    assert json.loads(answers.marker("Empty", message)) == {"error": {"code": "Empty", "message": message}}


@pytest.mark.parametrize(
    ("told", "mean"),
    [
        ({"content": [{"logprob": -1.0}, {"logprob": -0.5}, {"logprob": 0}]}, -0.5),
        ({"content": [{"logprob": -1.0}, {"logprob": "x"}, {}, 7, {"logprob": float("-inf")}]}, -1.0),
        ({"content": []}, None),
        ({"content": None}, None),
        (None, None),
        ("x", None),
    ],
)
def test_log_probabilities_are_averaged(told: Any, mean: float | None) -> None:
    """A server without them, or with strange ones, gives none."""
    assert answers.mean_logprob_of({"choices": [{"logprobs": told}]}) == mean
    assert answers.mean_logprob_of({}) is None
