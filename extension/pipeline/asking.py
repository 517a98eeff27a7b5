"""Asks the via-server for the captions of chunks until each has a verdict or a named failure."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from extension.captions import parse, schema
from extension.captions.prompts import Prompt
from extension.chunks import plan
from extension.chunks.via_client import CaptionQuery, ChunkResponse, ViaClient
from extension.errors import Refused, ViaServerRefused, ViaServerUnavailable
from extension.model import Caption, Chunk, Failure
from extension.pipeline.patience import Patience

_LOG = structlog.get_logger(__name__)
# The via-server drops a chunk without a word, or answers in its place: worth one more try.
MISSING = "MissingChunk"
UNAVAILABLE = "ViaServerUnavailable"
_VLM_DOWN = frozenset({"Unreachable", "Timeout", "ServerError"})
PASSING = _VLM_DOWN | {UNAVAILABLE}
"""Failures that pass when the neighbour comes back; the others get `_TRIES` and are then recorded."""
_TRIES = {"Refused": 1}
_DEFAULT_TRIES = 2
# Chunk borders are whole seconds; anything further off belongs to another chunk.
_NEAR_S = 0.25


@dataclass(frozen=True, slots=True)
class Question:
    """What stays the same for all chunks of a job. `frame_size` is (width, height) in pixels or None."""

    model: str
    prompt: Prompt
    chunk_s: int
    frames_per_chunk: int
    max_tokens: int
    frame_size: tuple[int, int] | None


class ViaFile:
    """One source as a file of the via-server; re-made after a failure, since the engine may refuse it for ever after one."""

    def __init__(self, via: ViaClient, add: Callable[[], str]) -> None:
        self._via = via
        self._add = add
        self._lock = threading.Lock()
        self._id: str | None = None
        self._old: list[str] = []

    def id(self) -> str:
        """The file's current id; the file is added when it has none."""
        with self._lock:
            if self._id is None:
                self._id = self._add()
            return self._id

    def renew(self, failed_id: str) -> None:
        """Have the file added anew, unless another thread has already done so since `failed_id`."""
        with self._lock:
            if self._id == failed_id:
                self._old.append(failed_id)
                self._id = None

    def forget(self) -> None:
        """Delete every id this file had; a server that is gone has forgotten them itself."""
        with self._lock:
            ids, self._old, self._id = [*self._old, *([self._id] if self._id else [])], [], None
        for file_id in ids:
            try:
                self._via.delete(file_id)
            except (ViaServerUnavailable, Refused) as exc:
                _LOG.warning("file_not_deleted", reason=str(exc))


def add_file(via: ViaClient, path: Path, *, zero_copy: bool) -> str:
    """Hand a video to the via-server: by path where it takes that and it is wanted, else by upload; returns its id."""
    if zero_copy:
        try:
            return via.add_path(path.resolve())
        except ViaServerRefused as exc:
            # It takes plain names only, or does not see the folder.
            _LOG.info("path_refused", source=path.name, reason=str(exc))
    return via.upload(path)


class Asker:
    """Asks about one source; safe to use from several threads.

    Args:
        via: The via-server.
        file: The source as a file there.
        question: What stays the same for all chunks.
        patience: Shared by all requests of the job.
        clock_to_media: For answers that name times by burnt-in clock only.
    """

    def __init__(
        self,
        via: ViaClient,
        file: ViaFile,
        question: Question,
        patience: Patience,
        clock_to_media: parse.ClockToMedia | None,
    ) -> None:
        self._via = via
        self._file = file
        self._question = question
        self._patience = patience
        self._clock_to_media = clock_to_media

    def ask(self, group: Sequence[Chunk]) -> list[Caption]:
        """Captions of neighbouring chunks, in order: each with a verdict, or with its last failure.

        Raises:
            ViaServerRefused: when the request itself is at fault.
            Stopped: when the service stops meanwhile.
        """
        done: dict[int, Caption] = {}
        tries: Counter[int] = Counter()
        pending, together = list(group), len(group)
        while pending:
            self._patience.check()
            answers = [c for batch in plan.batches(pending, together) for c in self._once(batch)]
            tries.update(caption.chunk.index for caption in answers)
            again = [c for c in answers if self._worth_asking_again(c, tries[c.chunk.index])]
            done |= {c.chunk.index: _with_tries(c, tries[c.chunk.index]) for c in answers if c not in again}
            pending = [c.chunk for c in again]
            if again:
                _LOG.warning("asking_again", chunks=len(again), reason=_reason(again[0]))
                # An engine may fail a whole request for one bad chunk: apart, the others survive.
                together = together if all(_vlm_is_down(c) for c in answers) else 1
                self._patience.wait(tries[again[0].chunk.index])
        return [done[chunk.index] for chunk in group]

    def _worth_asking_again(self, caption: Caption, tries: int) -> bool:
        if caption.failure is None:
            self._patience.succeeded()
            return False
        if caption.failure.code in PASSING:
            return not self._patience.exhausted
        return tries < _TRIES.get(caption.failure.code, _DEFAULT_TRIES)

    def _once(self, batch: Sequence[Chunk]) -> list[Caption]:
        """One request; failures come back as captions."""
        file_id: str | None = None
        try:
            file_id = self._file.id()
            responses = self._via.captions(self._query(file_id, batch))
        except ViaServerUnavailable as exc:
            failure = Failure(UNAVAILABLE, str(exc))
        except ViaServerRefused as exc:
            if "No such resource" not in str(exc):
                raise
            # A via-server that was started anew has forgotten the file.
            failure = Failure(UNAVAILABLE, str(exc))
        else:
            return [self._caption(chunk, responses) for chunk in batch]
        if file_id is not None:
            self._file.renew(file_id)
        return [Caption(chunk, "", None, failure) for chunk in batch]

    def _query(self, file_id: str, batch: Sequence[Chunk]) -> CaptionQuery:
        start_s, end_s = plan.offsets(batch)
        q = self._question
        return CaptionQuery(
            file_id=file_id,
            model=q.model,
            prompt=q.prompt.user,
            system_prompt=q.prompt.system,
            start_s=start_s,
            end_s=end_s,
            chunk_s=q.chunk_s,
            frames_per_chunk=q.frames_per_chunk,
            max_tokens=q.max_tokens,
            frame_size=q.frame_size,
        )

    def _caption(self, chunk: Chunk, responses: Sequence[ChunkResponse]) -> Caption:
        for response in responses:
            if abs(response.start_s - chunk.span.start_s) <= _NEAR_S:
                asked = {"prompt": self._question.prompt.id, "schema": schema.VERSION}
                stats = _stats(response.reasoning_description) | asked
                return parse.read(response.content, chunk, stats, self._clock_to_media)
        failure = Failure(MISSING, "the via-server answered without this chunk")
        return Caption(chunk, "", None, failure)


def _vlm_is_down(caption: Caption) -> bool:
    return caption.failure is not None and caption.failure.code in _VLM_DOWN


def _with_tries(caption: Caption, tries: int) -> Caption:
    """The caption with its failure saying how often it was tried."""
    if caption.failure is None or tries == 1:
        return caption
    return replace(
        caption, failure=replace(caption.failure, message=f"{caption.failure.message} ({tries} tries)")
    )


def _stats(reasoning: str) -> dict[str, Any]:
    """What the override reported, where this is its report; other engines put prose there."""
    try:
        page = json.loads(reasoning) if reasoning else {}
    except ValueError:
        return {"reasoning": reasoning[:2000]}
    return page if isinstance(page, dict) else {}


def _reason(caption: Caption) -> str:
    return f"{caption.failure.code}: {caption.failure.message}" if caption.failure else ""
