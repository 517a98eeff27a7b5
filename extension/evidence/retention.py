"""Which evidence has to go. Deletes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Keep:
    """How much evidence is kept, of cameras and of jobs together.

    Attributes:
        age_s: Evidence made longer ago than this goes, seconds.
        most_bytes: Beyond it the oldest goes first, whosever it is.
    """

    age_s: float
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The evidence of one incident on disk.

    Attributes:
        folder: Where it lies.
        incident_id: Whose it is.
        made_at: When it took its place there.
        size_bytes: Of all its files.
    """

    folder: Path
    incident_id: str
    made_at: dt.datetime
    size_bytes: int


def surplus(
    stored: Iterable[Stored], now_at: dt.datetime, keep: Keep, held: Callable[[str], bool]
) -> tuple[Stored, ...]:
    """Evidence to let go of, oldest first.

    Args:
        stored: All there is.
        now_at: The wall clock.
        keep: What may stay.
        held: Tells by an incident's id whether its evidence stays whatever its age; asked only of what would go.
    """
    in_order = sorted(stored, key=lambda one: (one.made_at, one.incident_id))
    oldest_at = now_at - dt.timedelta(seconds=keep.age_s)
    size_bytes = sum(one.size_bytes for one in in_order)
    gone: list[Stored] = []
    for one in in_order:
        if one.made_at >= oldest_at and size_bytes <= keep.most_bytes:
            break
        if not held(one.incident_id):
            gone.append(one)
            size_bytes -= one.size_bytes
    return tuple(gone)
