"""Which live incidents wait for their evidence, and which of them is next. Decides; makes nothing. Pure but for its lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from extension.evidence.wanted import Limits
from extension.model import Check, Incident, Kind, Phase, Severity

Lane = TypeVar("Lane")


@dataclass(frozen=True, slots=True)
class Shown:
    """What evidence of an incident shows: where two are alike, there is nothing new.

    Attributes:
        phase: While it is open, only what was recorded so far is shown.
        kind: What happened.
        severity: How bad it is.
        check: Whether somebody looked twice.
        whole: Whether the clip is as long as it may ever become.
    """

    phase: Phase
    kind: Kind
    severity: Severity
    check: Check
    whole: bool


def shown(incident: Incident, limits: Limits) -> Shown:
    """What evidence of an incident would show now."""
    lasts_s = limits.before_s + incident.span.duration_s
    return Shown(
        incident.phase, incident.kind, incident.severity, incident.check, lasts_s >= limits.longest_s
    )


@dataclass(frozen=True, slots=True)
class Wish(Generic[Lane]):
    """An incident that waits for its evidence since processing time `since_s`."""

    lane: Lane
    incident: Incident
    since_s: float


class Pending(Generic[Lane]):
    """Incidents that wait for their evidence, each once and as it is now. Safe to use from several threads.

    Args:
        limits: How much evidence holds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._wishes: dict[str, Wish[Lane]] = {}
        self._shown: dict[str, Shown] = {}
        self._change = threading.Condition()

    def add(self, lane: Lane, incident: Incident, now_s: float) -> None:
        """An incident changed: one that is over gets its evidence, one that is open only when there is something new to show."""
        wanted = shown(incident, self._limits)
        with self._change:
            if wanted.phase is Phase.OPEN and self._shown.get(incident.id) == wanted:
                return
            if wanted.phase is Phase.OPEN:
                self._shown[incident.id] = wanted
            else:
                self._shown.pop(incident.id, None)
            self._wishes[incident.id] = Wish(lane, incident, now_s)
            self._change.notify()

    def take(self, due: Callable[[Wish[Lane]], bool], timeout_s: float) -> Wish[Lane] | None:
        """The next incident whose evidence can be made, open ones first: somebody was just told of them. None when nothing came in time.

        Args:
            due: Whether it can be made now.
            timeout_s: How long to wait.
        """
        with self._change:
            if (wish := self._next(due)) is None:
                self._change.wait(timeout_s)
                wish = self._next(due)
            if wish is not None:
                del self._wishes[wish.incident.id]
            return wish

    def _next(self, due: Callable[[Wish[Lane]], bool]) -> Wish[Lane] | None:
        ready = [wish for wish in self._wishes.values() if due(wish)]
        return min(
            ready, key=lambda wish: (wish.incident.phase is Phase.RESOLVED, wish.since_s), default=None
        )
