"""Groups of runs: sums, rates, onset, time, failures, and groups against one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_runs import BASE_AT, Answers, LogClock, Truth, Unread
from extension.timetravel.scoring_summary import RunScore, score_run, summarise, versus


def at(start_s: float, objects: str = "12", length_s: float = 0.2) -> Occurrence:
    """A short contact."""
    return Occurrence(start_s, start_s + length_s, tuple(objects))


def run_of(
    reports: list[Occurrence],
    contacts: list[Occurrence],
    *,
    video: str = "v",
    speed: float = 1.0,
    duration_s: float | None = 3600.0,
    unread: int = 0,
    execution_s: float | None = None,
    media_s: float | None = None,
    latencies_s: tuple[float, ...] = (),
) -> RunScore:
    """One run over one log."""
    truth = Truth(f"{video}.csv", "by hand", tuple(contacts), (), LogClock(BASE_AT), duration_s)
    failures = (Unread("chunk", "garbled"),) * unread
    answers = Answers(
        "f", "s", "m", video, "r", tuple(reports), (), 10, failures, execution_s, media_s, latencies_s
    )
    return score_run(answers, truth, speed)


def test_onset_errors_are_signed_and_sized() -> None:
    """Errors of -0.5, 0.1 and 0.3 s: median +0.1, sizes 0.3 in the middle."""
    run = run_of([at(9.5), at(20.1), at(30.3)], [at(10), at(20), at(30)])
    onset = summarise("g", [run], seed=1).onset
    assert onset is not None
    assert (onset.matches, onset.median_error_s, onset.median_size_s) == pytest.approx((3, 0.1, 0.3))
    assert onset.p95_size_s == pytest.approx(0.48)
    assert summarise("g", [run_of([], [at(10)])], seed=1).onset is None


def test_false_alarms_per_hour_of_log_and_of_video() -> None:
    """Three false alarms in two runs over an hour each, shown three times as fast."""
    runs = [run_of([at(5), at(9)], [], speed=3.0), run_of([at(50)], [], speed=3.0)]
    group = summarise("g", runs, seed=1)
    assert group.per_log_hour is not None
    assert group.per_media_hour is not None
    assert (group.per_log_hour.per_hour, group.per_media_hour.per_hour) == pytest.approx((1.5, 4.5))
    assert group.per_log_hour.bound_per_hour == pytest.approx(7.754 / 2, abs=0.001)


def test_none_in_ten_hours_is_at_most_three_tenths_per_hour() -> None:
    """The rule of three."""
    rate = summarise("g", [run_of([], [], duration_s=36_000.0)], seed=1).per_log_hour
    assert rate is not None
    assert (rate.false_alarms, rate.bound_per_hour) == pytest.approx((0, 0.2996), abs=1e-4)


def test_the_length_of_the_log_comes_from_what_tells_it() -> None:
    """The log, else the video at its speed, else the last contact; nothing at all gives no rate."""
    assert run_of([], [], duration_s=60.0, media_s=7.0).log_s == 60.0
    assert run_of([], [], duration_s=None, media_s=20.0, speed=3.0).log_s == 60.0
    assert run_of([at(44.8)], [at(10)], duration_s=None).log_s == 45.0
    assert run_of([], [], duration_s=60.0, speed=3.0).media_s == 20.0
    assert summarise("g", [run_of([], [], duration_s=None)], seed=1).per_log_hour is None


def test_time_is_summed_over_the_runs_that_tell_it() -> None:
    """Run and answers; a run without times is left out, not counted as instant."""
    runs = [
        run_of([], [], execution_s=10.0, media_s=20.0, latencies_s=(1.0, 2.0, 3.0)),
        run_of([], [], execution_s=30.0, media_s=20.0),
        run_of([], [], media_s=20.0),
    ]
    latency = summarise("g", runs, seed=1).latency
    assert latency.run_s is not None
    assert (latency.run_s.runs, latency.run_s.mean, latency.per_media_s) == (2, 20.0, 1.0)
    assert (latency.answer_p50_s, latency.answer_p95_s) == pytest.approx((2.0, 2.9))
    assert summarise("g", [run_of([], [])], seed=1).latency.per_media_s is None


def test_failed_answers_are_counted() -> None:
    """Of all that were asked for."""
    group = summarise("g", [run_of([], [], unread=3), run_of([], [])], seed=1)
    assert (group.failed, group.answered) == (3, 20)


def test_groups_are_compared_over_the_videos_they_share() -> None:
    """Two models over six videos: always better by the same runs; a third that saw others is not compared."""
    contacts = [at(10), at(20)]
    good = summarise("good", [run_of(contacts, contacts, video=f"v{n}") for n in range(6)], seed=1)
    poor = summarise("poor", [run_of([at(10)], contacts, video=f"v{n}") for n in range(6)], seed=1)
    away = summarise("away", [run_of(contacts, contacts, video="w")], seed=1)
    first, second, third = versus([good, poor, away], seed=1)
    assert (first.one, first.other, first.videos) == ("good", "poor", 6)
    assert first.difference == pytest.approx(1 / 3)
    assert first.p is not None
    assert first.p == first.p_holm == pytest.approx(2 / 64, abs=0.01)
    assert (second.p, second.p_holm, second.videos) == (None, None, 0)
    assert third.p is None


times = st.lists(st.integers(0, 80).map(lambda n: at(n / 2)), max_size=6)


@given(st.lists(st.tuples(times, times), min_size=1, max_size=4))
def test_sums_add_up(sides: list[tuple[list[Occurrence], list[Occurrence]]]) -> None:
    """Hits and misses are the contacts, hits and false alarms the reports; strict never hits more."""
    runs = [run_of(reports, contacts) for reports, contacts in sides]
    group = summarise("g", runs, seed=1, resamples=50)
    for figures in (group.att, group.det, group.strict_att, group.strict_det):
        score = figures.score
        assert score.matched + score.missed == sum(len(contacts) for _, contacts in sides)
        assert score.matched + score.false_alarms == sum(len(reports) for reports, _ in sides)
    assert group.strict_att.score.matched <= group.att.score.matched <= group.det.score.matched
    assert (group.att.f1_ci is None) is (len(runs) == 1)
