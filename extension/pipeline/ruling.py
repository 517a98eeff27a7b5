"""Weighs what the VLM saw of a chunk against what the log tells of it: which claims stand, and which contacts nobody claimed. Pure."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from extension.model import Basis, Caption, Event, Kind, Severity, Span
from extension.pipeline.world import World
from extension.timetravel.contacts import Contact
from extension.timetravel.referee import Referee
from extension.timetravel.timeline import Timeline

UNREPORTED: Final = "the VLM did not report it."
_NAMESPACE = uuid.UUID("0b7a4c0e-3f52-5b0a-8d58-1f0a3f1c77d2")
_SURE_S, _UNSURE_S = 1.0, 4.0
"""Log seconds by which a claim may miss a contact's time: half a look, a model's rounding; more before the clock is known."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The events of a chunk after the log was heard, and the pairs whose claims it refuted."""

    events: tuple[Event, ...]
    refuted: tuple[tuple[str, ...], ...] = ()


def rule(job_id: str, caption: Caption, events: Iterable[Event], world: World) -> Ruling:
    """Hear the log about one chunk; without a log, or where the job wants the VLM alone, everything stands.

    A claimed contact stands when the log, steadied where it is noisy, has it too, and takes its times.
    A contact that the log tells and nobody claimed is added, once it is known how the video lies in the log.
    """
    referee, timeline = world.referee, world.timeline
    if referee is None or timeline is None:
        return Ruling(tuple(events))
    court = _Court(job_id, caption, referee, timeline, world)
    stand: dict[str, Event] = {}
    refuted: list[tuple[str, ...]] = []
    for event in itertools.chain.from_iterable(map(_pairs, events)):
        heard = court.heard(event)
        if heard is None:
            refuted.append(event.objects)
        # Two claims may speak of one contact.
        stand |= {one.id: one for one in heard or ()}
    added = court.unclaimed(stand.values()) if timeline.sure else []
    in_order = sorted([*stand.values(), *added], key=lambda e: (e.span.start_s, e.span.end_s, e.objects))
    return Ruling(tuple(in_order), tuple(refuted))


def tolerance_s(timeline: Timeline) -> float:
    """Log seconds by which an event may miss the time of the contact that it speaks of."""
    return _SURE_S if timeline.sure else _UNSURE_S


def told_event(job_id: str, told: Contact, chunk_index: int, span: Span, why: str, world: World) -> Event:
    """An event that rests on the log alone; `why` ends its description."""
    names = " and ".join(told.objects)
    clock = told.start_at.astimezone(world.tz).strftime("%H:%M:%S")
    return Event(
        id=_id(job_id, chunk_index, told),
        job_id=job_id,
        chunk_index=chunk_index,
        kind=Kind.COLLISION,
        span=span,
        severity=Severity.DANGER,
        objects=told.objects,
        clock=clock,
        description=f"Objects {names} are {told.closest_cm:.0f} cm apart in the log; {why}",
        start_at=told.start_at,
        end_at=told.end_at,
        positions=world.locate(told.objects, told.start_at),
        basis=Basis.LOG,
    )


def covers(event: Event, contact: Contact, tolerance_s: float) -> bool:
    """Whether an event speaks of a contact: the same objects, at a time that is no further off than the tolerance (log seconds)."""
    if event.start_at is None or event.end_at is None or not set(contact.objects) <= set(event.objects):
        return False
    slack = dt.timedelta(seconds=tolerance_s)
    return event.start_at - slack <= contact.end_at and contact.start_at <= event.end_at + slack


@dataclass(frozen=True, slots=True)
class _Court:
    job_id: str
    caption: Caption
    referee: Referee
    timeline: Timeline
    world: World

    def heard(self, event: Event) -> list[Event] | None:
        """What is left of an event: itself for what no log can tell, or the contacts behind it; None when it is refuted."""
        if event.kind is not Kind.COLLISION or len(event.objects) < 2:  # noqa: PLR2004 - a contact takes two
            return [event]
        matching = [
            contact
            for contact in self.referee.told_between(*self._shown_at(tolerance_s(self.timeline)))
            if covers(event, contact, tolerance_s(self.timeline))
        ]
        if not matching:
            return None
        if not self.timeline.sure:
            return [event]
        # What lies wholly in another chunk is told there.
        parts = ((contact, self._part(contact)) for contact in matching)
        return [self._timed(event, contact, span) for contact, span in parts if span is not None]

    def unclaimed(self, stand: Iterable[Event]) -> list[Event]:
        """Contacts of the chunk that no event speaks of."""
        known = [event for event in stand if event.kind is Kind.COLLISION]
        asked = self.caption.verdict is not None and self.caption.asked
        why = UNREPORTED if asked else "the VLM has not looked at this moment."
        return [
            told_event(self.job_id, contact, self.caption.chunk.index, span, why, self.world)
            for contact in self.referee.told_between(*self._shown_at(0.0))
            if (span := self._part(contact)) is not None
            and not any(covers(event, contact, 0.0) for event in known)
        ]

    def _shown_at(self, margin_s: float) -> tuple[dt.datetime, dt.datetime]:
        """Log instants that the chunk shows from and to, and so many log seconds more on either side."""
        start_at, end_at = self.timeline.shown(self.caption.chunk.span)
        margin = dt.timedelta(seconds=margin_s)
        return start_at - margin, end_at + margin

    def _part(self, contact: Contact) -> Span | None:
        """The part of a contact that the chunk shows, in media seconds; its last moment belongs to the next chunk."""
        shown = self.caption.chunk.span
        first_at, last_at = self._shown_at(0.0)
        if contact.start_at >= last_at or contact.end_at < first_at:
            return None
        start_s, end_s = (
            shown.start_s + (at - first_at).total_seconds() / self.timeline.speed
            for at in (contact.start_at, contact.end_at)
        )
        return Span(round(max(start_s, shown.start_s), 3), round(min(end_s, shown.end_s), 3))

    def _timed(self, event: Event, contact: Contact, span: Span) -> Event:
        first_at, last_at = self._shown_at(0.0)
        start_at = max(contact.start_at, first_at)
        return replace(
            event,
            id=_id(self.job_id, self.caption.chunk.index, contact),
            objects=contact.objects,
            span=span,
            start_at=start_at,
            end_at=min(contact.end_at, last_at),
            positions=self.world.locate(contact.objects, start_at),
            basis=Basis.BOTH,
        )


def _pairs(event: Event) -> Iterator[Event]:
    """A contact of more than two objects as one event per pair, each with an id of its own; others as they are."""
    if event.kind is not Kind.COLLISION or len(event.objects) <= 2:  # noqa: PLR2004 - a pair
        yield event
        return
    for pair in itertools.combinations(event.objects, 2):
        yield replace(event, id=str(uuid.uuid5(_NAMESPACE, f"{event.id}/{pair}")), objects=pair)


def _id(job_id: str, chunk_index: int, contact: Contact) -> str:
    """The id of what a chunk shows of a contact: the same whenever it is judged again."""
    return str(
        uuid.uuid5(_NAMESPACE, f"{job_id}/{chunk_index}/{contact.start_at.isoformat()}/{contact.objects}")
    )
