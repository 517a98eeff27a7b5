"""What a request costs, and which frames stay when it costs too much."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunk_caption import budget

SIZES = st.tuples(st.integers(16, 4096), st.integers(16, 4096))

# Tokens that a real vLLM counted for the media of a request with Qwen3-VL, timestamps included.
MEASURED = [
    ("video_jpeg", 20, (532, 280), 1617),
    ("video_jpeg", 16, (640, 360), 1829),
    ("video_jpeg", 40, (720, 480), 6777),
    ("images", 20, (532, 280), 3100),
    ("images", 8, (640, 360), 1776),
    ("images", 16, (720, 480), 5312),
]


@pytest.mark.parametrize(("packing", "count", "size", "measured"), MEASURED)
def test_the_estimate_is_never_below_what_a_server_counted(
    packing: str, count: int, size: tuple[int, int], measured: int
) -> None:
    """It allows for the times in the text besides, at most 20 tokens a frame."""
    estimate = budget.media_tokens(packing, count, *size)
    assert measured <= estimate <= measured + 20 * count + 40


@given(st.sampled_from(["images", "video_jpeg"]), st.integers(1, 256), SIZES, st.integers(0, 40_000))
def test_as_many_frames_as_fit_are_kept(packing: str, count: int, size: tuple[int, int], room: int) -> None:
    """What is kept fits, unless it is the last frame; one more would not."""
    kept = budget.frames_that_fit(packing, count, size, room)
    assert 1 <= kept <= count
    assert kept == 1 or budget.media_tokens(packing, kept, *size) <= room
    if kept < count:
        assert budget.media_tokens(packing, kept + 1, *size) > room


@given(st.integers(1, 300), st.integers(1, 300))
def test_thinning_is_even_and_keeps_both_ends(have: int, want: int) -> None:
    """Order is kept, nothing comes twice, and gaps differ by at most one."""
    kept = budget.thinned(range(have), want)
    assert len(kept) == min(have, want)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    if min(have, want) > 1:
        assert kept[-1] == have - 1
        gaps = [later - earlier for earlier, later in itertools.pairwise(kept)]
        assert max(gaps) - min(gaps) <= 1


def test_room_is_what_text_and_answer_leave() -> None:
    """The answer's tokens and both texts come off; a limit that is too small leaves nothing."""
    assert budget.room_tokens(8192, 1024, ["x" * 300, ""]) == 8192 - 1024 - 100 - 64
    assert budget.room_tokens(512, 1024, ["x"]) == 0


def test_korean_counts_by_its_bytes() -> None:
    """Three bytes a syllable are a token each; characters would underestimate."""
    assert budget.text_tokens("사고가 났다") >= 6


def test_a_video_at_its_pixel_limit_grows_no_further_per_pair() -> None:
    """Beyond 25 million pixels together the server shrinks every frame."""
    huge = budget.media_tokens("video_jpeg", 256, 4096, 2304)
    assert huge < 25_165_824 / 1024 / 2 + 256 * 30
    assert budget.media_tokens("video_jpeg", 0, 64, 64) == 0
