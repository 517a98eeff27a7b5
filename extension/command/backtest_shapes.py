"""What a backtest came to, as values: each side's incidents and counts, and the difference. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extension.captions import second_record
from extension.model import Caption, Incident
from extension.pipeline.backtest.difference import Difference, difference


@dataclass(frozen=True, slots=True)
class Side:
    """What one set of rules came to.

    Attributes:
        name: What people call the rules.
        rules: Them, by name.
        incidents: By time.
        windows: How many windows there were, and how they ended: "asked", "not asked", and the code of each failure.
        second_looks: Second looks by outcome.
        notes: What these rules cannot be told about, in sentences.
    """

    name: str
    rules: Mapping[str, Any]
    incidents: tuple[Incident, ...]
    windows: Mapping[str, int]
    second_looks: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One source under one or two sets of rules.

    Attributes:
        source: What was judged, for people.
        start_at: The wall clock at media second 0, where it is known.
        media_s: Seconds judged.
        sides: The present rules, and the changed ones where there are some.
    """

    source: str
    start_at: dt.datetime | None
    media_s: float
    sides: tuple[Side, ...]

    @property
    def difference(self) -> Difference | None:
        """What the change comes to; None with a single set of rules."""
        if len(self.sides) == 1:
            return None
        before, after = self.sides
        return difference(before.incidents, after.incidents)


def windows_of(captions: Sequence[Caption]) -> dict[str, int]:
    """How the windows ended."""
    ends = Counter(_end(caption) for caption in captions)
    return {"all": len(captions), **dict(sorted(ends.items()))}


def second_looks_of(stats: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Second looks by outcome, of the stats of captions."""
    records = (one[second_record.KEY] for one in stats if isinstance(one.get(second_record.KEY), dict))
    return dict(sorted(Counter(str(record.get("outcome")) for record in records).items()))


def _end(caption: Caption) -> str:
    if caption.failure is not None:
        return caption.failure.code
    return "asked" if caption.asked else "not asked"
