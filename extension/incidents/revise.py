"""Decides what becomes of incidents that rest on less than an answer: notices of motion alone, and captures that failed. Pure.

A notice says that something moved while no VLM could be had. An answer that comes later confirms it, by the event that it shows, or
withdraws it; both edit the same incident.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from extension.model import Basis, Caption, Change, Check, Event, Incident, Phase, Severity, Span

UNASKED: Final = frozenset({Basis.MOTION, Basis.CAPTURE})
"""What rests on these was told by no VLM and no log; the passing of time does not end it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """An incident as it is from now on, and what receivers hear of that; None: nothing."""

    incident: Incident
    change: Change | None


def is_notice(incident: Incident) -> bool:
    """Whether it says that something moved, and still waits for somebody to look."""
    open_ = incident.phase is Phase.OPEN
    return open_ and incident.basis is Basis.MOTION and incident.check is Check.UNVERIFIED


def answers(event: Event, incident: Incident) -> bool:
    """Whether an event is what a notice waits for, as far as their nature goes: near each other they must be besides."""
    return is_notice(incident) and event.basis not in UNASKED


def confirmed(incident: Incident, event: Event) -> Incident:
    """A notice that turned out to be an event: the same incident says now what happened."""
    return replace(
        incident,
        kind=event.kind,
        objects=event.objects,
        severity=event.severity,
        span=event.span,
        event_ids=(*incident.event_ids, event.id),
        description=event.description or incident.description,
        clock=event.clock,
        start_at=event.start_at,
        end_at=event.end_at,
        positions=event.positions,
        basis=event.basis,
        check=Check.CONFIRMED,
    )


def worst_first(events: Iterable[Event]) -> list[Event]:
    """The order in which events may answer a notice: it becomes the worst of them."""
    return sorted(events, key=lambda event: (-event.severity.rank, event.span.start_s))


def settled(incident: Incident, looked: Sequence[Caption], moved: int) -> Revision | None:
    """What becomes of a notice when as many of its windows as will be are looked at again; None for what waits no more.

    Args:
        incident: The notice.
        looked: The later answers for its windows.
        moved: How many windows it rests on.
    """
    if not is_notice(incident):
        return None
    check, why = _finding(looked, moved)
    over = replace(
        incident, check=check, phase=Phase.RESOLVED, description=f"{incident.description} {why}".strip()
    )
    return Revision(over, Change.RESOLVED)


def _finding(looked: Sequence[Caption], moved: int) -> tuple[Check, str]:
    if any(shows_something(caption) for caption in looked):
        return Check.CONFIRMED, "Looked at again: another incident of this camera tells what it was."
    failures = Counter(caption.failure.code for caption in looked if caption.failure is not None)
    if failures:
        said = ", ".join(sorted(failures))
        return Check.UNVERIFIED, f"It stays unverified: the VLM could not judge the recording ({said})."
    if not looked:
        return Check.UNVERIFIED, "It stays unverified: the recording was gone before the VLM could look."
    part = "" if len(looked) >= moved else f" ({len(looked)} of {moved} windows, those with the most motion)"
    return Check.WITHDRAWN, f"Withdrawn: the VLM looked again and saw nothing wrong{part}."


def shows_something(caption: Caption) -> bool:
    """Whether an answer holds anything that becomes an event."""
    verdict = caption.verdict
    return verdict is not None and any(claim.severity is not Severity.SAFE for claim in verdict.claims)


def lengthened(incident: Incident, end_s: float, end_at: dt.datetime) -> Revision | None:
    """A failed capture lasted until then, and may not be over yet; None for other incidents, and when that is known already.

    Args:
        incident: Any.
        end_s: Media seconds.
        end_at: The same as wall clock.
    """
    if incident.basis is not Basis.CAPTURE or end_s <= incident.span.end_s:
        return None
    return Revision(replace(incident, span=Span(incident.span.start_s, end_s), end_at=end_at), None)


def ended(incident: Incident, good_until_s: float, hold_s: float) -> Revision | None:
    """A failed capture is over once it has worked again for a while; None: not yet, or another incident.

    Args:
        incident: Any.
        good_until_s: Media seconds up to which there are recordings again.
        hold_s: How long it must have worked, so that one that comes and goes is one incident.
    """
    if incident.basis is not Basis.CAPTURE or good_until_s < incident.span.end_s + hold_s:
        return None
    return Revision(replace(incident, phase=Phase.RESOLVED), Change.RESOLVED)
