"""Letters that charts can draw: a font with Hangul where the machine has one; what no font can draw becomes a question mark."""

from __future__ import annotations

import functools
from typing import Final

from matplotlib import font_manager

_WITH_HANGUL: Final = (
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",
    "Noto Sans KR",
    "NanumGothic",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
)
_ALWAYS: Final = "DejaVu Sans"
"""Comes with the plotting library."""


@functools.cache
def font(size: float, *, bold: bool = False) -> font_manager.FontProperties:
    """The font for text that holds names, in points."""
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    family = next((name for name in _WITH_HANGUL if name in known), _ALWAYS)
    return font_manager.FontProperties(family=family, size=size, weight="bold" if bold else "normal")


def drawable(text: str) -> str:
    """The text, on one line, with a question mark for each character that the font does not have."""
    glyphs = _glyphs()
    return "".join(
        letter if letter == " " or ord(letter) in glyphs else "?" for letter in " ".join(text.split())
    )


@functools.cache
def _glyphs() -> frozenset[int]:
    face = font_manager.get_font(font_manager.findfont(font(10)))
    return frozenset(face.get_charmap())
