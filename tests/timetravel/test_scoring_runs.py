"""Clock texts become log seconds, seconds become contacts, and echoes become one report."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.evaluation import Occurrence, evaluate
from extension.timetravel.scoring_runs import LogClock, Truth, from_seconds, merged

MIDNIGHT = LogClock(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
EVENING = LogClock(dt.datetime(2025, 1, 1, 23, 59, 50, 500_000, tzinfo=dt.UTC))


@pytest.mark.parametrize(
    ("clock", "text", "second"),
    [
        pytest.param(MIDNIGHT, "00:00:28", 28, id="from-midnight"),
        pytest.param(MIDNIGHT, "1:02:03", 3723, id="one-digit-hour"),
        pytest.param(MIDNIGHT, "00:00:28.400", 28, id="fractions-are-cut"),
        pytest.param(EVENING, "23:59:58", 8, id="since-the-start"),
        pytest.param(EVENING, "00:00:05", 15, id="over-midnight"),
        pytest.param(EVENING, "23:59:45", -5, id="a-little-before-the-start"),
        pytest.param(MIDNIGHT, "24:00:00", None, id="no-such-hour"),
        pytest.param(MIDNIGHT, "00:61:00", None, id="no-such-minute"),
        pytest.param(MIDNIGHT, "00:00:99", None, id="no-such-second"),
        pytest.param(MIDNIGHT, "28 s", None, id="no-clock"),
        pytest.param(MIDNIGHT, "", None, id="nothing"),
    ],
)
def test_what_a_clock_shows(clock: LogClock, text: str, second: int | None) -> None:
    """As the whole second since the one in which the log begins."""
    assert clock.second_of(text) == second


def test_a_log_of_days_needs_to_know_where_it_is() -> None:
    """The same text, a day apart."""
    assert MIDNIGHT.second_of("00:00:10", near_s=86_405.0) == 86_410
    assert MIDNIGHT.second_of("23:59:59", near_s=86_405.0) == 86_399


def test_the_clock_shows_its_own_zone() -> None:
    """Nine in Seoul is midnight in Greenwich."""
    clock = LogClock(dt.datetime(2025, 1, 1, tzinfo=dt.UTC), ZoneInfo("Asia/Seoul"))
    assert clock.second_of("09:00:07") == 7
    assert clock.seconds_to(dt.datetime.fromisoformat("2025-01-01 09:00:07")) == 7.0
    assert clock.seconds_to(dt.datetime(2025, 1, 1, 0, 0, 7, tzinfo=dt.UTC)) == 7.0


def test_a_clock_second_is_the_whole_of_it() -> None:
    """A contact at 28.4 s is at 00:00:28, without any tolerance; one at 29.0 s is not."""
    report = [MIDNIGHT.during(28, ("1", "4"))]
    assert evaluate(report, [Occurrence(28.4, 28.8, ("1", "4"))], 0.0).att.matched == 1
    assert evaluate(report, [Occurrence(29.0, 29.2, ("1", "4"))], 0.0).att.matched == 0
    assert evaluate(report, [Occurrence(29.9, 29.9, ("1", "4"))], 1.0).att.matched == 1
    assert evaluate(report, [Occurrence(30.0, 30.2, ("1", "4"))], 1.0).att.matched == 0


def test_a_log_that_begins_within_a_second() -> None:
    """Half a second into 23:59:50: what the clock shows as 23:59:51 begins half a second later."""
    assert EVENING.during(1, ("1", "2")).start_s == 0.5


def test_neighbouring_seconds_are_one_contact() -> None:
    """Another pair, or a second between, is another contact."""
    seconds = [(39, ("1", "4")), (40, ("4", "1")), (42, ("1", "4")), (41, ("1", "3"))]
    assert [(round(o.start_s), round(o.end_s), o.objects) for o in from_seconds(seconds, MIDNIGHT)] == [
        (39, 41, ("1", "4")),
        (41, 42, ("1", "3")),
        (42, 43, ("1", "4")),
    ]


def test_echoes_are_one_report() -> None:
    """Nine times the same, and on both sides of a border."""
    echo = [Occurrence(5.8, 6.0, ("1", "2"))] * 9 + [Occurrence(6.2, 6.4, ("2", "1"))]
    assert merged(echo) == (Occurrence(5.8, 6.4, ("1", "2")),)
    assert len(merged([Occurrence(5.8, 6.0, ("1", "2")), Occurrence(6.6, 6.7, ("1", "2"))])) == 2


def test_merging_takes_groups_apart() -> None:
    """A group of three that becomes a pair goes on as that pair."""
    found = merged([Occurrence(1, 2, ("1", "2", "3")), Occurrence(2, 3, ("1", "2"))])
    assert [(o.end_s, o.objects) for o in found] == [(2, ("1", "3")), (2, ("2", "3")), (3, ("1", "2"))]


spans = st.lists(
    st.builds(
        lambda start, length, pair: Occurrence(start / 4, (start + length) / 4, pair),
        st.integers(0, 60),
        st.integers(0, 8),
        st.sampled_from([("1", "2"), ("1", "3"), ("2", "3")]),
    ),
    max_size=12,
)


@given(spans)
def test_merged_reports_stay_apart_and_lose_nothing(found: list[Occurrence]) -> None:
    """Merging again changes nothing; every report lies in one merged report of its objects."""
    once = merged(found)
    assert merged(once) == once
    for report in found:
        assert any(
            o.objects == report.objects and o.start_s <= report.start_s and report.end_s <= o.end_s
            for o in once
        )


def test_names_of_one_object() -> None:
    """The log's own labels first, else the number in the id."""
    truth = Truth("t", "", (), (), MIDNIGHT, labels={"truck": "7"})
    assert [truth.label(name) for name in ("truck", "obj007", "07", " 7", "7", "crane")] == [
        *"77777",
        "crane",
    ]
