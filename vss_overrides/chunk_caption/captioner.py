"""Asks about chunks in a pool of threads: builds the request, retries what may pass, and always returns an answer.

It never raises into the engine, which would fail the whole file for one chunk: a chunk without an answer gets a
marker text that names the failure.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from chunk_caption import answers, failures
from chunk_caption.client import Client
from chunk_caption.config import Config
from chunk_caption.failures import CaptionFailed
from chunk_caption.request import Endpoint, Question, build

_log = logging.getLogger("chunk_caption")

Answer = tuple[str, dict[str, Any]]


@dataclass
class _Progress:
    """What is known so far of one question; the report is written from it whichever way the question ends."""

    packing: str = "none"
    frames: int = 0
    attempts: int = 0
    usage: answers.Usage = field(default_factory=answers.Usage)


class Captioner:
    """Asks one endpoint about chunks, at most `config.concurrency` at a time.

    `sleep` (seconds) and `chance` (0..1) are arguments for tests. Nothing is called before the first chunk comes.
    """

    def __init__(
        self,
        config: Config,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._config = config
        self._client = Client(config)
        self._sleep = sleep
        self._chance = chance
        self._pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="chunk-caption")
        self._endpoint: Endpoint | None = None
        self._endpoint_lock = threading.Lock()

    def submit(
        self, questions: list[Callable[[], Question]]
    ) -> Future[tuple[list[str], list[dict[str, Any]]]]:
        """Answers to `questions`, in order, as texts and stats. Each question is taken apart in the pool's thread."""
        return self._pool.submit(self._answer_all, questions)

    def close(self) -> None:
        """Wait for the questions under way and close the connections. The engine never calls it; it ends with its process."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _answer_all(self, questions: list[Callable[[], Question]]) -> tuple[list[str], list[dict[str, Any]]]:
        pairs = [self.answer(question) for question in questions]
        return [text for text, _ in pairs], [stats for _, stats in pairs]

    def answer(self, question: Callable[[], Question]) -> Answer:
        """The text and stats for one question; the marker text when there is no answer."""
        started_s = time.monotonic()
        progress = _Progress()
        error = None
        try:
            text = self._ask(_taken(question), progress, started_s + self._config.timeout_s)
        except CaptionFailed as failure:
            error = failure.code
            text = answers.marker(failure.code, failure.message)
            _log.warning("chunk without an answer: %s: %s", failure.code, failure.message)
        report = answers.Report(
            packing=progress.packing,
            frames=progress.frames,
            latency_ms=round((time.monotonic() - started_s) * 1000),
            retries=max(0, progress.attempts - 1),
            model=self._config.model,
            usage=progress.usage,
            error=error,
        )
        return text, answers.stats(report)

    def _ask(self, question: Question, progress: _Progress, deadline_s: float) -> str:
        while True:
            try:
                return self._attempt(question, progress, deadline_s)
            except CaptionFailed as failure:
                pause_s = failures.pause_s(progress.attempts - 1, failure, self._chance)
                out_of_time = time.monotonic() + pause_s >= deadline_s
                if not failure.again or progress.attempts > self._config.retries or out_of_time:
                    raise
                _log.info("asking again in %.1f s: %s: %s", pause_s, failure.code, failure.message)
                self._sleep(pause_s)

    def _attempt(self, question: Question, progress: _Progress, deadline_s: float) -> str:
        progress.attempts += 1
        endpoint = self._learn(deadline_s)
        config = self._config
        request = build(question, endpoint, config.model, config.packing, config.schema)
        progress.packing, progress.frames = request.packing, request.frames
        completion = self._client.complete(request.body, deadline_s)
        progress.usage = answers.usage_of(completion)
        return answers.text_of(completion)

    def _learn(self, deadline_s: float) -> Endpoint:
        """What the server says of the model; asked until it has answered once."""
        with self._endpoint_lock:
            if self._endpoint is not None:
                return self._endpoint
        endpoint = self._client.endpoint(self._config.model, deadline_s)
        if endpoint is None:
            return Endpoint()
        with self._endpoint_lock:
            self._endpoint = endpoint
        _log.info("endpoint owner %r, token limit %s", endpoint.owned_by, endpoint.max_model_len)
        return endpoint


def _taken(question: Callable[[], Question]) -> Question:
    try:
        taken = question()
    except (TypeError, ValueError) as fault:  # BadFrame, or rows and times of some other kind than promised
        raise CaptionFailed("NoFrames", f"the chunk's frames cannot be read: {fault}") from None
    if not taken.frames:
        raise CaptionFailed("NoFrames", "the chunk came without a frame")
    return taken
