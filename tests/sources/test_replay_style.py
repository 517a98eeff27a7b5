"""Styles: what each level draws by itself, and what one may choose instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.replay.glyphs import even_width, stamp_evenly, stamp_text, width_per_height
from extension.sources.replay.style import (
    BLACK,
    OPENCV,
    PALETTE,
    PILLOW,
    WHITE,
    Clock,
    Corner,
    Encoder,
    Level,
    Style,
    bgr,
    clock_box_px,
    clock_strip_px,
    dealt,
    look,
    mixed,
)

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
Picture = npt.NDArray[np.uint8]


@pytest.mark.parametrize(
    ("level", "trail_s", "headings"),
    [(Level.FULL, 4.0, True), (Level.SIMPLIFIED, 0.0, True), (Level.ABSTRACT, 0.0, False)],
)
def test_each_level_has_its_own_trails_and_arrows(level: Level, trail_s: float, headings: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Unless somebody chooses."""
    style = look(level)
    assert (style.shown_trail_s, style.shows_headings) == (trail_s, headings)
    chosen = replace(style, trail_s=7.0, headings=not headings)
    assert (chosen.shown_trail_s, chosen.shows_headings) == (7.0, not headings)
    assert replace(style, trail_s=0.0).shown_trail_s == 0.0


def test_trails_grow_slower_than_the_speed() -> None:
    """Longer in the log, shorter in the video: fast replays are not all trails."""
    trails = [replace(look(Level.FULL), speed=speed).shown_trail_s for speed in (0.1, 1.0, 4.0, 100.0)]
    assert trails == pytest.approx([4.0, 4.0, 8.0, 40.0])


@pytest.mark.parametrize("level", list(Level))
def test_dark_and_light_are_dark_and_light(level: Level) -> None:
    """By their ground; discs stand out from either."""
    dark, light = look(level, dark=True), look(level)
    assert max(dark.background) < 60
    assert min(light.background) > 200
    for style in (dark, light):
        for disc in style.discs:
            assert np.linalg.norm(np.subtract(disc, style.background)) > 90


def test_a_level_can_be_named() -> None:
    """As on the command line."""
    assert [level.value for level in Level] == ["full", "simplified", "abstract"]
    assert next(encoder.value for encoder in Encoder) == "libx264"


@given(one=COLOURS, other=COLOURS, share=st.floats(0, 1))
def test_a_mixture_lies_between_its_colours(
    one: tuple[int, int, int], other: tuple[int, int, int], share: float
) -> None:
    """And is either at the ends."""
    for a, m, b in zip(one, mixed(one, other, share), other, strict=True):
        assert min(a, b) <= m <= max(a, b)
    assert mixed(one, other, 0.0) == one
    assert mixed(one, other, 1.0) == other


def test_colours_are_dealt_in_turn() -> None:
    """Beginning again when they run out."""
    dealt_out = dealt(PALETTE, [f"obj{n:03d}" for n in range(1, 15)])
    assert dealt_out[:12] == list(PALETTE)
    assert dealt_out[12:] == list(PALETTE[:2])
    assert bgr((1, 2, 3)) == (3, 2, 1)


@pytest.mark.parametrize("corner", list(Corner))
def test_the_clocks_strip_is_on_its_side(corner: Corner) -> None:
    """As high as its box; none without a clock."""
    style = Style(clock=Clock(corner=corner))
    strips = clock_strip_px(style)
    assert max(strips) == clock_box_px(style.clock or Clock(), style.height) > 30
    assert (strips[0] > 0) == corner.is_top
    assert clock_strip_px(replace(style, clock=None)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("clock", "count"),
    [(Clock(), 8), (Clock(millis=True), 12), (Clock(date=True), 19), (Clock(date=True, millis=True), 23)],
)
def test_a_clock_knows_how_much_it_shows(clock: Clock, count: int) -> None:
    """In characters."""
    assert clock.characters == count


def ink(picture: Picture) -> npt.NDArray[np.bool_]:
    """Where anything was written."""
    return (picture[:, :, 0] < 128).astype(bool)


def written(text: str, font: str, *, evenly: bool) -> npt.NDArray[np.bool_]:
    """Black on white, in the middle of a wide picture."""
    picture = np.full((60, 400, 3), 255, dtype=np.uint8)
    stamp = stamp_evenly if evenly else stamp_text
    stamp(picture, text, font, 20.0, (200.0, 30.0), BLACK)
    return ink(picture)


@pytest.mark.parametrize("font", [PILLOW, OPENCV])
def test_even_text_keeps_every_character_in_its_place(font: str) -> None:
    """Whatever stands beside it: narrow ones do not pull the others together."""
    whole = written("11:11:11", font, evenly=True)
    other = written("11:18:88", font, evenly=True)
    assert np.array_equal(whole[:, :200], other[:, :200])
    assert not np.array_equal(whole[:, 200:], other[:, 200:])
    assert written("11:11:11", font, evenly=False).any()


@pytest.mark.parametrize("font", [PILLOW, OPENCV])
def test_even_text_fits_the_width_that_it_states(font: str) -> None:
    """So that the box around it does."""
    for text in ("00:00:00", "2025-01-01 00:00:00", "23:59:59.888"):
        columns = np.flatnonzero(written(text, font, evenly=True).any(axis=0))
        assert np.ptp(columns) <= even_width(len(text), font) * 20.0
        assert (columns.min() + columns.max()) / 2 == pytest.approx(200, abs=6)


@pytest.mark.parametrize("font", [PILLOW, OPENCV])
def test_full_stops_stand_on_the_line_and_dashes_in_the_middle(font: str) -> None:
    """Beside a digit, where readers expect them."""
    digit, stop, dash = (
        np.flatnonzero(written(text, font, evenly=True).any(axis=1)) for text in ("0", ".", "-")
    )
    assert stop.mean() > digit.mean() + 0.3 * np.ptp(digit)
    assert stop.max() <= digit.max() + 2
    assert abs(dash.mean() - digit.mean()) < 0.25 * np.ptp(digit)


def test_wide_texts_are_wider() -> None:
    """In heights of a nought."""
    assert width_per_height("88", PILLOW) > 1.8 * width_per_height("8", PILLOW)
    assert Style(number_colour=WHITE).number_colour == WHITE
