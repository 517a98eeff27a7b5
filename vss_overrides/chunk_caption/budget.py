"""How many tokens frames cost with Qwen3-VL, and which frames to keep so that they fit. Pure arithmetic.

Patch 16, merge 2: P = W'H'/1024 tokens per picture or pair of frames, with W' and H' rounded (to even) to multiples
of 32. A picture costs P + 2. A video costs 2, and per pair of frames P + 2 and its mark `<T seconds>`, where T has
one decimal and every character of it is a token, with three for the rest. Measured against vLLM 0.32, exact on every
size tried there. Servers below transformers 5.10 leave the video's outer 2 out: there this counts 2 too many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

_CELL_PX = 32
_LEAST_IMAGE_PX, _MOST_IMAGE_PX = 65_536, 16_777_216
_LEAST_VIDEO_PX, _MOST_VIDEO_PX = 4_096, 25_165_824  # of all frames of a video together
_MARK_TOKENS = 3  # "<", " seconds", ">"
_BYTES_PER_TOKEN = 3  # English has about four, Korean about three


def text_tokens(text: str) -> int:
    """An upper estimate of what `text` costs, for servers that do not count it themselves: digits and signs one each."""
    letters = "".join(filter(str.isalpha, text))
    return len(text) - len(letters) + math.ceil(len(letters.encode()) / _BYTES_PER_TOKEN)


def _cells(size_px: tuple[int, int], frames: int, least_px: int, most_px: int) -> int:
    """Cells of 32 x 32 pixels per frame after the server has fitted all `frames` between the two pixel limits."""
    width, height = (max(1, round(side / _CELL_PX)) for side in size_px)
    padded = frames + frames % 2 if frames > 1 else frames
    together_px = frames * size_px[0] * size_px[1]
    if padded * width * height * _CELL_PX**2 > most_px:
        shrink = math.sqrt(together_px / most_px)
        width, height = (max(1, math.floor(side / shrink / _CELL_PX)) for side in size_px)
    elif padded * width * height * _CELL_PX**2 < least_px:
        grow = math.sqrt(least_px / together_px)
        width, height = (math.ceil(side * grow / _CELL_PX) for side in size_px)
    return width * height


def image_tokens(size_px: tuple[int, int]) -> int:
    """What one picture of width x height costs."""
    return _cells(size_px, 1, _LEAST_IMAGE_PX, _MOST_IMAGE_PX) + 2


def video_tokens(size_px: tuple[int, int], frame_times_s: Sequence[float]) -> int:
    """What a video costs whose frames the server places at `frame_times_s`, seconds on its own clock."""
    cells = _cells(size_px, len(frame_times_s), _LEAST_VIDEO_PX, _MOST_VIDEO_PX)
    return 2 + sum(cells + 2 + mark_tokens(f"{mark_s:.1f}") for mark_s in pair_marks_s(frame_times_s))


def pair_marks_s(frame_times_s: Sequence[float]) -> list[float]:
    """The times that the model is shown: the mean of each pair of frames; an odd last frame stands twice."""
    even = [*frame_times_s, *frame_times_s[-1:]] if len(frame_times_s) % 2 else list(frame_times_s)
    return [(even[i] + even[i + 1]) / 2 for i in range(0, len(even), 2)]


def mark_tokens(number: str) -> int:
    """What `<12.34 seconds>` costs for its number: Qwen gives each digit and the point a token of their own."""
    return len(number) + _MARK_TOKENS


def thinned(items: Sequence[Item], count: int) -> list[Item]:
    """`count` of `items`, evenly spread, first and last kept (the first alone when `count` is one)."""
    if count >= len(items):
        return list(items)
    if count <= 1:
        return list(items[:count])
    last = len(items) - 1
    return [items[round(i * last / (count - 1))] for i in range(count)]
