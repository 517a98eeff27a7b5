"""Text in pictures: what a font cannot draw is never drawn as an empty box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Severity
from extension.playback.cards import Cards, Stage
from extension.playback.lettering import FONTS, Lettering

HANGUL = next((path for path in FONTS if Path(path).is_file()), None)
PLAIN = Lettering(())
"""Pillow's own font: Latin letters only."""

needs_hangul = pytest.mark.skipif(HANGUL is None, reason="no font with Hangul here")


def test_without_a_font_file_latin_letters_can_be_written() -> None:
    """On a bare machine there are still captions."""
    assert PLAIN.can("2/7 · 00:00:28 · 1 and 4 · 73 cm")
    assert not PLAIN.can("가")
    assert Lettering(("/no/such/font.ttf",)).can("abc")


def test_what_a_font_has_not_becomes_a_question_mark() -> None:
    """A box would look like a letter that one cannot read."""
    assert PLAIN.drawable("작업자 and 4") == "??? and 4"
    assert PLAIN.drawable("a\nb\tc") == "a b c"


@needs_hangul
def test_hangul_is_written_where_the_machine_can() -> None:
    """Every syllable, and what no font has is a question mark still."""
    letters = Lettering()
    assert letters.can("충돌 9건을 찾았습니다")
    assert letters.drawable("1번과 \U0010fffd") == "1번과 ?"


def test_a_text_that_is_too_wide_is_made_smaller() -> None:
    """But never too small to read."""
    words = "2/7 · 00:00:28 · 1 and 4 · 73 cm"
    assert PLAIN.fitted_px(words, 20, 1000) == 20
    size = PLAIN.fitted_px(words, 40, 300)
    assert 11 <= size < 40
    assert PLAIN.width_px(words, size) <= 300
    assert PLAIN.fitted_px("x" * 500, 20, 100) == 11


@given(st.text("abc xyz", max_size=80), st.integers(40, 300))
def test_lines_fit_and_lose_nothing(text: str, room: int) -> None:
    """Broken at spaces, within a word only when it is longer than a line."""
    lines = list(PLAIN.wrapped(text, 14, room))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(PLAIN.width_px(line, 14) <= room for line in lines)


def test_text_is_drawn_in_its_colour_where_it_belongs() -> None:
    """Red, green, blue, in a picture that is blue, green, red; on one line around the height asked for."""
    picture = np.zeros((60, 200, 3), dtype=np.uint8)
    PLAIN.draw(picture, "HHH", 24, (20, 30), (255, 10, 0))
    rows, columns, _ = np.nonzero(picture)
    assert 18 <= columns.min() <= 24
    assert 20 <= rows.min() < 30 < rows.max() <= 42
    assert picture[..., 2].max() > 240
    assert picture[..., 0].max() == 0


STAGE = Stage(640, 360)


def cards(letters: Lettering = PLAIN) -> Cards:
    """Cards for a small stage."""
    return Cards(STAGE, letters)


def test_the_caption_bar_covers_nothing_of_the_picture() -> None:
    """It stands below it, and all sizes are even, as H.264 wants them."""
    picture = np.full((360, 640, 3), 77, dtype=np.uint8)
    framed = cards().captioned(picture, "1/3 · 1 and 2", Severity.DANGER)
    assert framed.shape == (STAGE.whole, 640, 3)
    assert (framed[:360] == 77).all()
    assert STAGE.whole % 2 == STAGE.bar % 2 == 0
    assert framed[360:].max() > 200


@pytest.mark.parametrize("width", [320, 720, 1920])
def test_bars_are_even_at_every_size(width: int) -> None:
    """And high enough to read."""
    stage = Stage(width, width // 16 * 8)
    assert stage.bar % 2 == 0
    assert stage.bar >= 28


def test_a_severity_can_be_told_by_its_colour() -> None:
    """Four stripes, four colours."""
    picture = np.zeros((360, 640, 3), dtype=np.uint8)
    stripes = {tuple(cards().captioned(picture, "x", severity)[380, 3].tolist()) for severity in Severity}
    assert len(stripes) == 4


def test_the_same_caption_is_drawn_once() -> None:
    """Thousands of frames share it; and another is another."""
    desk = cards()
    picture = np.zeros((360, 640, 3), dtype=np.uint8)
    one = desk.captioned(picture, "a", Severity.WARN)
    again = desk.captioned(picture, "a", Severity.WARN)
    other = desk.captioned(picture, "b", Severity.WARN)
    assert (one == again).all()
    assert (one != other).any()


def test_a_card_with_too_much_to_say_ends_with_a_whole_paragraph() -> None:
    """Nothing runs over the edge."""
    card = cards().title("Summary", [f"{n}: {'word ' * 40}" for n in range(30)])
    assert card.shape == (STAGE.whole, 640, 3)
    edge = card[-10:]
    assert (edge == edge[0, 0]).all()
    assert card.max() > 200


def test_a_long_heading_fits() -> None:
    """A file name may be very long."""
    card = cards().title("Summary of " + "very-long-name" * 5, [])
    right = card[:, -20:]
    assert (right == right[0, 0]).all()


def test_the_card_between_clips_has_its_words_in_the_middle() -> None:
    """In the colour of the severity."""
    card = cards().between("2/7", Severity.EXTREME)
    background = card[0, 0]
    rows, columns = np.nonzero((card != background).any(axis=2))
    assert abs(columns.mean() - 320) < 20
    assert abs(rows.mean() - STAGE.whole / 2) < 20
