"""Scores what was found in camera footage against labels: events one to one, when they began, and what false alarms cost. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from extension.model import Kind, Severity
from extension.timetravel.scoring_match import cheapest_largest
from extension.timetravel.scoring_stats import rate_bound

TOLERANCE_S: Final = 2.0
"""An incident that ends this long before an event begins, or begins this long after its end, still is that event."""
_PER_S: Final = 1000
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """Something that happens in a clip, by its label; seconds from the clip's first frame, `end_s` is out."""

    kind: Kind
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """An incident that was found in a clip; seconds from its first frame."""

    kind: Kind
    start_s: float
    end_s: float
    severity: Severity


@dataclass(frozen=True, slots=True)
class Hit:
    """An event and the incident that is it; `onset_error_s` is how much too late it begins, negative when too early."""

    event: Labelled
    found: Found

    @property
    def onset_error_s(self) -> float:
        """Seconds by which the incident begins after the event."""
        return self.found.start_s - self.event.start_s


@dataclass(frozen=True, slots=True)
class ClipScore:
    """One clip's score.

    Attributes:
        hits: Events that were found.
        missed: The other events.
        repeated: Further incidents of an event that was found already: an alert too many, though not a false one.
        false: Incidents that are no labelled event.
    """

    hits: tuple[Hit, ...] = ()
    missed: tuple[Labelled, ...] = ()
    repeated: tuple[Found, ...] = ()
    false: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Windows:
    """What became of a clip's windows: how many there were, were asked about, left out by the gate, and without an answer.

    `second_looks` counts second looks by outcome.
    """

    all: int = 0
    asked: int = 0
    gated: int = 0
    failed: int = 0
    second_looks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was watched.

    Attributes:
        name: Of its file.
        length_s: Media seconds watched.
        found: All incidents, by time.
        score: Incidents against labels, the kind included.
        any_kind: The same, whatever kind was told.
        windows: What became of its windows.
    """

    name: str
    length_s: float
    found: tuple[Found, ...]
    score: ClipScore
    any_kind: ClipScore
    windows: Windows


@dataclass(frozen=True, slots=True)
class Rate:
    """Precision, recall and F1 of counts; None where nothing could be counted."""

    hits: int
    missed: int
    alarms: int

    @property
    def precision(self) -> float | None:
        """Share of incidents that are an event, each event counted once."""
        return _share(self.hits, self.alarms)

    @property
    def recall(self) -> float | None:
        """Share of events that were found."""
        return _share(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both."""
        return _share(2 * self.hits, self.hits + self.missed + self.alarms)


@dataclass(frozen=True, slots=True)
class Figures:
    """The sum over clips.

    Attributes:
        rate: Events one to one, the kind included; further incidents of the same event count against precision.
        any_kind: The same, whatever kind was told.
        repeated: Further incidents of events that were found.
        false: Incidents that are no event.
        false_danger: Of these, such as call for help at once: danger or extreme.
        onset_median_s: Median size of the onset error, seconds; None where nothing was found.
        onset_worst_s: The largest.
        hours: Camera-hours watched.
        windows: What became of all windows.
    """

    rate: Rate
    any_kind: Rate
    repeated: int
    false: int
    false_danger: int
    onset_median_s: float | None
    onset_worst_s: float | None
    hours: float
    windows: Windows

    @property
    def false_per_hour(self) -> float:
        """False alarms per camera-hour."""
        return self.false / self.hours

    @property
    def false_per_hour_at_most(self) -> float:
        """Its exact one-sided 95 % upper bound (Poisson): what so short a look cannot rule out."""
        return rate_bound(self.false, self.hours)

    @property
    def gated_share(self) -> float | None:
        """Share of windows that the gate left out."""
        return _share(self.windows.gated, self.windows.all)


def score(
    events: Sequence[Labelled],
    found: Sequence[Found],
    tolerance_s: float = TOLERANCE_S,
    *,
    kinds: bool = True,
) -> ClipScore:
    """Match incidents to events that they overlap, one to one, as many as can be, with the smallest errors of onset.

    Args:
        events: What happens in a clip.
        found: What was found in it.
        tolerance_s: How far apart both may lie.
        kinds: Whether the kind must be the event's.
    """
    edges = [
        {
            place: round(abs(one.start_s - event.start_s) * _PER_S)
            for place, one in enumerate(found)
            if _is(event, one, tolerance_s, kinds=kinds)
        }
        for event in events
    ]
    pairs = cheapest_largest(edges)
    taken = set(pairs.values())
    near = {place for left in pairs for place in edges[left]} - taken
    return ClipScore(
        hits=tuple(Hit(events[left], found[right]) for left, right in pairs.items()),
        missed=tuple(event for place, event in enumerate(events) if place not in pairs),
        repeated=tuple(found[place] for place in sorted(near)),
        false=tuple(one for place, one in enumerate(found) if place not in taken | near),
    )


def figures(clips: Sequence[Clip]) -> Figures:
    """The sum over clips, of which there is at least one with some length."""
    errors = [abs(hit.onset_error_s) for clip in clips for hit in clip.score.hits]
    false = [one for clip in clips for one in clip.score.false]
    return Figures(
        rate=_rate(clip.score for clip in clips),
        any_kind=_rate(clip.any_kind for clip in clips),
        repeated=sum(len(clip.score.repeated) for clip in clips),
        false=len(false),
        false_danger=sum(one.severity.rank >= Severity.DANGER.rank for one in false),
        onset_median_s=statistics.median(errors) if errors else None,
        onset_worst_s=max(errors, default=None),
        hours=sum(clip.length_s for clip in clips) / _HOUR_S,
        windows=_together([clip.windows for clip in clips]),
    )


def lost(looked: Sequence[Clip], gated: Sequence[Clip]) -> list[tuple[str, Labelled]]:
    """Events that were found without the gate and not with it, each with its clip's name."""
    with_gate = {(clip.name, hit.event) for clip in gated for hit in clip.score.hits}
    without = [(clip.name, hit.event) for clip in looked for hit in clip.score.hits]
    return [one for one in without if one not in with_gate]


def _is(event: Labelled, one: Found, tolerance_s: float, *, kinds: bool) -> bool:
    together = one.start_s <= event.end_s + tolerance_s and one.end_s >= event.start_s - tolerance_s
    return together and (one.kind is event.kind or not kinds)


def _rate(scores: Iterable[ClipScore]) -> Rate:
    known = list(scores)
    hits = sum(len(one.hits) for one in known)
    alarms = hits + sum(len(one.repeated) + len(one.false) for one in known)
    return Rate(hits, sum(len(one.missed) for one in known), alarms)


def _together(windows: Sequence[Windows]) -> Windows:
    outcomes: dict[str, int] = {}
    for one in windows:
        for outcome, count in one.second_looks.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    return Windows(
        all=sum(one.all for one in windows),
        asked=sum(one.asked for one in windows),
        gated=sum(one.gated for one in windows),
        failed=sum(one.failed for one in windows),
        second_looks=dict(sorted(outcomes.items())),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
