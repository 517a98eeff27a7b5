"""Asks about chunks in a pool of threads: builds the request, retries what may pass, and always returns an answer.

It never raises into the engine, which would fail the whole file for one chunk: a chunk without an answer gets a
marker text that names the failure.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from chunk_caption import answers, burn, failures
from chunk_caption.client import Client
from chunk_caption.config import Config
from chunk_caption.failures import CaptionFailed
from chunk_caption.knowledge import Knowledge
from chunk_caption.mp4 import CannotEncode
from chunk_caption.request import Question, build

_log = logging.getLogger("chunk_caption")

_LOST = 2  # connections lost for one question before what is known of the server is doubted: one may be an idle one
Answer = tuple[str, dict[str, Any]]


@dataclass
class _Progress:
    """What is known so far of one question; the report is written from it whichever way the question ends."""

    packing: str = "none"
    frames: int = 0
    attempts: int = 0
    usage: answers.Usage = field(default_factory=answers.Usage)
    predicted_tokens: int = 0
    mean_logprob: float | None = None


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
        self._logprobs = config.logprobs
        self._burner = burn.Burner(burn.drawer()) if config.burn_times else None
        self._pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="chunk-caption")
        self._knowledge = Knowledge(config, self._client)

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
            text = self._ask(self._shown(_taken(question)), progress, started_s + self._config.timeout_s)
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
            predicted_tokens=progress.predicted_tokens,
            mean_logprob=progress.mean_logprob,
            error=error,
        )
        return text, answers.stats(report)

    def _shown(self, question: Question) -> Question:
        """The question as the VLM is to see it: with times drawn into the frames, where that is wanted."""
        if self._burner is None:
            return question
        return replace(question, frames=self._burner.burnt(question.frames, question.clock_s))

    def _ask(self, question: Question, progress: _Progress, deadline_s: float) -> str:
        lost = 0
        while True:
            try:
                return self._attempt(question, progress, deadline_s)
            except CaptionFailed as failure:
                if failure.code == "Unreachable":
                    lost += 1
                if lost >= _LOST:
                    self._knowledge.forget()
                pause_s = failures.pause_s(progress.attempts - 1, failure, self._chance)
                out_of_time = time.monotonic() + pause_s >= deadline_s
                if not failure.again or progress.attempts > self._config.retries or out_of_time:
                    raise
                _log.info("asking again in %.1f s: %s: %s", pause_s, failure.code, failure.message)
                self._sleep(pause_s)

    def _attempt(self, question: Question, progress: _Progress, deadline_s: float) -> str:
        progress.attempts += 1
        around = self._knowledge.surroundings(deadline_s)
        try:
            request = build(question, around)
        except CannotEncode as fault:
            raise CaptionFailed("NoFrames", f"the chunk's frames cannot be packed: {fault}") from None
        progress.packing, progress.frames = request.packing, request.frames
        progress.predicted_tokens = request.predicted_tokens
        completion = self._completed(request.body, deadline_s)
        progress.usage = answers.usage_of(completion)
        progress.mean_logprob = answers.mean_logprob_of(completion)
        return answers.text_of(completion)

    def _completed(self, body: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """The completion; log-probabilities are asked for until the server refuses them."""
        plain = {key: value for key, value in body.items() if key != "logprobs"}
        if not self._logprobs:
            return self._client.complete(plain, deadline_s)
        try:
            return self._client.complete(body, deadline_s)
        except CaptionFailed as failure:
            if failure.code != "Refused" or "logprob" not in failure.message.lower():
                raise
            _log.warning(
                "the VLM refuses log-probabilities and is asked without them from now on: %s", failure.message
            )
            self._logprobs = False
        return self._client.complete(plain, deadline_s)


def _taken(question: Callable[[], Question]) -> Question:
    try:
        taken = question()
    except (TypeError, ValueError) as fault:  # BadFrame, or rows and times of some other kind than promised
        raise CaptionFailed("NoFrames", f"the chunk's frames cannot be read: {fault}") from None
    if not taken.frames:
        raise CaptionFailed("NoFrames", "the chunk came without a frame")
    return taken
