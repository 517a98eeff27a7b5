"""How many tokens Qwen3-VL would count for the same request; arithmetic only.

Picture formulas were measured against vLLM 0.32 with Qwen3-VL's processor; text is estimated at four bytes a token.
"""

from __future__ import annotations

import math

CELL_PX = 32  # one vision token stands for 32 x 32 pixels
IMAGE_MIN_TOKENS, IMAGE_MAX_TOKENS = 64, 16384
VIDEO_MAX_PIXELS = 25_165_824  # over all frames of one video
TEXT_BYTES_PER_TOKEN = 4


def cells(width_px: int, height_px: int) -> int:
    """Return the vision tokens of one picture, each side rounded to a multiple of 32 pixels."""
    return max(1, round(width_px / CELL_PX)) * max(1, round(height_px / CELL_PX))


def image_tokens(width_px: int, height_px: int) -> int:
    """Return the tokens of one picture, its two markers included."""
    return min(max(cells(width_px, height_px), IMAGE_MIN_TOKENS), IMAGE_MAX_TOKENS) + 2


def video_tokens(width_px: int, height_px: int, times_s: list[float]) -> int:
    """Return the tokens of one video; frames count in pairs, each with its `<T seconds>` text."""
    if not times_s:
        return 0
    each = cells(width_px, height_px)
    over = len(times_s) * each * CELL_PX * CELL_PX / VIDEO_MAX_PIXELS
    if over > 1:
        shrink = math.sqrt(len(times_s) * width_px * height_px / VIDEO_MAX_PIXELS) * CELL_PX
        each = max(1, math.floor(width_px / shrink)) * max(1, math.floor(height_px / shrink))
    total = 2
    for first in range(0, len(times_s), 2):
        pair = times_s[first : first + 2]
        total += each + 2 + len(f"{sum(pair) / len(pair):.1f}") + 3
    return total


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text."""
    return -(-len(text.encode()) // TEXT_BYTES_PER_TOKEN)


def clip_text(text: str, max_tokens: int | None) -> tuple[str, bool]:
    """Cut a text to at most `max_tokens` estimated tokens; say whether anything was cut."""
    if max_tokens is None or text_tokens(text) <= max_tokens:
        return text, False
    kept = text.encode()[: max_tokens * TEXT_BYTES_PER_TOKEN]
    return kept.decode(errors="ignore"), True
