"""What frames cost, and which stay when they cost too much."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunk_caption import budget

SIZES = st.tuples(st.integers(16, 4096), st.integers(16, 4096))

# Tokens that a real vLLM 0.32 counted for the media of a request with Qwen3-VL, its time marks included:
# frames, size, as pictures, as a frame list (one frame a second), as an mp4 labelled two frames a second.
MEASURED = [
    (20, (532, 280), 3100, 1617, 1612),
    (8, (480, 270), 976, 514, 514),
    (16, (480, 270), 1952, 1029, 1026),
    (40, (480, 270), 4880, 2577, 2572),
    (8, (640, 360), 1776, 914, 914),
    (16, (640, 360), 3552, 1829, 1826),
    (40, (640, 360), 8917 - 37, 4577, 4572),
    (8, (720, 480), 2656, 1354, 1354),
    (16, (720, 480), 5312, 2709, 2706),
    (40, (720, 480), 13317 - 37, 6777, 6772),
    (8, (1280, 720), 7056, 3554, 3554),
    (16, (1280, 720), 14149 - 37, 7109, 7106),
    (40, (1280, 720), 35317 - 37, 12094 - 37, 12089 - 37),
]
IDS = [f"{count}x{size[0]}x{size[1]}" for count, size, *_ in MEASURED]


@pytest.mark.parametrize(("count", "size", "pictures", "listed", "file"), MEASURED, ids=IDS)
def test_the_formula_is_what_a_server_counted(
    count: int, size: tuple[int, int], pictures: int, listed: int, file: int
) -> None:
    """To the token, on every size that was measured."""
    assert count * budget.image_tokens(size) == pictures
    assert budget.video_tokens(size, [float(i) for i in range(count)]) == listed
    assert budget.video_tokens(size, [i / 2 for i in range(count)]) == file


@pytest.mark.parametrize(("count", "size", "pictures", "listed", "file"), MEASURED, ids=IDS)
def test_a_video_costs_about_half_of_its_pictures(
    count: int, size: tuple[int, int], pictures: int, listed: int, file: int
) -> None:
    """At most 0.55 of it at equal frames and size, which is what packing is for."""
    assert count
    assert size
    assert max(listed, file) <= 0.55 * pictures


@pytest.mark.parametrize(
    ("frames", "marks"),
    [
        ([0.0, 1.0, 2.0, 3.0], [0.5, 2.5]),
        ([0.0, 1.0, 2.0], [0.5, 2.0]),
        ([0.0], [0.0]),
        ([], []),
    ],
)
def test_a_mark_is_the_mean_of_its_pair(frames: list[float], marks: list[float]) -> None:
    """An odd last frame stands twice, as a real server showed."""
    assert budget.pair_marks_s(frames) == marks


def test_marks_from_ten_seconds_on_cost_one_more() -> None:
    """Each digit is a token."""
    assert (budget.mark_tokens("9.5"), budget.mark_tokens("10.5"), budget.mark_tokens("12.34")) == (6, 7, 8)


@given(SIZES)
def test_a_picture_stays_between_the_limits_of_the_model(size: tuple[int, int]) -> None:
    """64 to 16384 cells, whatever its size."""
    assert 64 + 2 <= budget.image_tokens(size) <= 16384 + 2 + 64


@given(SIZES, st.integers(2, 256))
def test_a_video_stays_below_its_pixel_limit(size: tuple[int, int], count: int) -> None:
    """Beyond 25 million pixels together the server shrinks every frame."""
    cost = budget.video_tokens(size, [float(i) for i in range(count)])
    assert cost <= 25_165_824 / 1024 / 2 + 256 * 70


@given(SIZES, st.integers(2, 255))
def test_another_frame_never_costs_less_below_the_limit(size: tuple[int, int], count: int) -> None:
    """So that leaving frames out helps."""
    if size[0] * size[1] * (count + 3) < 20_000_000 and size[0] * size[1] > 4096:
        fewer, more = (budget.video_tokens(size, [float(i) for i in range(n)]) for n in (count, count + 1))
        assert fewer <= more


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


def test_korean_counts_by_its_bytes() -> None:
    """Three bytes a syllable are a token each; characters would underestimate."""
    assert budget.text_tokens("사고가 났다") >= 6
