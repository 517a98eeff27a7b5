"""Holds what a live product reported against what was really drawn. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench_live_record import Stored
from bench_live_simulator import Planned

LEAD_S: Final = 2.0
"""Before the onset: what a fall is told from is how the person stood."""

FOLLOW_S: Final = 4.0
"""After it: the policy wants somebody who stays on the ground. Lead and rest together are not more than two windows overlap by, and one."""

_HOLE_S: Final = 0.3
"""Segments further apart are not in one piece: two frames of the slowest camera."""

_EARLY_S: Final = 3.0
_LATE_S: Final = 2.0
"""By how much an incident may begin before the onset or after the end, and still be of this accident."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An incident about something that was seen."""

    id: str
    camera: str
    kind: str
    start_at: dt.datetime
    phase: str
    page: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one accident: the incidents of its kind it raised, and whether all of it was captured in one piece."""

    planned: Planned
    alarms: tuple[Alarm, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Score:
    """All accidents, and the incidents that belong to none."""

    outcomes: tuple[Outcome, ...]
    false: tuple[Alarm, ...]

    @property
    def whole(self) -> tuple[Outcome, ...]:
        """Accidents that were captured in one piece."""
        return tuple(outcome for outcome in self.outcomes if outcome.whole)

    @property
    def cut(self) -> tuple[Outcome, ...]:
        """The others: a fault of the camera took a part of them."""
        return tuple(outcome for outcome in self.outcomes if not outcome.whole)

    def figures(self) -> dict[str, Any]:
        """The counts."""
        return {
            "accidents": len(self.outcomes),
            "accidents_captured": len(self.whole),
            "raised_once": sum(len(outcome.alarms) == 1 for outcome in self.whole),
            "missed": sum(not outcome.alarms for outcome in self.whole),
            "duplicates": sum(max(0, len(outcome.alarms) - 1) for outcome in self.outcomes),
            "false_alarms": len(self.false),
            "accidents_cut_by_a_fault": len(self.cut),
            "of_these_raised": sum(bool(outcome.alarms) for outcome in self.cut),
        }


def alarms_of(incidents: Iterable[dict[str, Any]]) -> tuple[list[Alarm], list[dict[str, Any]]]:
    """Part incidents about what was seen from those about a camera that shows nothing."""
    seen, blind = [], []
    for page in incidents:
        if page["basis"] == "capture":
            blind.append(page)
            continue
        start_at = dt.datetime.fromisoformat(page["start_at"])
        seen.append(Alarm(page["id"], page["camera"], page["kind"], start_at, page["phase"], page))
    return seen, blind


def scored(
    planned: Sequence[Planned], alarms: Sequence[Alarm], stored: Sequence[Stored], from_at: dt.datetime
) -> Score:
    """Hold incidents against accidents.

    Args:
        planned: What was drawn.
        alarms: What was reported.
        stored: All segments that were recorded.
        from_at: Accidents and alarms before it do not count.
    """
    counted = [one for one in planned if one.onset_at >= from_at]
    outcomes = []
    for one in counted:
        mine = tuple(alarm for alarm in alarms if _of(alarm, one) and alarm.kind == one.kind)
        runs = pieces([each for each in stored if each.segment.camera == one.camera])
        outcomes.append(Outcome(one, mine, _whole(one, runs)))
    known = {alarm.id for outcome in outcomes for alarm in outcome.alarms}
    early = [one for one in planned if one.onset_at < from_at]
    false = [
        alarm
        for alarm in alarms
        if alarm.id not in known and alarm.start_at >= from_at and not any(_of(alarm, one) for one in early)
    ]
    return Score(tuple(outcomes), tuple(false))


def pieces(stored: Sequence[Stored]) -> list[tuple[dt.datetime, dt.datetime]]:
    """Spans of one camera without a hole or a change of picture size, by time."""
    found: list[tuple[dt.datetime, dt.datetime]] = []
    ordered = sorted((one.segment for one in stored), key=lambda segment: segment.start_at)
    for before, segment in zip([None, *ordered], ordered, strict=False):
        size = segment.footage.width, segment.footage.height
        if (
            before is not None
            and (before.footage.width, before.footage.height) == size
            and (segment.start_at - before.end_at).total_seconds() <= _HOLE_S
        ):
            found[-1] = found[-1][0], segment.end_at
        else:
            found.append((segment.start_at, segment.end_at))
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of values does not exceed, between neighbours where it falls between them; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _of(alarm: Alarm, planned: Planned) -> bool:
    end_at = planned.end_at or planned.onset_at + dt.timedelta(minutes=1)
    from_at = planned.onset_at - dt.timedelta(seconds=_EARLY_S)
    return alarm.camera == planned.camera and from_at <= alarm.start_at <= end_at + dt.timedelta(
        seconds=_LATE_S
    )


def _whole(planned: Planned, runs: Sequence[tuple[dt.datetime, dt.datetime]]) -> bool:
    from_at = planned.onset_at - dt.timedelta(seconds=LEAD_S)
    to_at = planned.onset_at + dt.timedelta(seconds=FOLLOW_S)
    return any(start_at <= from_at and to_at <= end_at for start_at, end_at in runs)
