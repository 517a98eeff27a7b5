"""Which segments have to go. Deletes nothing."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from extension.sources.camera.segments import Segment


@dataclass(frozen=True, slots=True)
class Retention:
    """What the ring keeps.

    Attributes:
        age_s: Segments that ended longer ago than this go.
        most_bytes: Of all cameras together: beyond it the oldest go first, whichever camera they are of, so that all cameras
            reach equally far back.
    """

    age_s: float = 3600.0
    most_bytes: int = 20_000_000_000


def surplus(
    cameras: Iterable[Iterable[Segment]], size_bytes: int, now_at: dt.datetime, keep: Retention
) -> list[Segment]:
    """Segments to delete, oldest first.

    Args:
        cameras: Each camera's segments, oldest first.
        size_bytes: Of all of them together.
        now_at: The wall clock.
        keep: What may stay.
    """
    oldest_at = now_at - dt.timedelta(seconds=keep.age_s)
    gone: list[Segment] = []
    for segment in heapq.merge(*cameras, key=lambda each: each.start_at):
        if segment.end_at > oldest_at and size_bytes <= keep.most_bytes:
            break
        gone.append(segment)
        size_bytes -= segment.size_bytes
    return gone
