"""Times are found however they are written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.answers.times import Window, find

_EVER = math.inf


@pytest.mark.parametrize(
    ("text", "window"),
    [
        pytest.param("after 30 s", Window(30, _EVER), id="after"),
        pytest.param("what happened after 1 minute 20 seconds?", Window(80, _EVER), id="minutes-and-seconds"),
        pytest.param("after 1.5 minutes", Window(90, _EVER), id="part-of-a-minute"),
        pytest.param("since 90s", Window(90, _EVER), id="since"),
        pytest.param("before 31.5 sec", Window(0, 31.5), id="before"),
        pytest.param("until 01:30", Window(0, 90), id="minutes-with-colon"),
        pytest.param("between 10 s and 20 s", Window(10, 20), id="between"),
        pytest.param("between 10 and 20 seconds", Window(10, 20), id="borrowed-unit"),
        pytest.param("from 10 to 20 s", Window(10, 20), id="from-to"),
        pytest.param("10-20 s", Window(10, 20), id="hyphen"),
        pytest.param("20 s to 10 s", Window(10, 20), id="the-wrong-way-round"),
        pytest.param("between 00:00:28 and 00:00:35", Window(28, 35, is_clock=True), id="clock"),
        pytest.param("at 31 seconds", Window(30, 32, at=True), id="at"),
        pytest.param("around 14:05:09", Window(50708, 50710, is_clock=True, at=True), id="clock-moment"),
        pytest.param("in the first 10 seconds", Window(0, 10), id="first-seconds"),
        pytest.param("in the first minute", Window(0, 60), id="first-minute"),
        pytest.param("in the last 10 s", Window(50, _EVER), id="last-seconds"),
        pytest.param("during the last minute", Window(0, _EVER), id="last-minute"),
        pytest.param("30초 이후에 뭐가 있었나요?", Window(30, _EVER), id="ko-after"),
        pytest.param("1분 20초 전에", Window(0, 80), id="ko-before"),
        pytest.param("10초부터 20초까지", Window(10, 20), id="ko-from-to"),
        pytest.param("10초에서 20초 사이", Window(10, 20), id="ko-between"),
        pytest.param("10~20초", Window(10, 20), id="ko-tilde"),
        pytest.param("31초에 무슨 일이?", Window(30, 32, at=True), id="ko-at"),
        pytest.param("처음 30초 동안", Window(0, 30), id="ko-first"),
        pytest.param("마지막 10초", Window(50, _EVER), id="ko-last"),
        pytest.param("14시 5분 9초 이후", Window(50709, _EVER, is_clock=True), id="ko-clock"),
        pytest.param("14시 이후", Window(50400, _EVER, is_clock=True), id="ko-hour"),
        pytest.param("2시간 이후", Window(0, 0), id="hours-alone-name-no-moment"),
    ],
)
def test_a_window_is_found(text: str, window: Window) -> None:
    """In English and Korean, in seconds, minutes and clock text."""
    found, rest = find(text, 60.0)
    if window == Window(0, 0):
        assert found is None
        return
    assert found == window
    assert not any(char.isdigit() for char in rest)


@pytest.mark.parametrize(
    "text", ["objects 1 and 4", "how many collisions?", "3번과 4번", "몇 번 부딪혔나요?", "", "top 3"]
)
def test_where_no_time_is_named_none_is_found(text: str) -> None:
    """And the question stays whole."""
    assert find(text, 60.0) == (None, text)


def test_the_rest_of_the_question_is_kept() -> None:
    """Objects beside the time are not lost."""
    _, rest = find("Did object 3 hit 4 after 30 s?", 60.0)
    assert "object 3 hit 4" in rest
    _, rest = find("30초 이후 1번과 4번이 부딪혔나?", 60.0)
    assert "1번과 4번" in rest


def test_without_a_known_length_the_last_seconds_are_all() -> None:
    """Better too much than nothing."""
    assert find("in the last 10 s", None)[0] == Window(0, _EVER)


@settings(deadline=None)
@given(start=st.integers(0, 3599), length=st.integers(1, 3600))
def test_every_way_to_write_a_span_means_the_same(start: int, length: int) -> None:
    """Seconds, minutes with a colon, and clock text."""
    end = start + length

    def colon(seconds: int) -> str:
        return f"{seconds // 60:02d}:{seconds % 60:02d}"

    def clock(seconds: int) -> str:
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    assert find(f"between {start} s and {end} s", None)[0] == Window(start, end)
    assert find(f"{start}초에서 {end}초 사이", None)[0] == Window(start, end)
    assert find(f"from {colon(start)} to {colon(end)}", None)[0] == Window(start, end)
    assert find(f"between {clock(start)} and {clock(end)}", None)[0] == Window(start, end, is_clock=True)


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    """Whatever is asked."""
    find(text, 60.0)


def test_a_window_is_met_in_part_or_at_a_point() -> None:
    """Half-open at its end."""
    window = Window(10, 20)
    assert window.meets(5, 11)
    assert window.meets(19.9, 30)
    assert window.meets(10, 10)
    assert not window.meets(5, 10)
    assert not window.meets(20, 30)
