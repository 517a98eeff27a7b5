"""Text in pictures: a font with Hangul where the machine has one. What a font cannot draw is never drawn as an empty box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from extension.sources.replay.glyphs import Picture
from extension.sources.replay.style import Colour

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/nanum/NanumGothic.ttf",
    "/System/Library/Fonts/AppleSDGothicNeo.ttc",
    "C:/Windows/Fonts/malgun.ttf",
)
"""Where Debian, Fedora, Alpine, macOS and Windows keep a font with Hangul."""

_NOWHERE: Final = "\U0010fffd"
"""No font draws this."""
_LEAST_PX: Final = 11
_TRY_PX: Final = 24


class Lettering:
    """Draws text in one font.

    Args:
        paths: Font files to try in turn; Pillow's built-in font, which has Latin letters only, is the last resort.
    """

    def __init__(self, paths: tuple[str, ...] = FONTS) -> None:
        self._path = next((path for path in paths if Path(path).is_file()), None)
        self._fonts: dict[int, Font] = {}
        self._known: dict[str, bool] = {}

    def can(self, text: str) -> bool:
        """Whether the font has every character of a text."""
        return all(letter.isspace() or self._has(letter) for letter in text)

    def drawable(self, text: str) -> str:
        """The text on one line, with a question mark for each character that the font does not have."""
        return "".join(letter if self.can(letter) else "?" for letter in " ".join(text.split()))

    def width_px(self, text: str, size_px: int) -> float:
        """Width of a text."""
        return float(self._font(size_px).getlength(text))

    def fitted_px(self, text: str, size_px: int, room_px: float) -> int:
        """The size, at most `size_px`, at which a text fits; never too small to read."""
        size_px = max(
            _LEAST_PX, min(size_px, int(size_px * room_px / max(self.width_px(text, size_px), 1.0)))
        )
        # Letters of a smaller size are not smaller by exactly as much.
        while size_px > _LEAST_PX and self.width_px(text, size_px) > room_px:
            size_px -= 1
        return size_px

    def wrapped(self, text: str, size_px: int, room_px: float) -> Iterator[str]:
        """The text in lines that fit, broken at spaces, and within a word that is longer than a line."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if self.width_px(longer, size_px) <= room_px:
                line = longer
                continue
            if line:
                yield line
            line = word
            while self.width_px(line, size_px) > room_px and len(line) > 1:
                cut = next(
                    n
                    for n in range(len(line) - 1, 0, -1)
                    if n == 1 or self.width_px(line[:n], size_px) <= room_px
                )
                yield line[:cut]
                line = line[cut:]
        if line:
            yield line

    def draw(self, picture: Picture, text: str, size_px: int, place: tuple[int, int], colour: Colour) -> None:
        """Draw one line into a picture (changed in place): its left end and its middle's height at `place`."""
        blue_green_red = (colour[2], colour[1], colour[0])
        image = Image.fromarray(picture)
        ImageDraw.Draw(image).text(place, text, fill=blue_green_red, font=self._font(size_px), anchor="lm")
        picture[:] = np.asarray(image)

    def _has(self, letter: str) -> bool:
        if letter not in self._known:
            self._known[letter] = self._ink(letter) != self._ink(_NOWHERE)
        return self._known[letter]

    def _ink(self, letter: str) -> bytes:
        """How a letter looks, small."""
        return bytes(self._font(_TRY_PX).getmask(letter))

    def _font(self, size_px: int) -> Font:
        if size_px not in self._fonts:
            self._fonts[size_px] = (
                ImageFont.truetype(self._path, size_px) if self._path else ImageFont.load_default(size_px)
            )
        return self._fonts[size_px]
