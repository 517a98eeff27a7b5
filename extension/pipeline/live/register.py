"""Enters what was judged into the store: all of it or nothing, in the order of judgement, and says that there is news."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from extension.incidents.revise import Revision
from extension.model import Incident
from extension.pipeline.judging import Judge, Judgement
from extension.store import Store


class Judged(Protocol):
    """What is judged: a camera's lane, or the recordings of all."""

    job_id: str
    judge: Judge
    lock: threading.Lock


class Register:
    """The one way of live judgements into the store. Safe to use from several threads.

    Args:
        store: What must survive a restart.
        news: Called whenever new messages lie in the outbox.
    """

    def __init__(self, store: Store, news: Callable[[], None]) -> None:
        self._store = store
        self._news = news

    def enter(self, judged: Judged, decide: Callable[[Judge], Judgement | None]) -> tuple[Incident, ...]:
        """Judge and store in one; the incidents that changed. None stores nothing.

        Raises:
            Unavailable: when it cannot be stored; then nothing was judged, and the same can be judged again.
        """
        with judged.lock, judged.judge.all_or_nothing():
            judgement = decide(judged.judge)
            if judgement is None:
                return ()
            self._store.commit_judgement(
                judged.job_id,
                judged_chunks=judgement.judged_chunks,
                events=judgement.events,
                incidents=judgement.incidents,
                messages=judgement.messages,
            )
        if judgement.messages:
            self._news()
        return judgement.incidents

    def revise(self, judged: Judged, decide: Callable[[Incident], Revision | None]) -> tuple[Incident, ...]:
        """Have every open incident edited as `decide` says; those that changed.

        Raises:
            Unavailable: as `enter` does; incidents edited before that are stored.
        """
        changed: list[Incident] = []
        for incident in judged.judge.open:
            changed += self.enter(judged, partial(_revise, incident.id, decide))
        return tuple(changed)


def _revise(
    incident_id: str, decide: Callable[[Incident], Revision | None], judge: Judge
) -> Judgement | None:
    return judge.revise(incident_id, decide)
