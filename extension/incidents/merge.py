"""Merges events into incidents and says what there is to announce.

Media time alone drives it: an incident is resolved once the source has been judged for longer than the merge gap past its end. What
rests on motion or on a failed capture is ended by `revise` instead.
"""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from extension.incidents import revise
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
    open_incidents: Sequence[Incident],
    events: Iterable[Event],
    judged_until_s: float,
    merge_gap_s: float,
    held: Collection[str] = (),
) -> Step:
    """Feed the events of one chunk.

    Args:
        open_incidents: The incidents open so far.
        events: The chunk's events, in order of time.
        judged_until_s: Media seconds up to which the source has been judged, this chunk included; infinity at its end.
        merge_gap_s: Events of the same kind and objects no further apart than this are one incident.
        held: Incidents that time does not end for now, by id: what is still to be looked at may belong to them.
    """
    current = {incident.id: incident for incident in open_incidents}
    before = dict(current)
    news: list[tuple[Change, Incident]] = []
    waiting = any(map(revise.is_notice, open_incidents))
    for event in revise.worst_first(events) if waiting else events:
        known = _match(current.values(), event, merge_gap_s)
        after = _extend(known, event) if known else _open(event)
        current[after.id] = after
        if known is None:
            news.append((Change.OPENED, after))
        elif (after.severity, after.check) != (known.severity, known.check):
            news.append((Change.UPDATED, after))
    for incident in sorted(current.values(), key=lambda i: (i.span.end_s, i.id)):
        passed = incident.span.end_s + merge_gap_s < judged_until_s
        if passed and _ends(incident, judged_until_s, held):
            current[incident.id] = replace(incident, phase=Phase.RESOLVED)
            news.append((Change.RESOLVED, current[incident.id]))
    return Step(
        open=tuple(i for i in current.values() if i.phase is Phase.OPEN),
        changed=tuple(i for i in current.values() if before.get(i.id) != i),
        news=tuple(news),
    )


def _ends(incident: Incident, judged_until_s: float, held: Collection[str]) -> bool:
    """Whether time alone ends it: always at the end of its source, else unless somebody has still to say that it is over."""
    waits = incident.basis in revise.UNASKED or incident.id in held
    return math.isinf(judged_until_s) or not waits


def _match(incidents: Iterable[Incident], event: Event, merge_gap_s: float) -> Incident | None:
    """The incident that an event belongs to: one of the same things, else a notice that it answers."""
    near = [i for i in incidents if i.phase is Phase.OPEN and _near(i, event, merge_gap_s)]
    alike = (i for i in near if i.kind is event.kind and _same(i, event))
    answered = (i for i in near if revise.answers(event, i))
    return next(itertools.chain(alike, answered), None)


def _near(incident: Incident, event: Event, merge_gap_s: float) -> bool:
    # A capture that failed lasts until it is said to work again, however long that takes.
    lasting = incident.basis is Basis.CAPTURE
    gap_s = max(event.span.start_s - incident.span.end_s, incident.span.start_s - event.span.end_s)
    return lasting or gap_s <= merge_gap_s


def _same(incident: Incident, event: Event) -> bool:
    """Whether both name the same objects. Labels are exact; words are not: "worker" in one answer is "a man in orange" in the next."""
    if incident.basis is not event.basis and {incident.basis, event.basis} & revise.UNASKED:
        return False
    if incident.objects == event.objects:
        return True
    labelled = any(name.isdecimal() for name in (*incident.objects, *event.objects))
    return not labelled and incident.basis is event.basis


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
        check=event.check,
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
    if revise.answers(event, incident):
        return revise.confirmed(incident, event)
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
        check=max(incident.check, event.check, key=lambda check: check.rank),
    )
