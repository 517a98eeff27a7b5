"""Finding the lead of a replay from its burnt-in clock, whatever else was read."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Piece, Span
from extension.timetravel.timeline import Timeline, fit_timeline, stated

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def shown(start_at: dt.datetime, log_s: float) -> str:
    """What the clock shows that many seconds into the log."""
    return f"{start_at + dt.timedelta(seconds=log_s):%H:%M:%S}"


def readings(
    lead_s: float,
    speed: float,
    *,
    start_at: dt.datetime = START,
    media_s: float = 20.0,
    every_s: float = 0.37,
) -> list[tuple[float, str]]:
    """The readings of a replay that shows the log's first instant at `lead_s`."""
    times = [i * every_s for i in range(int(media_s / every_s))]
    return [(s, shown(start_at, (s - lead_s) * speed)) for s in times]


def test_a_timeline_maps_there_and_back() -> None:
    """At 3x, media second 10 shows log second 30; a lead shifts it."""
    line = Timeline(start_at=START, speed=3.0, lead_s=0.5)
    assert line.at(10.5) == START + dt.timedelta(seconds=30)
    assert line.media_s(START + dt.timedelta(seconds=30)) == pytest.approx(10.5)
    assert line.log_s(0.5) == 0.0


@given(speed=st.floats(0.1, 100), lead_s=st.floats(-100, 100), media_s=st.floats(0, 20_000))
def test_mapping_back_gives_the_same_media_second(speed: float, lead_s: float, media_s: float) -> None:
    """To the microsecond of the instant."""
    line = Timeline(start_at=START, speed=speed, lead_s=lead_s)
    assert line.media_s(line.at(media_s)) == pytest.approx(media_s, abs=1e-5)


def test_a_replay_that_stands_still_is_no_timeline() -> None:
    """Speed must be above 0."""
    with pytest.raises(ValueError, match="speed is 0"):
        Timeline(start_at=START, speed=0.0)


@given(
    speed=st.sampled_from([0.33, 0.5, 1.0, 2.0, 3.0, 10.0]),
    lead_s=st.floats(-5.0, 5.0),
    offset_s=st.integers(0, 86_399),
    wrong=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 86_399)), max_size=12),
)
def test_the_lead_is_found_among_wrong_readings(
    speed: float, lead_s: float, offset_s: int, wrong: list[tuple[float, int]]
) -> None:
    """Within the clock's one second, at any time of day and across midnight; scattered misreadings are outvoted."""
    start_at = START + dt.timedelta(seconds=offset_s)
    seen = readings(lead_s, speed, start_at=start_at)
    seen += [(s, shown(START, second)) for s, second in wrong]
    line = fit_timeline(seen, start_at, start_at + 10 * MINUTE, speed)
    assert abs(line.lead_s - lead_s) * speed <= 1.0


@given(speed=st.sampled_from([0.5, 1.0, 3.0]), lead_s=st.floats(-3, 3))
def test_many_readings_find_the_lead_much_finer_than_a_second(speed: float, lead_s: float) -> None:
    """Where the second turns is seen to the spacing of the readings."""
    line = fit_timeline(readings(lead_s, speed, every_s=0.1, media_s=30.0), START, START + 5 * MINUTE, speed)
    assert abs(line.lead_s - lead_s) <= max(0.1, 0.2 / speed)


def test_an_exact_clock_gives_no_lead_at_all() -> None:
    """Zero is preferred where the readings allow it: not a few milliseconds of noise."""
    assert fit_timeline(readings(0.0, 3.0), START, START + MINUTE, 3.0).lead_s == 0.0


def test_a_stale_first_frame_does_not_matter() -> None:
    """The lab's capture begins with the clock of its end."""
    seen = [(0.0, "00:01:00"), (1 / 30, "00:01:00"), *readings(0.0, 3.0)[1:]]
    assert fit_timeline(seen, START, START + MINUTE, 3.0).lead_s == 0.0


def test_a_clock_that_runs_ahead_for_a_while_is_outvoted() -> None:
    """Half a second ahead in the middle of a minute."""
    steady = readings(2.0, 1.0, media_s=60.0)
    seen = [(s, shown(START, s - 2.0 + (0.6 if 17 < s < 43 else 0.0))) for s, _ in steady]
    line = fit_timeline(seen, START, START + MINUTE, 1.0)
    assert line.lead_s == pytest.approx(2.0, abs=0.7)


def test_two_readings_are_no_evidence() -> None:
    """Fewer than three agreeing: no lead."""
    assert fit_timeline([(0.0, "00:00:20"), (1.0, "00:00:21")], START, START + MINUTE, 1.0).lead_s == 0.0


def test_three_readings_are() -> None:
    """Just enough."""
    seen = [(0.0, "00:00:20"), (1.0, "00:00:21"), (2.0, "00:00:22")]
    assert fit_timeline(seen, START, START + MINUTE, 1.0).lead_s == pytest.approx(-20.5)


@pytest.mark.parametrize(
    "text",
    ["", "12:00", "25:00:00", "00:60:00", "00:00:60", "noon", "00:00:0a", "\N{FULLWIDTH DIGIT ONE}2:00:00"],
)
def test_what_is_no_clock_is_skipped(text: str) -> None:
    """However often it was read."""
    assert fit_timeline([(float(i), text) for i in range(9)], START, START + MINUTE, 1.0).lead_s == 0.0


