"""How instants are written on the command line: seconds, or the wall clock with or without a zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from extension.command.backtest_options import instant, moment, on
from extension.errors import BadInput

SEOUL = ZoneInfo("Asia/Seoul")
START = dt.datetime(2026, 5, 4, 1, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        pytest.param("2026-05-04T10:00:00Z", 10, id="utc"),
        pytest.param("2026-05-04T10:00", 1, id="in-the-services-zone"),
        pytest.param("2026-05-04 10:00:00", 1, id="with-a-blank"),
        pytest.param("2026-05-04T10:00:00+02:00", 8, id="with-an-offset"),
        pytest.param(" 2026-05-04T10:00Z ", 10, id="with-blanks-around"),
    ],
)
def test_an_instant_is_read(text: str, hour: int) -> None:
    """Always in UTC afterwards."""
    assert moment(text, SEOUL) == dt.datetime(2026, 5, 4, hour, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "noon", "2026-13-04T10:00", "10:00", "1e99x"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    """With an example of one."""
    with pytest.raises(BadInput, match="no instant such as 2026-05-04T10:00:00"):
        moment(text, SEOUL)


def test_an_instant_outside_of_the_calendar_is_refused() -> None:
    """It cannot be brought to UTC."""
    with pytest.raises(BadInput, match="outside of the calendar"):
        moment("0001-01-01T00:00:00", SEOUL)


@pytest.mark.parametrize(("text", "media_s"), [("12.5", 12.5), ("0", 0.0), ("-3", -3.0)])
def test_seconds_need_no_clock(text: str, media_s: float) -> None:
    """They count from the source's first frame."""
    assert instant(text, None, SEOUL) == media_s


def test_an_instant_is_counted_from_the_beginning() -> None:
    """Where the clock there is known."""
    assert instant("2026-05-04T10:00:30", START, SEOUL) == 30.0


def test_without_a_clock_seconds_are_asked_for() -> None:
    """Instead of a guess."""
    with pytest.raises(BadInput, match="write seconds"):
        instant("2026-05-04T10:00:30", None, SEOUL)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_seconds_are_numbers(text: str) -> None:
    """Not these."""
    with pytest.raises(BadInput, match="no number of seconds"):
        instant(text, START, SEOUL)


def test_a_switch_is_on_off_or_not_said() -> None:
    """Three words, three values."""
    assert (on("on"), on("off"), on(None)) == (True, False, None)
