"""Who looks at footage: the via-server, or a memory before it, so that rules that ask the same question are not answered twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from extension.captions import prompts
from extension.captions.brief import Notes, briefed
from extension.captions.prompts import Prompt
from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import BadInput, Refused, Unavailable
from extension.model import Brief, Caption, Chunk, Failure, Span
from extension.pipeline.asking import Asker, Question, ViaFile, add_file
from extension.pipeline.backtest.footage import Reel
from extension.pipeline.patience import Patience
from extension.pipeline.second_look import SecondLook


@dataclass(frozen=True, slots=True)
class Wording:
    """What a window is asked: the prompt, and how many frames are shown."""

    prompt: Prompt
    frames: int


def wording(prompt: str, language: str, frames: int, brief: Brief | None = None) -> Wording:
    """What is asked by a prompt of that name in a language, of a place of which something may be said.

    Raises:
        BadInput: when there is no such prompt, or none in that language.
    """
    plain = prompts.load(prompts.in_language(prompt, language))
    return Wording(briefed(plain, Notes(brief)) if brief else plain, frames)


class Eyes(Protocol):
    """Somebody who can be asked about a part of a file; failures come back as captions. Safe to use from several threads."""

    def first(self, reel: Reel, chunk: Chunk, asked: Wording) -> Caption:
        """The answer for a chunk of the file."""
        ...

    def second(self, reel: Reel, caption: Caption, asked: Wording) -> Caption:
        """The caption after second looks, where they are due."""
        ...

    def forget(self, reel: Reel) -> None:
        """The file will not be asked about again."""
        ...


class ViaEyes:
    """Asks a via-server.

    Args:
        via: The via-server.
        model: The name of its model.
        max_tokens: Longest answer, in tokens.
        zero_copy: Whether it sees the same paths.
        patience: For a neighbour that does not answer.
        clock: Processing time.
    """

    def __init__(
        self,
        via: ViaClient,
        model: str,
        max_tokens: int,
        patience: Patience,
        clock: Clock,
        *,
        zero_copy: bool,
    ) -> None:
        self._via = via
        self._model = model
        self._max_tokens = max_tokens
        self._patience = patience
        self._clock = clock
        self._zero_copy = zero_copy
        self._files: dict[str, ViaFile] = {}
        self._lock = threading.Lock()

    def first(self, reel: Reel, chunk: Chunk, asked: Wording) -> Caption:
        """The answer for a chunk of the file."""
        asker = Asker(self._via, self._file(reel), self._question(chunk, asked), self._patience, None)
        try:
            (caption,) = asker.ask([chunk])
        except (BadInput, Refused, Unavailable) as exc:
            return Caption(chunk, "", None, Failure(type(exc).__name__, str(exc)))
        return caption

    def second(self, reel: Reel, caption: Caption, asked: Wording) -> Caption:
        """The caption after second looks, where they are due."""
        question = self._question(caption.chunk, asked)
        look = SecondLook(self._via, self._file(reel), question, self._patience, reel.length_s, self._clock)
        return look.checked(caption)

    def forget(self, reel: Reel) -> None:
        """The file is deleted from the via-server."""
        with self._lock:
            file = self._files.pop(reel.name, None)
        if file is not None:
            file.forget()

    def forget_all(self) -> None:
        """No file will be asked about again."""
        with self._lock:
            files = list(self._files.values())
            self._files.clear()
        for file in files:
            file.forget()

    def _file(self, reel: Reel) -> ViaFile:
        with self._lock:
            if reel.name not in self._files:
                add: Callable[[], str] = lambda: add_file(self._via, reel.path, zero_copy=self._zero_copy)  # noqa: E731 - a line that is handed on
                self._files[reel.name] = ViaFile(self._via, add)
            return self._files[reel.name]

    def _question(self, chunk: Chunk, asked: Wording) -> Question:
        whole_s = max(1, -int(-chunk.span.end_s // 1) - int(chunk.span.start_s))
        return Question(
            model=self._model,
            prompt=asked.prompt,
            chunk_s=whole_s,
            frames_per_chunk=asked.frames,
            max_tokens=self._max_tokens,
            frame_size=None,
        )


class Memory:
    """Eyes that answer from memory what was asked before.

    A failure is remembered too: what one set of rules could not have, the other shall not have either, or the difference would tell of
    a neighbour's health.

    Args:
        eyes: Who answers what is not known.

    Attributes:
        asked: How many answers were really asked for, second looks not counted.
        spared: How many came from memory.
    """

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._first: dict[tuple[str, Span, Wording], Caption] = {}
        self._second: dict[tuple[str, Span, Wording], Caption] = {}
        self._lock = threading.Lock()
        self.asked = 0
        self.spared = 0

    def first(self, reel: Reel, chunk: Chunk, asked: Wording) -> Caption:
        """The answer for a chunk of the file."""
        key = (reel.name, chunk.span, asked)
        known = self._first.get(key)
        if new := known is None:
            known = self._first[key] = self._eyes.first(reel, chunk, asked)
        with self._lock:
            self.asked, self.spared = self.asked + new, self.spared + (not new)
        return replace(known, chunk=chunk)

    def second(self, reel: Reel, caption: Caption, asked: Wording) -> Caption:
        """The caption after second looks; the first look at a span is always the same here, and so is what comes of it."""
        key = (reel.name, caption.chunk.span, asked)
        if key not in self._second:
            self._second[key] = self._eyes.second(reel, caption, asked)
        return replace(self._second[key], chunk=caption.chunk)

    def forget(self, reel: Reel) -> None:
        """The file goes; what was answered about it stays known."""
        self._eyes.forget(reel)
