"""What stands around the moving pictures of a summary: the title card, the cards between clips, the caption bar."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extension.model import Severity
from extension.playback.lettering import Lettering
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.style import WHITE, Colour

NIGHT: Final[Colour] = (17, 24, 33)
_SOFT: Final[Colour] = (168, 182, 196)
_COLOURS: Final[dict[Severity, Colour]] = {
    Severity.SAFE: (104, 211, 145),
    Severity.WARN: (246, 173, 85),
    Severity.DANGER: (251, 113, 50),
    Severity.EXTREME: (240, 60, 80),
}
_BAR: Final = 0.11
"""Height of the caption bar as a share of the picture's."""
_STRIPE: Final = 0.35


@dataclass(frozen=True, slots=True)
class Stage:
    """Sizes in pixels, all even: the moving picture, and the caption bar below it, which covers nothing of it."""

    width: int
    height: int

    @property
    def bar(self) -> int:
        """Height of the caption bar."""
        return max(28, round(self.height * _BAR / 2) * 2)

    @property
    def whole(self) -> int:
        """Height of picture and bar."""
        return self.height + self.bar


class Cards:
    """Draws cards and captions for one stage.

    Args:
        stage: The sizes.
        lettering: The font.
    """

    def __init__(self, stage: Stage, lettering: Lettering) -> None:
        self._stage = stage
        self._lettering = lettering
        # The same caption stands under many frames.
        self._bar = functools.lru_cache(maxsize=8)(self._drawn_bar)

    def captioned(self, picture: Picture, text: str, severity: Severity) -> Picture:
        """The picture with its caption below it, shape (whole, width, 3)."""
        return np.vstack((picture, self._bar(text, severity)))

    def title(self, heading: str, paragraphs: Sequence[str]) -> Picture:
        """A card with a heading and what there is to say, as far as there is room; shape (whole, width, 3)."""
        stage, letters = self._stage, self._lettering
        card = self._empty()
        left, room = stage.width // 14, stage.width * 6 / 7
        large = letters.fitted_px(letters.drawable(heading), stage.whole // 13, room)
        small = max(13, stage.whole // 24)
        row = stage.whole // 6
        letters.draw(card, letters.drawable(heading), large, (left, row), WHITE)
        row += round(1.1 * large) + small // 2
        for paragraph in paragraphs:
            lines = list(letters.wrapped(letters.drawable(paragraph), small, room))
            if row + 1.5 * small * len(lines) > stage.whole - small:
                break
            for line in lines:
                letters.draw(card, line, small, (left, row), _SOFT)
                row += round(1.5 * small)
            row += small // 2
        return card

    def between(self, text: str, severity: Severity) -> Picture:
        """The card before a clip: a few words in the middle; shape (whole, width, 3)."""
        stage, letters = self._stage, self._lettering
        card = self._empty()
        words = letters.drawable(text)
        size = letters.fitted_px(words, stage.whole // 16, stage.width * 0.86)
        left = round((stage.width - letters.width_px(words, size)) / 2)
        letters.draw(card, words, size, (left, stage.whole // 2), _COLOURS[severity])
        return card

    def _empty(self) -> Picture:
        return np.full((self._stage.whole, self._stage.width, 3), NIGHT[::-1], dtype=np.uint8)

    def _drawn_bar(self, text: str, severity: Severity) -> Picture:
        stage, letters = self._stage, self._lettering
        bar: Picture = np.full((stage.bar, stage.width, 3), NIGHT[::-1], dtype=np.uint8)
        stripe = round(stage.bar * _STRIPE)
        bar[:, :stripe] = _COLOURS[severity][::-1]
        words = letters.drawable(text)
        left = 2 * stripe
        size = letters.fitted_px(words, round(stage.bar * 0.5), stage.width - left - stripe)
        letters.draw(bar, words, size, (left, stage.bar // 2), WHITE)
        return bar
