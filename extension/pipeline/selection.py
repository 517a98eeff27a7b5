"""Decides which chunks the VLM is asked about, and records why it is not asked about the others. Pure."""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Sequence
from typing import Final

from extension.model import Caption, Chunk, JobOptions, Severity, Verdict, VlmUse
from extension.pipeline.world import World

NEAR: Final = 1.5
"""Chunks in which two objects come closer than this many contact distances are candidates: near misses included."""
_SURE_S, _UNSURE_S = 1.0, 6.0
"""Log seconds around such a moment: rounding, or a recorder that began late and whose clock is not read yet."""
_FIRST_CHUNKS: Final = 3
"""So many chunks are asked about in any case, so that the burnt-in clock is read."""


def not_asked(
    chunks: Sequence[Chunk], options: JobOptions, world: World, contact_cm: float
) -> tuple[Caption, ...]:
    """Captions of the chunks that the VLM is not asked about, each saying why; none without a log.

    Args:
        chunks: All chunks of the job, by time.
        options: What the job wants.
        world: The recorded world.
        contact_cm: Horizontal distance below which two objects of the log are in contact.
    """
    if options.vlm is VlmUse.ALL or world.referee is None or world.timeline is None:
        return ()
    if options.vlm is VlmUse.OFF:
        return tuple(_spared(chunk, "the job asks for the log's contacts alone") for chunk in chunks)
    near = world.referee.near(NEAR * contact_cm)
    margin = dt.timedelta(seconds=_SURE_S if world.timeline.sure else _UNSURE_S)
    first = 0 if world.timeline.sure else _FIRST_CHUNKS
    why = f"no two objects come within {NEAR * contact_cm:.0f} cm in the log"
    return tuple(
        _spared(chunk, why)
        for chunk in chunks
        if chunk.index >= first
        and not _touches(
            near,
            *(
                at + side
                for at, side in zip(world.timeline.shown(chunk.span), (-margin, margin), strict=True)
            ),
        )
    )


def _touches(
    spans: Sequence[tuple[dt.datetime, dt.datetime]], start_at: dt.datetime, end_at: dt.datetime
) -> bool:
    """Whether any of the spans, which are in order and apart, reaches into another span."""
    place = bisect.bisect_right(spans, end_at, key=lambda span: span[0])
    return place > 0 and spans[place - 1][1] >= start_at


def _spared(chunk: Chunk, why: str) -> Caption:
    verdict = Verdict(Severity.SAFE, (), f"Not asked: {why}.")
    return Caption(chunk, "", verdict, None, {"asked": False, "why": why})
