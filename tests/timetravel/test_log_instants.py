"""Timestamps by arithmetic: the strict reader's instants, or None."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadTrajectory
from extension.timetravel.log_instants import instants_us, local_us
from extension.timetravel.log_rows import instant_us
from extension.timetravel.trajectory import EPOCH, micros

ZONES = [dt.UTC, zoneinfo.ZoneInfo("Asia/Seoul"), zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("Australia/Lord_Howe")]  # fmt: skip


def letters(texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Texts of one length as rows of bytes."""
    return np.frombuffer("".join(texts).encode(), dtype=np.uint8).reshape(len(texts), len(texts[0]))


recent = st.datetimes().map(lambda at: at.replace(year=1973 + at.year % 100, day=min(at.day, 28)))


@given(st.lists(recent, min_size=1, max_size=10), st.sampled_from(ZONES), st.integers(0, 6))
def test_instants_are_those_of_the_strict_reader(
    moments: list[dt.datetime], tz: dt.tzinfo, decimals: int
) -> None:
    """With any number of decimals, in any zone, over changes of its offset."""
    cut = {0: 19}.get(decimals, 20 + decimals)
    texts = [f"{at:%Y-%m-%d %H:%M:%S.%f}"[:cut] for at in moments]
    found = instants_us(letters(texts), tz)
    assert found is not None
    assert found.tolist() == [instant_us(text, "", tz) for text in texts]


@given(st.text(alphabet="0123456789-:. T,", min_size=19, max_size=26))
def test_what_the_strict_reader_refuses_is_not_read(text: str) -> None:
    """Nothing slips through by arithmetic."""
    found = instants_us(letters([text]), dt.UTC)
    try:
        expected = instant_us(text, "", dt.UTC)
    except BadTrajectory:
        assert found is None
    else:
        assert found is None or found.tolist() == [expected]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2025-02-29 00:00:00", id="no-such-day"),
        pytest.param("2025-01-01 24:00:00", id="no-such-hour"),
        pytest.param("2025-01-01 00:60:00", id="no-such-minute"),
        pytest.param("2025-01-01 00:00:60", id="no-such-second"),
        pytest.param("1972-12-31 00:00:00", id="too-old-for-whole-minutes"),
        pytest.param("2025-01-01_00:00:00", id="another-joint"),
        pytest.param("2025-01-01 00:00:00.", id="a-point-and-nothing"),
        pytest.param("2025-01-01 00:00:00;5", id="another-point"),
        pytest.param("2025-01-01 00:00:00.1234567", id="seven-decimals"),
        pytest.param("2025-01-01 00:00:00Z", id="a-zone"),
        pytest.param("2025-01-0x 00:00:00", id="a-letter"),
        pytest.param("2025/01/01 00:00:00", id="slashes"),
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_reader(text: str) -> None:
    """One such text is enough."""
    good = "2025-01-01 00:00:00.0000000"[: len(text)]
    assert instants_us(letters([good, text]), dt.UTC) is None


def test_a_comma_and_a_t_are_as_good() -> None:
    """Mixed with the other ones."""
    found = instants_us(letters(["2025-01-01T00:00:00,5", "2025-01-01 00:00:01.5"]), dt.UTC)
    assert found is not None
    assert np.diff(found).tolist() == [1_000_000]


@given(st.lists(recent, min_size=1, max_size=10), st.sampled_from(ZONES))
def test_clock_readings_become_instants(moments: list[dt.datetime], tz: dt.tzinfo) -> None:
    """As Python's own rules of zones have it."""
    naive = np.array([micros(at.replace(tzinfo=dt.UTC)) for at in moments], dtype=np.int64)
    assert local_us(naive, tz).tolist() == [micros(at.replace(tzinfo=tz)) for at in moments]


def test_the_epoch_is_nought() -> None:
    """In Greenwich."""
    assert local_us(np.zeros(1, dtype=np.int64), dt.UTC).tolist() == [micros(EPOCH)] == [0]
