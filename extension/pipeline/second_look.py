"""Looks again at what a first look calls danger or worse, on denser frames around the onset. What comes of it is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from extension.captions import second_asking
from extension.captions.prompts import Prompt
from extension.captions.second import Looked
from extension.captions.second_asking import Look
from extension.captions.second_record import read, with_second_look
from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import BadInput, Refused, Unavailable
from extension.model import Caption, Chunk, Failure
from extension.pipeline.asking import Asker, Question, ViaFile
from extension.pipeline.patience import Patience

_LOG = structlog.get_logger(__name__)
_MS_PER_S = 1000

Ask = Callable[[Sequence[Chunk]], list[Caption]]
"""Answers for neighbouring chunks, in order, as `Asker.ask` gives them."""


class SecondLook:
    """Checks the answers about one source; safe to use from several threads.

    Args:
        via: The via-server.
        file: The source as a file there.
        question: How the first look asked; nobody looks twice when its prompt has no second one.
        patience: Shared by all requests of the job.
        source_s: Length of the source, seconds.
        clock: Processing time.
    """

    def __init__(
        self,
        via: ViaClient,
        file: ViaFile,
        question: Question,
        patience: Patience,
        source_s: float,
        clock: Clock,
    ) -> None:
        self._via = via
        self._file = file
        self._question = question
        self._prompt = second_asking.prompt_for(question.prompt)
        self._patience = patience
        self._source_s = source_s
        self._clock = clock

    def after(self, ask: Ask) -> Ask:
        """The same asking, with second looks where they are due."""
        return lambda group: [self.checked(caption) for caption in ask(group)]

    def checked(self, caption: Caption) -> Caption:
        """The caption after second looks, with both answers; as it is where there is nothing to check.

        Fails open: what cannot be looked at again stands, unverified.

        Raises:
            Stopped: when the service stops meanwhile.
        """
        if caption.verdict is None or self._prompt is None:
            return caption
        wanted = second_asking.looks(caption.verdict, self._source_s)
        answers = [self._looked(caption.chunk.index, look, self._prompt) for look in wanted]
        after = with_second_look(caption, answers)
        if (record := read(after)) is not None:
            failures = [answer.failure.code for answer in record.looks if answer.failure]
            _LOG.info("looked_twice", chunk=caption.chunk.index, outcome=record.outcome, failures=failures)
        return after

    def _looked(self, number: int, look: Look, prompt: Prompt) -> Looked:
        prompt = second_asking.asked(prompt, look)
        question = replace(self._question, prompt=prompt, chunk_s=look.whole_s, frames_per_chunk=look.frames)
        began_s = self._clock.monotonic_s()
        answer = self._answer(question, Chunk(number, look.span))
        took_ms = round((self._clock.monotonic_s() - began_s) * _MS_PER_S)
        return Looked(look, prompt, answer.text, answer.verdict, answer.failure, answer.stats, took_ms)

    def _answer(self, question: Question, chunk: Chunk) -> Caption:
        try:
            (answer,) = Asker(self._via, self._file, question, self._patience, None).ask([chunk])
        except (BadInput, Refused, Unavailable) as exc:
            return Caption(chunk, "", None, Failure(type(exc).__name__, str(exc)))
        return answer
