"""The motion of a plain video file, piece by piece in one pass, by the same measure as a camera's segments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from extension.model import Span
from extension.sources.motion.motion import Part
from extension.sources.motion.scene import Piece, Scene
from extension.sources.motion.sketches import Recording, Sketch

_PIECE_S: Final = 1.75
"""A piece ends at the first key frame this long after its start, as recorded segments do."""

_MOST_S: Final = 10.0
"""Without a key frame a piece ends after this all the same."""


def motions(path: Path) -> Iterator[Part]:
    """The pieces of a file from its first frame to its last, without gaps, with the motion of each.

    Times count from the file's first frame. The last piece ends with its last picture that was decoded.

    Args:
        path: Of the file.

    Raises:
        BadSource: It cannot be read.
    """
    scene = Scene()
    with Recording(path) as recording:
        origin_s: float | None = None
        for pictures, end_s in _pieces(recording):
            start_s = pictures[0].at_s
            origin_s = start_s if origin_s is None else origin_s
            keys = [picture for picture in pictures if picture.key]
            last_s = keys[-1].at_s if keys else start_s - 1.0
            tail = [picture for picture in pictures if picture.at_s > last_s]
            piece = Piece(end_s - start_s, keys, partial(list, tail))
            yield Part(Span(start_s - origin_s, end_s - origin_s), scene.measure(piece))


def _pieces(recording: Recording) -> Iterator[tuple[list[Sketch], float]]:
    """Sketches by piece, each with the second of the file in which it ends."""
    held: list[Sketch] = []
    for picture in recording.sketches():
        long_s = picture.at_s - held[0].at_s if held else 0.0
        if held and long_s >= (_PIECE_S if picture.key else _MOST_S):
            yield held, picture.at_s
            held = []
        held.append(picture)
    if held:
        yield held, held[-1].at_s
