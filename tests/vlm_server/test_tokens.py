"""Token counts against figures measured on vLLM 0.32 with Qwen3-VL's processor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_server.reference import tokens


@pytest.mark.parametrize(
    ("frames", "width", "height", "counted"),
    [
        (20, 532, 280, 3100),
        (8, 480, 270, 976),
        (16, 640, 360, 3552),
        (40, 720, 480, 13280),
        (8, 1280, 720, 7056),
    ],
)
def test_pictures_cost_what_vllm_counts(frames: int, width: int, height: int, counted: int) -> None:
    """Each picture is its cells and two markers."""
    assert frames * tokens.image_tokens(width, height) == counted


@pytest.mark.parametrize(
    ("frames", "width", "height", "counted"),
    [
        (20, 532, 280, 1617),
        (16, 480, 270, 1029),
        (40, 480, 270, 2577),
        (8, 1280, 720, 3554),
        (40, 1280, 720, 12094),
    ],
)
def test_frame_lists_cost_what_vllm_counts(frames: int, width: int, height: int, counted: int) -> None:
    """Frames count in pairs, each with its time; the limit over the whole video shrinks large ones."""
    times = [float(i) for i in range(frames)]
    assert tokens.video_tokens(width, height, times) == pytest.approx(counted, rel=0.005)


def test_small_and_large_pictures_are_scaled_to_the_limits() -> None:
    """At least 64, at most 16384 cells."""
    assert tokens.image_tokens(16, 16) == 66
    assert tokens.image_tokens(8000, 8000) == 16386
    assert tokens.video_tokens(640, 360, []) == 0


@given(st.text(max_size=200), st.integers(1, 60))
def test_clipping_keeps_a_beginning_within_the_limit(text: str, limit: int) -> None:
    """A clipped text is a prefix, never longer than allowed, never broken inside a character."""
    kept, cut = tokens.clip_text(text, limit)
    assert text.startswith(kept)
    assert tokens.text_tokens(kept) <= limit
    assert cut == (kept != text)


def test_no_limit_clips_nothing() -> None:
    """A request without max_tokens gets the whole answer."""
    assert tokens.clip_text("x" * 10_000, None) == ("x" * 10_000, False)
