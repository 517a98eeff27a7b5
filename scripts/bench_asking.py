"""Asks a VLM endpoint as the override does and as the engine's stock way does, and shows what the server made of it; benchmarks use it."""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import typer

sys.path.append(str(Path(__file__).resolve().parent.parent / "vss_overrides"))

from bench_report import console
from chunk_caption.client import Client
from chunk_caption.config import read
from chunk_caption.endpoint import Endpoint
from chunk_caption.frames import Frame
from chunk_caption.knowledge import Knowledge
from chunk_caption.request import Question, Request, build
from vllm_cpu import NOT_TO_BE_HAD, NotToBeHad

PROMPT: Final = "What happened? Report every accident."
ANSWER_TOKENS: Final = 128
"""Room for the tiny model's answer, which means nothing."""

_PATIENCE_S: Final = 300.0


@dataclass(frozen=True)
class Cost:
    """A prompt in tokens as the server counted it, and how much of it is pictures or video."""

    prompt_tokens: int
    media_tokens: int


@dataclass(frozen=True)
class Seen:
    """One request of the override and what the server made of it; `text` is what the model was given."""

    request: Request
    cost: Cost
    text: str


class Asker:
    """Questions to one endpoint; keyword arguments are environment variables of the override without their prefix."""

    def __init__(self, environment: dict[str, str], **knobs: str) -> None:
        named = {f"CHUNK_CAPTION_{name}": value for name, value in knobs.items()}
        self._config = read(environment | named)
        self._client = Client(self._config)
        self._knowledge = Knowledge(self._config, self._client)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def endpoint(self) -> Endpoint:
        """What the override has learned of the server."""
        return self._knowledge.surroundings(self._deadline_s()).endpoint

    def ask(self, question: Question) -> Seen:
        """Ask as the override does, and read back what the model was given. Raises CaptionFailed."""
        request = build(question, self._knowledge.surroundings(self._deadline_s()))
        completion = self._client.complete({**request.body, "return_token_ids": True}, self._deadline_s())
        told = self._client.root(
            "/detokenize",
            {"model": self._config.model, "tokens": completion["prompt_token_ids"]},
            self._deadline_s(),
        )
        return Seen(request, _cost_of(completion), str(told["prompt"]) if told else "")

    def stock(self, frames: Sequence[Frame]) -> Cost:
        """What the same frames cost the engine's stock way: separate pictures, and their times in a sentence."""
        pictures = [
            {"type": "image_url", "image_url": {"url": _data_url(frame.jpeg), "detail": "auto"}}
            for frame in frames
        ]
        times = " ".join(f"<{frame.time_s:.1f}>" for frame in frames)
        said = f"The pictures are from a video, at these times in seconds: {times}. {PROMPT} Say the right times in your answer."
        return self._cost([{"role": "user", "content": [*pictures, {"type": "text", "text": said}]}])

    def bare_tokens(self, system: str | None = None) -> int:
        """What the prompt costs without any frame, alone or after a system text."""
        before = [] if system is None else [{"role": "system", "content": system}]
        return self._cost([*before, {"role": "user", "content": PROMPT}]).prompt_tokens

    def _cost(self, messages: list[dict[str, Any]]) -> Cost:
        body = {"model": self._config.model, "messages": messages, "max_tokens": 1, "temperature": 0}
        return _cost_of(self._client.complete(body, self._deadline_s()))

    @staticmethod
    def _deadline_s() -> float:
        return time.monotonic() + _PATIENCE_S


def noisy_frames(size_px: tuple[int, int], times_s: Sequence[float], seed: int = 1) -> list[Frame]:
    """A frame of coarse noise at each time, as JPEGs; no two are alike."""
    chance = np.random.default_rng(seed)
    width, height = size_px
    frames = []
    for time_s in times_s:
        blocks = chance.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
        picture = blocks.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
        frames.append(Frame(cv2.imencode(".jpg", picture)[1].tobytes(), time_s))
    return frames


def or_leave(job: Callable[[], bool]) -> None:
    """Run a benchmark's job; where vLLM cannot be had say why and leave with exit code 3, where the bar is missed with 1."""
    try:
        holds = job()
    except NotToBeHad as fault:
        console.print(f"[red]this benchmark needs the real vLLM, which cannot be had here: {fault}[/red]")
        raise typer.Exit(NOT_TO_BE_HAD) from None
    if not holds:
        raise typer.Exit(1)


def _cost_of(completion: dict[str, Any]) -> Cost:
    usage = completion["usage"]
    details = usage.get("prompt_tokens_details") or {}
    return Cost(usage["prompt_tokens"], sum((details.get("multimodal_tokens") or {}).values()))


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