def test_a_clock_of_another_time_of_day_is_not_this_logs() -> None:
    """Nine hours away from the log: not believed."""
    nine = START + dt.timedelta(hours=9)
    assert fit_timeline(readings(0.0, 1.0, start_at=nine), START, START + MINUTE, 1.0).lead_s == 0.0


def test_a_log_over_several_days_is_searched_day_by_day() -> None:
    """A replay that begins on the third day shows the same clock as one on the first: the nearest is taken."""
    start_at = START + dt.timedelta(hours=23)
    late = readings(-2 * 3600.0, 1.0, start_at=start_at)
    line = fit_timeline(late, start_at, start_at + dt.timedelta(days=3), 1.0)
    assert line.lead_s == pytest.approx(-7200.0, abs=1.0)


def test_the_clock_may_show_another_zone() -> None:
    """Seoul's clock over instants in UTC."""
    seoul = zoneinfo.ZoneInfo("Asia/Seoul")
    seen = [(s, shown(START + dt.timedelta(hours=9), s - 1.0)) for s in range(20)]
    assert fit_timeline(seen, START, START + MINUTE, 1.0, tz=seoul).lead_s == pytest.approx(1.0, abs=0.5)


def test_nothing_read_gives_no_lead() -> None:
    """A replay without a clock."""
    assert fit_timeline([], START, START + MINUTE, 2.0) == Timeline(start_at=START, speed=2.0)


@given(
    seen=st.lists(st.tuples(st.floats(0, 60), st.text(max_size=9)), max_size=20),
    speed=st.floats(0.1, 100),
    log_s=st.floats(0, 1e6),
)
def test_anything_may_be_read_from_the_pixels(
    seen: list[tuple[float, str]], speed: float, log_s: float
) -> None:
    """Noise is no clock: the lead stays where it was."""
    noise = [(s, text) for s, text in seen if text.count(":") != 2]
    assert fit_timeline(noise, START, START + dt.timedelta(seconds=log_s), speed).lead_s == 0.0


@given(
    clocks=st.lists(st.tuples(st.floats(0, 60), st.integers(0, 86_399)), max_size=12),
    speed=st.sampled_from([1.0, 3.0]),
)
def test_a_lead_that_is_found_is_agreed_by_three_readings(
    clocks: list[tuple[float, int]], speed: float
) -> None:
    """Never invented."""
    seen = [(s, shown(START, second)) for s, second in clocks]
    line = fit_timeline(seen, START, START + MINUTE, speed)
    # A clock says nothing of the day: 23:59:59 may be the second before the log.
    agreeing = sum((line.log_s(s) - second + 1e-4) % 86_400 <= 1.0 + 2e-4 for s, second in clocks)
    assert line.lead_s == 0.0 or agreeing >= 3


def test_a_very_slow_replay_shows_one_second_for_long() -> None:
    """At a tenth of the speed the clock turns every ten seconds."""
    line = fit_timeline(readings(4.0, 0.1, media_s=60.0), START, START + MINUTE, 0.1)
    assert line.lead_s == pytest.approx(4.0, abs=1.0)


def test_a_very_fast_replay_skips_seconds() -> None:
    """At a hundred times, three seconds of log pass per frame."""
    hour = START + dt.timedelta(hours=1)
    line = fit_timeline(readings(1.5, 100.0, every_s=1 / 30), START, hour, 100.0)
    assert line.lead_s == pytest.approx(1.5, abs=0.02)


CUT = (
    Piece(0.0, START),
    Piece(4.0, START + dt.timedelta(seconds=100)),
    Piece(6.0, START + dt.timedelta(seconds=200)),
)


def test_a_video_in_pieces_jumps_and_knows_where() -> None:
    """At three times the speed: seconds of the video to instants of the log, and back."""
    line = stated(START, 3.0, START, CUT)
    assert line.sure
    for media_s, log_s in ((0.0, 0), (3.5, 10.5), (4.0, 100), (5.0, 103), (6.0, 200), (9.0, 209)):
        assert line.at(media_s) == START + dt.timedelta(seconds=log_s)
        assert line.media_s(START + dt.timedelta(seconds=log_s)) == pytest.approx(media_s)


def test_what_a_video_leaves_out_lies_where_the_next_piece_begins() -> None:
    """Between two pieces there is no picture."""
    line = stated(START, 3.0, START, CUT)
    assert line.media_s(START + dt.timedelta(seconds=60)) == 4.0
    assert line.media_s(START + dt.timedelta(seconds=150)) == 6.0


def test_a_chunk_at_the_end_of_a_piece_shows_no_jump() -> None:
    """Its end is where the log went on, not where the next piece begins."""
    line = stated(START, 3.0, START, CUT)
    assert line.shown(Span(2.0, 4.0)) == (START + dt.timedelta(seconds=6), START + dt.timedelta(seconds=12))


@given(st.floats(0.0, 60.0))
def test_in_one_piece_nothing_changes(media_s: float) -> None:
    """A single piece is a stated start."""
    whole, cut = stated(START, 3.0, START), stated(START, 3.0, START, CUT[:1])
    assert whole.at(media_s) == cut.at(media_s)
    assert cut.media_s(whole.at(media_s)) == pytest.approx(media_s, abs=1e-5)
