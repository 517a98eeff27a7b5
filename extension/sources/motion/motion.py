"""What motion a piece of video shows. Values only; nothing is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from extension.model import Span


@dataclass(frozen=True, slots=True)
class Motion:
    """What moves in a piece of video.

    Attributes:
        moving: Whether anything does, slow changes included.
        share: The most that changed from one picture to the next, as a share of the picture.
        moving_s: Seconds of the piece during which pictures changed; a piece that moves at first sight counts as a whole.
        drift: The share of the picture that differs from the last one that was counted as moving: what changed slowly.
        frozen: Whether all pictures are the same to the last bit, which no living camera's are for long.
    """

    moving: bool
    share: float = 0.0
    moving_s: float = 0.0
    drift: float = 0.0
    frozen: bool = False

    @property
    def slow(self) -> bool:
        """Whether only a slow change is seen: no picture differs from the one before it."""
        return self.moving and self.moving_s <= 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a source and its motion; None when it cannot be measured."""

    span: Span
    motion: Motion | None


def together(parts: Sequence[Part], span: Span) -> Motion | None:
    """The motion of a window, of the parts that lie in it; None when none of them could be measured.

    Args:
        parts: In order of time.
        span: The window. A part that reaches beyond it counts in it with at most the seconds they share.
    """
    inside = [(part.span, part.motion) for part in parts if part.motion is not None]
    if not inside:
        return None
    motions = [motion for _, motion in inside]
    return Motion(
        moving=any(motion.moving for motion in motions),
        share=max(motion.share for motion in motions),
        moving_s=sum(min(motion.moving_s, _shared_s(piece, span)) for piece, motion in inside),
        drift=max(motion.drift for motion in motions),
        frozen=all(motion.frozen for motion in motions),
    )


def _shared_s(one: Span, other: Span) -> float:
    return max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))
