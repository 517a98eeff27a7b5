"""Merges events into incidents and says what there is to announce.

Media time alone drives it: an incident is resolved once the source has been judged for longer than the merge gap past its end.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from extension.model import Basis, Change, Event, Incident, Phase, Span

_NAMESPACE = uuid.UUID("4d0c1f57-8a57-5f0f-8a0e-5d1f5d5f9a2b")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of judgement came to.

    `open` are the incidents still open after it; `changed` those that differ from before, resolved ones included;
    `news` what receivers should hear, in order.
    """

    open: tuple[Incident, ...]
    changed: tuple[Incident, ...]
    news: tuple[tuple[Change, Incident], ...]


def step(
    open_incidents: Sequence[Incident], events: Iterable[Event], judged_until_s: float, merge_gap_s: float
) -> Step:
    """Feed the events of one chunk.

    Args:
        open_incidents: The incidents open so far.
        events: The chunk's events, in order of time.
        judged_until_s: Media seconds up to which the source has been judged, this chunk included; infinity at its end.
        merge_gap_s: Events of the same kind and objects no further apart than this are one incident.
    """
    current = {incident.id: incident for incident in open_incidents}
    before = dict(current)
    news: list[tuple[Change, Incident]] = []
    for event in events:
        known = _match(current.values(), event, merge_gap_s)
        after = _extend(known, event) if known else _open(event)
        current[after.id] = after
        if known is None:
            news.append((Change.OPENED, after))
        elif after.severity is not known.severity:
            news.append((Change.UPDATED, after))
    for incident in sorted(current.values(), key=lambda i: (i.span.end_s, i.id)):
        if incident.span.end_s + merge_gap_s < judged_until_s:
            current[incident.id] = replace(incident, phase=Phase.RESOLVED)
            news.append((Change.RESOLVED, current[incident.id]))
    return Step(
        open=tuple(i for i in current.values() if i.phase is Phase.OPEN),
        changed=tuple(i for i in current.values() if before.get(i.id) != i),
        news=tuple(news),
    )


def _match(incidents: Iterable[Incident], event: Event, merge_gap_s: float) -> Incident | None:
    for incident in incidents:
        same = (incident.kind, incident.objects) == (event.kind, event.objects)
        gap_s = max(event.span.start_s - incident.span.end_s, incident.span.start_s - event.span.end_s)
        if same and incident.phase is Phase.OPEN and gap_s <= merge_gap_s:
            return incident
    return None


def _open(event: Event) -> Incident:
    return Incident(
        id=str(uuid.uuid5(_NAMESPACE, event.id)),
        job_id=event.job_id,
        kind=event.kind,
        objects=event.objects,
        phase=Phase.OPEN,
        severity=event.severity,
        span=event.span,
        event_ids=(event.id,),
        basis=event.basis,
        description=event.description,
        clock=event.clock,
        start_at=event.start_at,
        end_at=event.end_at,
        positions=event.positions,
    )


def _extend(incident: Incident, event: Event) -> Incident:
    """The incident with one more event; what its first event said stays, unless the newcomer is worse."""
    if event.id in incident.event_ids:
        return incident
    worse = event.severity.rank > incident.severity.rank
    ends = [at for at in (incident.end_at, event.end_at) if at is not None]
    return replace(
        incident,
        severity=event.severity if worse else incident.severity,
        description=event.description if worse else incident.description,
        span=Span(min(incident.span.start_s, event.span.start_s), max(incident.span.end_s, event.span.end_s)),
        end_at=max(ends) if ends else None,
        event_ids=(*incident.event_ids, event.id),
        basis=incident.basis if incident.basis is event.basis else Basis.BOTH,
    )
