"""Cuts a source into chunks and decides what of it the VLM is shown. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from extension.model import Chunk, Span

# Five looks per second of the recorded world: a trajectory log's own rate, so that no sample goes unseen.
_LOOKS_PER_WORLD_S = 5
_FEWEST_FRAMES, _MOST_FRAMES = 20, 60
# Vision encoders work on squares of 32 pixels; other sizes are resampled by the server.
_PATCH_PX = 32


def chunks(duration_s: float, chunk_s: int) -> tuple[Chunk, ...]:
    """Chunks of `chunk_s` whole seconds that cover the source without gap; the last may be shorter.

    Raises:
        ValueError: when the duration or the chunk length is not positive.
    """
    if duration_s <= 0 or chunk_s <= 0:
        raise ValueError("a source and its chunks have a positive length")
    count = max(1, math.ceil(round(duration_s, 3) / chunk_s))
    return tuple(
        Chunk(i, Span(float(i * chunk_s), min(float((i + 1) * chunk_s), duration_s))) for i in range(count)
    )


def frames(asked: int, *, chunk_s: int, speed: float) -> int:
    """Frames per chunk: as asked, or five per second of the recorded world, between 20 and 60."""
    if asked:
        return asked
    return min(_MOST_FRAMES, max(_FEWEST_FRAMES, math.ceil(_LOOKS_PER_WORLD_S * chunk_s * speed)))


def frame_size(width_px: int, height_px: int, max_px: int) -> tuple[int, int] | None:
    """Size to scale frames to, or None when they are small enough as they are.

    Keeps the shape of the picture; both sides become multiples of 32 pixels.
    """
    if width_px * height_px <= max_px:
        return None
    scale = math.sqrt(max_px / (width_px * height_px))
    width, height = (
        max(_PATCH_PX, int(side * scale) // _PATCH_PX * _PATCH_PX) for side in (width_px, height_px)
    )
    return width, height


def batches(wanted: Iterable[Chunk], most: int) -> tuple[tuple[Chunk, ...], ...]:
    """Groups neighbouring chunks, at most `most` in a group, in order: each group is one caption request."""
    groups: list[list[Chunk]] = []
    for chunk in sorted(wanted, key=lambda c: c.index):
        if groups and chunk.index == groups[-1][-1].index + 1 and len(groups[-1]) < most:
            groups[-1].append(chunk)
        else:
            groups.append([chunk])
    return tuple(tuple(group) for group in groups)


def offsets(group: Sequence[Chunk]) -> tuple[int, int]:
    """The group's span in whole seconds, as a caption request names it (the end is rounded up)."""
    return int(group[0].span.start_s), math.ceil(group[-1].span.end_s)
