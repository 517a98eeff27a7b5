"""Which parts of a long log are worth drawing, and where each comes to lie in the video. Pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

from extension.model import Piece

LEAD_S: Final = 2.0
"""Log seconds that a piece begins before, and ends after, what it is about."""

_TINY_S: Final = 1e-6

Moments = Sequence[tuple[dt.datetime, dt.datetime]]


def pieces(
    moments: Moments, start_at: dt.datetime, end_at: dt.datetime, *, speed: float, chunk_s: int
) -> tuple[tuple[Piece, ...], float]:
    """Cut a log down to its moments.

    Every piece is a whole number of chunks long, so that no chunk shows two of them; the last may run on past the end of the
    log. The first instants of the log are always a piece: what is calm throughout is still looked at once.

    Args:
        moments: First and last instant of each, by time and apart.
        start_at: First instant of the log.
        end_at: Last instant of the log.
        speed: Log seconds per media second.
        chunk_s: Length of a chunk in media seconds.

    Returns:
        The pieces by time, and the length of the video in media seconds.
    """
    chunk = dt.timedelta(seconds=chunk_s * speed)
    lead = dt.timedelta(seconds=LEAD_S)
    spans: list[tuple[dt.datetime, int]] = [(start_at, 1)]
    for first_at, last_at in moments:
        begins_at = max(first_at - lead, start_at)
        ends_at = min(last_at + lead, end_at)
        known_at, chunks = spans[-1]
        if begins_at <= known_at + chunks * chunk:
            spans[-1] = (known_at, max(chunks, _chunks(ends_at - known_at, chunk)))
        else:
            spans.append((begins_at, max(1, _chunks(ends_at - begins_at, chunk))))
    cut: list[Piece] = []
    media_s = 0.0
    for begins_at, chunks in spans:
        cut.append(Piece(media_s, begins_at))
        media_s += chunks * chunk_s
    return tuple(cut), media_s


def _chunks(duration: dt.timedelta, chunk: dt.timedelta) -> int:
    return math.ceil(duration / chunk - _TINY_S)
