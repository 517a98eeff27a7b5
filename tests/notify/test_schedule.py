"""Attempts come quickly in the first minute, then ever more rarely, and end after some three days."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.notify.schedule import DELAYS_S, LONGEST_RETRY_AFTER_S, next_delay_s, retry_after_s
from tests.store.values import NOON


def test_the_waits_are_the_documented_ones() -> None:
    """Without jitter, attempt by attempt; the first is at once and the last after a day."""
    waits = [next_delay_s(attempts, chance=0.0) for attempts in range(1, len(DELAYS_S) + 1)]
    hour = 3600.0
    assert DELAYS_S[0] == 0.0
    assert waits == [
        *(2, 5, 15, 30, 60, 300, 1800),
        *(2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour),
        None,
    ]


@settings(deadline=None)
@given(
    attempts=st.integers(1, 30),
    chance=st.floats(0, 1),
    asked_s=st.none() | st.floats(0, 1e9),
)
def test_a_wait_is_never_shorter_than_planned_or_asked(
    attempts: int, chance: float, asked_s: float | None
) -> None:
    """Jitter only adds, a tenth at most; a receiver may ask for a day at most."""
    wait_s = next_delay_s(attempts, chance, asked_s)
    if attempts >= len(DELAYS_S):
        assert wait_s is None
        return
    least_s = max(DELAYS_S[attempts], min(asked_s or 0.0, LONGEST_RETRY_AFTER_S))
    assert wait_s is not None
    assert least_s <= wait_s <= least_s * 1.1 + 1e-6


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 0 ", 0.0, id="at-once"),
        pytest.param("Sun, 01 Mar 2026 12:00:30 GMT", 30.0, id="date"),
        pytest.param("Sun, 01 Mar 2026 12:00:30 -0000", 30.0, id="date-without-zone"),
        pytest.param("Sun, 01 Mar 2026 11:00:00 GMT", 0.0, id="date-gone-by"),
        pytest.param("-5", None, id="negative"),
        pytest.param("soon", None, id="word"),
        pytest.param("1e9", None, id="float"),
        pytest.param("", None, id="empty"),
        pytest.param("9" * 4000, 999999999999.0, id="endless-digits"),
        pytest.param("٣", None, id="digits-of-another-script"),
    ],
)
def test_retry_after_is_read_kindly(header: str | None, seconds: float | None) -> None:
    """Seconds or a date; nonsense counts as nothing said."""
    assert retry_after_s(header, NOON) == seconds


@settings(deadline=None)
@given(header=st.text(max_size=60))
def test_no_header_can_break_the_schedule(header: str) -> None:
    """Whatever a receiver says, it is a number of seconds or nothing."""
    seconds = retry_after_s(header, NOON)
    assert seconds is None or seconds >= 0


@settings(deadline=None)
@given(seconds=st.integers(0, 10**6))
def test_a_date_and_its_seconds_mean_the_same(seconds: int) -> None:
    """Both forms of the header agree."""
    at = NOON + dt.timedelta(seconds=seconds)
    assert retry_after_s(at.strftime("%a, %d %b %Y %H:%M:%S GMT"), NOON) == seconds
