"""Takes the engine's padded JPEG rows and times apart into frames. It decodes no pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

_START = b"\xff\xd8"
_END = b"\xff\xd9"
# Start-of-frame markers carry the picture size; C4, C8 and CC are other segments in the same range (ITU-T T.81 table B.1).
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SLACK_S = 0.05  # the engine rounds frame times to two decimals


class BadFrame(ValueError):
    """A frame that is no complete JPEG, or frames and times that do not pair up."""


@dataclass(frozen=True)
class Frame:
    """One complete JPEG and its time in seconds from the start of its chunk."""

    jpeg: bytes = field(repr=False)
    time_s: float


def unpadded(row: npt.NDArray[np.uint8]) -> bytes:
    """The JPEG in a zero-padded row of shape (length,), uint8: everything up to the last end marker FF D9."""
    data = row.tobytes()
    end = data.rfind(_END)
    if not data.startswith(_START) or end < 0:
        raise BadFrame("a frame is no complete JPEG")
    return data[: end + len(_END)]


def size_px(jpeg: bytes) -> tuple[int, int]:
    """Width and height in pixels, read from the header of `jpeg`."""
    at = len(_START)
    while at + 9 <= len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at] != 0xFF:  # noqa: PLR2004 -- every JPEG segment starts with FF
            break
        if marker in _SIZE_MARKERS:
            return int.from_bytes(jpeg[at + 7 : at + 9], "big"), int.from_bytes(jpeg[at + 5 : at + 7], "big")
        at += 2 + length
    raise BadFrame("a frame's JPEG header states no size")


def rows_of(embeds: Any) -> npt.NDArray[np.uint8]:
    """The rows, shape (N, length), uint8, of what the engine passes for one chunk: a tensor or array of shape (1, N, length)."""
    if hasattr(embeds, "detach"):  # a torch tensor, which may live on a GPU; torch itself is not needed here
        embeds = embeds.detach().cpu().numpy()
    array = np.asarray(embeds)
    if array.size == 0:
        return np.zeros((0, 0), dtype=np.uint8)
    if array.dtype != np.uint8:
        raise BadFrame(f"frames are {array.dtype}, not uint8")
    return array.reshape(-1, array.shape[-1])


def frames_of(embeds: Any, times_s: Sequence[float], start_s: float | None) -> list[Frame]:
    """The frames of one chunk, their times counted from the chunk's start.

    `times_s` are seconds in the file or stream, as `start_s` is. Where the start is unknown, or lies on another
    time line (after the first frame), times count from the first frame.
    """
    rows = rows_of(embeds)
    if len(rows) != len(times_s):
        raise BadFrame(f"{len(rows)} frames came with {len(times_s)} times")
    if not len(rows):
        return []
    origin_s = times_s[0] if start_s is None or start_s > times_s[0] + _SLACK_S else start_s
    return [
        Frame(unpadded(row), max(0.0, round(time_s - origin_s, 2)))
        for row, time_s in zip(rows, times_s, strict=True)
    ]
