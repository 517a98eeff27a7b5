"""Answers questions about a job from what is stored, with the connected model where it can write."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from extension.answers import Writer, answer, can_write
from extension.errors import Refused, VlmGarbled, VlmUnavailable
from extension.model import Job
from extension.store import Store
from extension.wire import AnswerOut

_LOG = structlog.get_logger(__name__)
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model may be that writes; `url` is empty when none is configured."""

    url: str
    model: str
    api_key: str


class Questions:
    """Answers questions about stored jobs.

    Args:
        store: What was found.
        endpoint: The VLM; asked at every question whether it can write, since it may come and go.
    """

    def __init__(self, store: Store, endpoint: Endpoint) -> None:
        self._store = store
        self._endpoint = endpoint

    def ask(self, job: Job, question: str) -> AnswerOut:
        """The answer, with citations that seek."""
        return answer(
            question,
            job,
            self._store.incidents(job.id, limit=_ALL),
            self._store.events(job.id),
            self._store.captions(job.id),
            self._writer(),
        )

    def _writer(self) -> Writer | None:
        where = self._endpoint
        if not where.url:
            return None
        try:
            able = can_write(where.url, where.api_key)
        except (VlmUnavailable, VlmGarbled, Refused) as exc:
            _LOG.warning("nobody_writes", reason=str(exc))
            return None
        return Writer(where.url, where.model, where.api_key) if able else None
