"""What two sets of incidents have in common and where they differ. Pure; knows nothing of what made them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from extension.model import Incident
from extension.timetravel.scoring_match import cheapest_largest

NEAR_S: Final = 2.0
"""Incidents this far apart may still be the same one, seen by other windows; media seconds."""
MOVED_S: Final = 0.1
"""A beginning or an end that moves by no more than this stays where it was: times are given to a tenth of a second."""
_PER_S: Final = 1000
_OTHER_KIND: Final = 10**9
"""Costs of a pair of different kinds, in milliseconds: any pair of one kind is nearer."""


@dataclass(frozen=True, slots=True)
class Lone:
    """An incident that only one side has; `within` is one of the other side that covers the same time, and has a partner already."""

    incident: Incident
    within: Incident | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An incident that both sides have, in other words. `ways` is what differs: kind, severity, check, start, end."""

    before: Incident
    after: Incident
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of the incidents; each list by time. `same` are as they were."""

    appeared: tuple[Lone, ...]
    vanished: tuple[Lone, ...]
    changed: tuple[Changed, ...]
    same: tuple[Incident, ...]

    @property
    def nothing(self) -> bool:
        """Whether both sides are alike."""
        return not (self.appeared or self.vanished or self.changed)


def difference(before: Sequence[Incident], after: Sequence[Incident]) -> Difference:
    """Match the incidents of two sides one to one, as many as can be, nearest first.

    Two may be one where they overlap or lie at most `NEAR_S` apart; numbered objects must be the same, other objects are only words.
    """
    edges = [
        {place: _apart_ms(one, other) for place, other in enumerate(after) if _may_be_one(one, other)}
        for one in before
    ]
    pairs = cheapest_largest(edges)
    both = [(before[left], after[right]) for left, right in pairs.items()]
    changed = [Changed(one, other, ways) for one, other in both if (ways := _ways(one, other))]
    alone = [one for place, one in enumerate(before) if place not in pairs]
    new = [one for place, one in enumerate(after) if place not in set(pairs.values())]
    return Difference(
        appeared=tuple(_lone(one, before) for one in sorted(new, key=_by_time)),
        vanished=tuple(_lone(one, after) for one in sorted(alone, key=_by_time)),
        changed=tuple(sorted(changed, key=lambda one: _by_time(one.before))),
        same=tuple(sorted((one for one, other in both if not _ways(one, other)), key=_by_time)),
    )


def _lone(incident: Incident, others: Sequence[Incident]) -> Lone:
    alike = [o for o in others if o.kind is incident.kind and _may_be_one(incident, o)]
    return Lone(incident, min(alike, key=lambda other: _apart_ms(incident, other), default=None))


def _by_time(incident: Incident) -> tuple[float, float, str]:
    return incident.span.start_s, incident.span.end_s, incident.id


def _may_be_one(one: Incident, other: Incident) -> bool:
    gap_s = max(other.span.start_s - one.span.end_s, one.span.start_s - other.span.end_s)
    if gap_s > NEAR_S:
        return False
    numbered = any(name.isdecimal() for name in (*one.objects, *other.objects))
    return not numbered or one.objects == other.objects


def _apart_ms(one: Incident, other: Incident) -> int:
    moved_s = abs(one.span.start_s - other.span.start_s) + abs(one.span.end_s - other.span.end_s)
    # Of two that lie alike the one told in the same way is nearer.
    told_ms = (one.severity is not other.severity) + (one.check is not other.check)
    return round(moved_s * _PER_S) + told_ms + (0 if one.kind is other.kind else _OTHER_KIND)


def _ways(one: Incident, other: Incident) -> tuple[str, ...]:
    differs = {
        "kind": one.kind is not other.kind,
        "severity": one.severity is not other.severity,
        "check": one.check is not other.check,
        "start": abs(one.span.start_s - other.span.start_s) > MOVED_S,
        "end": abs(one.span.end_s - other.span.end_s) > MOVED_S,
    }
    return tuple(name for name, so in differs.items() if so)
