"""Time stamps as a camera's stream has them, made whole: some are missing, and some stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NEAR = 10
"""Frames. A decode time that is behind by less is a wrong guess, one that is behind by more a camera that counts anew."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """When a frame is shown and decoded, in units of the stream's time base."""

    shown: int
    decoded: int


def begin(
    stamps: Sequence[tuple[int | None, int | None]], frame: int, delay: int
) -> list[tuple[int | None, int | None]]:
    """Time stamps for the first packets of a connection, worked out from the first of them that have any.

    Args:
        stamps: Presentation and decode time of each packet, the first of them a key frame.
        frame: Usual distance of two frames.
        delay: See `settle`.

    Returns:
        As many as given; still without times where none of them had any.
    """
    shown = [each for each, _ in stamps]
    known = [each for each in shown if each is not None]
    if not known:
        return list(stamps)
    early = next(place for place, each in enumerate(shown) if each is not None)
    # Reordered frames come after the key frame that they are shown after: the earliest of them follows it.
    shown[:early] = [min(known) - (early - place) * frame for place in range(early)]
    dated = ((place, each) for place, (_, each) in enumerate(stamps) if each is not None)
    anchor, decoded_then = next(dated, (0, (shown[0] or 0) - delay))
    decoded = [
        each if each is not None else decoded_then + (place - anchor) * frame
        for place, (_, each) in enumerate(stamps)
    ]
    return list(zip(shown, decoded, strict=True))


def settle(
    shown: int | None, decoded: int | None, last: Ticks | None, frame: int, delay: int
) -> Ticks | None:
    """Time stamps for a packet that may lack them; None when nothing can be known yet.

    Args:
        shown: The packet's presentation time.
        decoded: The packet's decode time.
        last: What was settled for the packet before.
        frame: Usual distance of two frames.
        delay: How much earlier than shown a frame is decoded where its stream reorders frames; 0 elsewhere.

    Returns:
        Decode times rise from packet to packet, but for a camera that counts anew; no frame is shown before it is decoded.
    """
    if shown is None and decoded is None and last is None:
        return None
    if shown is None:
        shown = decoded if decoded is not None else (last.shown + frame if last else 0)
    if decoded is None:
        decoded = shown - delay
    if last is not None and last.decoded - _NEAR * frame < decoded <= last.decoded:
        decoded = last.decoded + 1
    return Ticks(max(shown, decoded), decoded)
