"""Reads a chat completion strictly, and writes what travels back into the engine. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from chunk_caption.failures import CaptionFailed


@dataclass(frozen=True)
class Usage:
    """Tokens that the server counted; zero where it did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True)
class Report:
    """What happened while one chunk was asked about; `error` is the failure's code, or None.

    `predicted_tokens` is what the prompt was reckoned at before it was sent; `mean_logprob` is the answer's mean
    log-probability per token, where it was asked for and given.
    """

    packing: str
    frames: int
    latency_ms: int
    retries: int
    model: str
    usage: Usage
    predicted_tokens: int = 0
    mean_logprob: float | None = None
    error: str | None = None


def text_of(completion: dict[str, Any]) -> str:
    """The answer's text. Raises CaptionFailed unless the model stopped of its own accord and said something."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise CaptionFailed("ServerError", "the VLM answered no chat completion", again=True)
    reason = choice.get("finish_reason")
    if reason == "length":
        raise CaptionFailed("Clipped", "the answer was cut off at its token limit")
    if reason == "content_filter" or message.get("refusal"):
        raise CaptionFailed("Refused", "the VLM declined to answer")
    if reason != "stop":
        raise CaptionFailed("ServerError", "the VLM's answer ended before it was complete", again=True)
    text = message.get("content")
    if not isinstance(text, str) or not text.strip():
        raise CaptionFailed("Empty", "the VLM answered an empty text")
    return text


def usage_of(completion: dict[str, Any]) -> Usage:
    """The token counts in `completion`, whatever shape it has."""
    usage = completion.get("usage")
    if not isinstance(usage, dict):
        return Usage()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), _count(cached))


def mean_logprob_of(completion: dict[str, Any]) -> float | None:
    """The mean log-probability of the answer's tokens; None where the server gave none."""
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    told = choice.get("logprobs") if isinstance(choice, dict) else None
    tokens = told.get("content") if isinstance(told, dict) else None
    if not isinstance(tokens, list):
        return None
    values = [token.get("logprob") for token in tokens if isinstance(token, dict)]
    numbers = [value for value in values if isinstance(value, int | float) and math.isfinite(value)]
    return sum(numbers) / len(numbers) if numbers else None


def marker(code: str, message: str) -> str:
    """The answer text of a chunk that has no answer. It is JSON, so that no reader takes it for prose."""
    return json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False)


def stats(report: Report) -> dict[str, Any]:
    """What the engine takes beside the text: token counts for its metrics, and the report as JSON in its one free field."""
    described: dict[str, Any] = {
        "packing": report.packing,
        "frames": report.frames,
        "latency_ms": report.latency_ms,
        "retries": report.retries,
        "input_tokens": report.usage.input_tokens,
        "output_tokens": report.usage.output_tokens,
        "cached_tokens": report.usage.cached_tokens,
        "predicted_tokens": report.predicted_tokens,
        "model": report.model,
    }
    if report.mean_logprob is not None:
        described["mean_logprob"] = round(report.mean_logprob, 4)
    if report.error:
        described["error"] = report.error
    return {
        "input_tokens": report.usage.input_tokens,
        "output_tokens": report.usage.output_tokens,
        "reasoning_description": json.dumps(described, ensure_ascii=False),
    }


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
