"""When each frame was: every way a request can tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_server.reference import timeline
from vlm_server.reference.errors import RequestRefused

SECONDS = st.floats(0, 10_000).map(lambda s: round(s, 2))


@given(SECONDS)
def test_a_stamp_is_read_back_as_it_was_written(at_s: float) -> None:
    """`<T seconds>` carries any time with two decimals."""
    assert timeline.stamp_s(f"Frame <{at_s:.2f} seconds>") == at_s


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("no time here", None, id="none"),
        pytest.param("<1.0 seconds> <2.5 seconds>", 2.5, id="the-nearest-wins"),
        pytest.param("<1 second>", 1.0, id="singular"),
        pytest.param("< -0.5 seconds >", -0.5, id="spaces-and-sign"),
        pytest.param("3 seconds", None, id="brackets-are-needed"),
    ],
)
def test_a_stamp_is_found_only_in_its_form(text: str, seen: float | None) -> None:
    """Prose about seconds is not a time."""
    assert timeline.stamp_s(text) == seen


@given(st.lists(SECONDS, min_size=1, max_size=40))
def test_a_line_of_times_is_read_back(times: list[float]) -> None:
    """`Frame times in seconds:` carries all times of a request."""
    line = (
        "Look closely.\nFrame times in seconds: " + ", ".join(f"{t:.2f}" for t in times) + "\nAnswer in JSON."
    )
    assert timeline.listed_s(["first", line]) == times


def test_the_last_line_of_times_counts() -> None:
    """An example in the instructions does not hide the real times."""
    texts = ["e.g. frame times in seconds: 0.0, 1.0", "Frame times in seconds: 4.0, 4.5, 5.0"]
    assert timeline.listed_s(texts) == [4.0, 4.5, 5.0]
    assert timeline.listed_s(["nothing"]) is None


@pytest.mark.parametrize(
    ("fps", "indices", "times"),
    [
        pytest.param(None, None, [0.0, 1.0, 2.0, 3.0], id="one-a-second-as-vllm-assumes"),
        pytest.param(4.0, None, [0.0, 0.25, 0.5, 0.75], id="number-over-fps"),
        pytest.param(30.0, [0, 15, 30, 45], [0.0, 0.5, 1.0, 1.5], id="index-over-fps"),
    ],
)
def test_a_frame_list_follows_its_kwargs(
    fps: float | None, indices: list[int] | None, times: list[float]
) -> None:
    """`media_io_kwargs` set the timeline as vLLM does."""
    assert timeline.frame_list_s(4, fps, indices) == times


def test_an_index_list_of_another_length_is_refused() -> None:
    """Guessing which frame is which would date events wrongly."""
    with pytest.raises(RequestRefused, match="3 entries for 4 frames"):
        timeline.frame_list_s(4, 30.0, [0, 1, 2])


@given(st.lists(st.one_of(st.none(), SECONDS), min_size=1, max_size=30))
def test_every_frame_gets_a_time_or_the_request_is_refused(told: list[float | None]) -> None:
    """Times never run backwards."""
    try:
        times = timeline.settled(told, None)
    except RequestRefused:
        known = [t for t in told if t is not None]
        assert known != sorted(known)
        return
    assert len(times) == len(told)
    assert times == sorted(times)


def test_listed_times_win_over_stamps_and_must_fit() -> None:
    """A line for all frames is the stronger statement."""
    assert timeline.settled([0.0, 1.0], [7.0, 7.1]) == [7.0, 7.1]
    with pytest.raises(RequestRefused, match="3 frame times are listed for 2 frames"):
        timeline.settled([0.0, 1.0], [7.0, 7.1, 7.2])
    with pytest.raises(RequestRefused, match="backwards"):
        timeline.settled([0.0, 1.0], [7.0, 6.0])


def test_untold_frames_are_one_second_apart() -> None:
    """The assumption of vLLM, for requests that say nothing."""
    assert timeline.settled([None, None, None], None) == [0.0, 1.0, 2.0]
    assert timeline.settled([None, 2.0, None], None) == [0.0, 2.0, 2.0]
