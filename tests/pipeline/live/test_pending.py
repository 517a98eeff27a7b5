"""Which incidents wait for their evidence: each once, open ones first, and only when there is something new to show."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from extension.evidence.wanted import Limits
from extension.model import Check, Incident, Kind, Phase, Severity, Span
from extension.pipeline.live.pending import Pending, Wish

LIMITS = Limits(before_s=5.0, after_s=5.0, longest_s=60.0)


def fall(name: str = "i-1", end_s: float = 12.0, phase: Phase = Phase.OPEN, **changes: Any) -> Incident:
    """An incident that began at second 10."""
    made = Incident(name, "job", Kind.FALL, ("person",), phase, Severity.DANGER, Span(10.0, end_s), ("e",))
    return replace(made, **changes)


def taken(pending: Pending[str], *, due: bool = True) -> list[str]:
    """Ids of all that can be taken now, in order."""
    found = []
    while wish := pending.take(lambda _: due, 0.0):
        found.append(wish.incident.id)
    return found


def test_an_incident_that_opens_is_wanted_once() -> None:
    """Each window that shows it still is no news."""
    pending: Pending[str] = Pending(LIMITS)
    pending.add("gate", fall(), 1.0)
    assert taken(pending) == ["i-1"]
    for end_s in (15.0, 20.0, 25.0):
        pending.add("gate", fall(end_s=end_s), end_s)
    assert taken(pending) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": Severity.EXTREME},
        {"check": Check.CONFIRMED},
        {"kind": Kind.COLLISION},
        {"end_s": 65.0},
        {"phase": Phase.RESOLVED},
    ],
)
def test_what_is_news(changes: dict[str, Any]) -> None:
    """Another severity, check or kind; a clip that has become as long as it may; the end."""
    pending: Pending[str] = Pending(LIMITS)
    pending.add("gate", fall(), 1.0)
    assert taken(pending) == ["i-1"]
    pending.add("gate", fall(**changes), 2.0)
    assert taken(pending) == ["i-1"]


def test_an_incident_that_is_over_may_change_once_more() -> None:
    """A second look withdraws it later: its evidence says so."""
    pending: Pending[str] = Pending(LIMITS)
    for check in (Check.UNVERIFIED, Check.WITHDRAWN):
        pending.add("gate", fall(phase=Phase.RESOLVED, check=check), 1.0)
        assert taken(pending) == ["i-1"]


def test_only_the_newest_state_waits() -> None:
    """One that opened and ended while others were made is made once."""
    pending: Pending[str] = Pending(LIMITS)
    pending.add("gate", fall(), 1.0)
    pending.add("gate", fall(phase=Phase.RESOLVED), 2.0)
    wish = pending.take(lambda _: True, 0.0)
    assert wish == Wish("gate", fall(phase=Phase.RESOLVED), 2.0)
    assert pending.take(lambda _: True, 0.0) is None


def test_open_ones_come_first_and_older_ones_before_newer() -> None:
    """Somebody is waiting for the picture of an accident that was just told."""
    pending: Pending[str] = Pending(LIMITS)
    pending.add("gate", fall("over-1", phase=Phase.RESOLVED), 1.0)
    pending.add("gate", fall("over-2", phase=Phase.RESOLVED), 2.0)
    pending.add("door", fall("open-2"), 4.0)
    pending.add("door", fall("open-1"), 3.0)
    assert taken(pending) == ["open-1", "open-2", "over-1", "over-2"]


def test_what_is_not_due_waits() -> None:
    """Until it is."""
    pending: Pending[str] = Pending(LIMITS)
    pending.add("gate", fall(), 1.0)
    assert taken(pending, due=False) == []
    assert taken(pending) == ["i-1"]


def test_who_waits_is_woken() -> None:
    """Well before the wait is over."""
    pending: Pending[str] = Pending(LIMITS)
    found: list[Wish[str] | None] = []
    thread = threading.Thread(target=lambda: found.append(pending.take(lambda _: True, 60.0)))
    thread.start()
    pending.add("gate", fall(), 1.0)
    thread.join(20)
    if thread.is_alive():  # it began to wait after the incident came
        pending.add("gate", fall("i-2"), 2.0)
        thread.join(20)
    assert found
    assert found[0] is not None
