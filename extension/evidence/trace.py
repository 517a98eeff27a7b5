"""How an incident came to be decided: which claim each of its events rests on, and what the log made of it. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from extension.model import Basis, Caption, Claim, Event


class Ruling(enum.StrEnum):
    """What was done with a claim: taken as it is, confirmed (and timed) by the log, or told by something else without one."""

    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    TOLD = "told"


_RULINGS = {Basis.VLM: Ruling.CLAIMED, Basis.BOTH: Ruling.CONFIRMED}


@dataclass(frozen=True, slots=True)
class Step:
    """One event, the claim behind it (None for what only the log told), and the ruling."""

    event: Event
    claim: Claim | None
    ruling: Ruling


def steps(events: Iterable[Event], captions: Sequence[Caption]) -> tuple[Step, ...]:
    """The events of an incident by time, each with the claim of its chunk that it rests on."""
    by_chunk = {caption.chunk.index: caption for caption in captions}
    in_order = sorted(events, key=lambda event: (event.span.start_s, event.chunk_index, event.id))
    return tuple(
        Step(event, _claim(event, by_chunk), _RULINGS.get(event.basis, Ruling.TOLD)) for event in in_order
    )


def rested_on(events: Iterable[Event], captions: Sequence[Caption]) -> tuple[Caption, ...]:
    """The answers for the chunks of the events, by time."""
    chunks = {event.chunk_index for event in events}
    mine = (caption for caption in captions if caption.chunk.index in chunks)
    return tuple(sorted(mine, key=lambda caption: caption.chunk.index))


def _claim(event: Event, by_chunk: Mapping[int, Caption]) -> Claim | None:
    caption = by_chunk.get(event.chunk_index)
    if event.basis not in _RULINGS or caption is None or caption.verdict is None:
        return None
    # A claim of three objects becomes an event for each pair of them.
    fitting = [
        claim
        for claim in caption.verdict.claims
        if claim.kind is event.kind and set(event.objects) <= set(claim.objects)
    ]
    return min(fitting, key=lambda claim: _apart_s(claim, event), default=None)


def _apart_s(claim: Claim, event: Event) -> float:
    """Seconds between a claim and an event; negative by as much as they overlap."""
    return max(claim.span.start_s - event.span.end_s, event.span.start_s - claim.span.end_s)
