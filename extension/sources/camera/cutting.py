"""Where a camera's frames are cut into segments. Decides; writes nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Cut(enum.Enum):
    """What to do with a frame."""

    SKIP = "skip"
    """No segment is open and none can begin here."""

    JOIN = "join"
    """It belongs to the open segment."""

    BEGIN = "begin"
    """Close the open segment, if there is one, and begin one with this frame."""

    GAP = "gap"
    """Close the open segment, frames are missing before this one; begin one with it."""

    LEAVE = "leave"
    """Close the open segment, frames are missing before this one, which cannot begin one."""

    OVERFLOW = "overflow"
    """Close the open segment: no key frame came before it grew too large; this frame is lost."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a cut is decided by.

    Attributes:
        decode_s: Decode time on the connection's scale.
        size_bytes: Encoded.
        key: Whether decoding can start here.
        changed: Whether its parameter sets differ from the last ones; only key frames change them.
        awaited: Whether somebody waits for what was recorded before it.
    """

    decode_s: float
    size_bytes: int
    key: bool
    changed: bool = False
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """When to cut.

    Attributes:
        target_s: A segment ends at the first key frame this long after its start.
        early_s: A key frame that is early by at most this cuts too, so that 1.92 s does not become 3.84 s.
        most_s: Without a key frame for this long the segment is closed all the same.
        most_bytes: Nor does a segment grow beyond this.
        gap_s: Frames further apart than this have others missing between them.
        least_s: A segment is not cut earlier for those who wait for it.
    """

    target_s: float = 2.0
    early_s: float = 0.25
    most_s: float = 60.0
    most_bytes: int = 64_000_000
    gap_s: float = 1.0
    least_s: float = 0.5


@dataclass(slots=True)
class Open:
    """The segment under way, as far as cutting needs to know it."""

    start_s: float
    last_s: float
    size_bytes: int


def cut(current: Open | None, frame: Frame, limits: Limits) -> Cut:
    """Decide about the next frame of a connection."""
    if current is None:
        return Cut.BEGIN if frame.key else Cut.SKIP
    step_s = frame.decode_s - current.last_s
    if step_s > limits.gap_s or step_s < 0:
        return Cut.GAP if frame.key else Cut.LEAVE
    elapsed_s = frame.decode_s - current.start_s
    if frame.key:
        due = elapsed_s >= (limits.least_s if frame.awaited else limits.target_s - limits.early_s)
        return Cut.BEGIN if due or frame.changed else Cut.JOIN
    if elapsed_s > limits.most_s or current.size_bytes + frame.size_bytes > limits.most_bytes:
        return Cut.OVERFLOW
    return Cut.JOIN
