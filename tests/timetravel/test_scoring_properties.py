"""What must hold of every score, whatever was reported: a matching is fair, an interval holds its figure, a p value favours nobody."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from extension.timetravel.evaluation import (
    Comparison,
    Occurrence,
    Score,
    compare,
    evaluate,
    pairs,
    predecessor_score,
    seconds_of,
)
from extension.timetravel.scoring_match import cheapest_largest
from extension.timetravel.scoring_runs import BASE_AT, Answers, LogClock, Truth, Unread, from_seconds, merged
from extension.timetravel.scoring_stats import (
    bootstrap,
    f1_of_sums,
    holm,
    mean_over_runs,
    permutation_p,
    precision_of_sums,
    rate_bound,
    recall_of_sums,
    spread,
)
from extension.timetravel.scoring_summary import Group, misfits, score_run, summarise, versus

NAMES = [("1", "2"), ("1", "3"), ("2", "3"), ("1", "2", "3"), ("4",)]
CLOCK = LogClock(BASE_AT)

occurrences = st.lists(
    st.builds(
        lambda start, length, objects: Occurrence(start / 8, (start + length) / 8, objects),
        st.integers(0, 200),
        st.integers(0, 40),
        st.sampled_from(NAMES),
    ),
    max_size=9,
)
tolerances = st.sampled_from([0.0, 0.125, 1.0, 5.0])
counts = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=2, max_size=6)
p_values = st.lists(st.floats(0, 1), max_size=8)
graphs = st.lists(st.dictionaries(st.integers(0, 30), st.integers(0, 10**6), max_size=6), max_size=25)


def apart_s(one: Occurrence, other: Occurrence) -> float:
    """The time between two spans; 0 when they touch."""
    return max(one.start_s - other.end_s, other.start_s - one.end_s, 0.0)


def by_value(found: Sequence[Occurrence]) -> Counter[Occurrence]:
    """How often each occurrence is there."""
    return Counter(found)


@settings(max_examples=50)
@given(graphs)
def test_no_free_pair_is_left_in_a_matching(edges: list[dict[int, int]]) -> None:
    """Had two partners stayed alone that may be joined, the matching were not the largest."""
    found = cheapest_largest(edges)
    taken = set(found.values())
    alone = [left for left in range(len(edges)) if left not in found]
    assert not [(left, right) for left in alone for right in edges[left] if right not in taken]


@settings(max_examples=50)
@given(graphs)
def test_a_matching_is_the_same_from_either_side(edges: list[dict[int, int]]) -> None:
    """Size and cost do not depend on who is called left."""
    names = sorted({right for costs in edges for right in costs})
    turned = [{left: costs[right] for left, costs in enumerate(edges) if right in costs} for right in names]
    one, other = cheapest_largest(edges), cheapest_largest(turned)
    assert len(one) == len(other)
    assert sum(edges[left][right] for left, right in one.items()) == sum(
        turned[left][right] for left, right in other.items()
    )


@settings(max_examples=50)
@given(graphs, st.integers(0, 10**6))
def test_a_further_edge_never_makes_a_matching_smaller(edges: list[dict[int, int]], cost: int) -> None:
    """More freedom, no fewer pairs."""
    wider = [costs | {99: cost} for costs in edges]
    assert len(cheapest_largest(edges)) <= len(cheapest_largest(wider)) <= len(cheapest_largest(edges)) + 1


def checked(found: Comparison, said: Sequence[Occurrence], true: Sequence[Occurrence]) -> None:
    """Every report and every truth is told exactly once: matched, or left over."""
    assert by_value([m.report for m in found.matches]) + by_value(found.false_alarms) == by_value(pairs(said))
    assert by_value([m.truth for m in found.matches]) + by_value(found.missed) == by_value(pairs(true))


@settings(max_examples=60)
@given(said=occurrences, true=occurrences, tolerance_s=tolerances, attributed=st.booleans())
def test_every_report_and_every_truth_is_told_once(
    said: list[Occurrence], true: list[Occurrence], tolerance_s: float, *, attributed: bool
) -> None:
    """Nothing is lost and nothing doubled; matches are near in time and, where asked, of the same objects."""
    found = compare(said, true, tolerance_s, attributed=attributed)
    checked(found, said, true)
    for match in found.matches:
        assert apart_s(match.report, match.truth) <= tolerance_s + 1e-9
        assert not attributed or match.report.objects == match.truth.objects


@settings(max_examples=60)
@given(occurrences, occurrences, tolerances)
def test_asking_for_less_never_finds_less(
    said: list[Occurrence], true: list[Occurrence], tolerance_s: float
) -> None:
    """When alone is no harder than when and who; more tolerance is no harder than less."""
    now, later = evaluate(said, true, tolerance_s), evaluate(said, true, tolerance_s + 1)
    assert now.att.matched <= now.det.matched <= later.det.matched
    assert now.att.matched <= later.att.matched
    assert now.att.f1 <= now.det.f1 <= later.det.f1


@settings(max_examples=60)
@given(said=occurrences, true=occurrences, tolerance_s=tolerances, attributed=st.booleans())
def test_truth_and_report_may_change_places(
    said: list[Occurrence], true: list[Occurrence], tolerance_s: float, *, attributed: bool
) -> None:
    """False alarms become misses, precision becomes recall, F1 stays."""
    one = compare(said, true, tolerance_s, attributed=attributed).score
    other = compare(true, said, tolerance_s, attributed=attributed).score
    assert (one.matched, one.false_alarms, one.missed) == (other.matched, other.missed, other.false_alarms)
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)


@given(occurrences, tolerances)
def test_the_truth_itself_is_perfect(true: list[Occurrence], tolerance_s: float) -> None:
    """Told back in any order, with every onset met."""
    found = compare(list(reversed(true)), true, tolerance_s, attributed=True)
    assert (found.score.f1, found.score.precision, found.score.recall) == (1.0, 1.0, 1.0)
    assert [match.onset_error_s for match in found.matches] == [0.0] * len(found.matches)


@settings(max_examples=60)
@given(occurrences, occurrences, st.randoms(use_true_random=False))
def test_the_order_of_lines_in_a_file_does_not_count(
    said: list[Occurrence], true: list[Occurrence], chance: random.Random
) -> None:
    """Shuffled reports score the same."""
    shuffled = list(said)
    chance.shuffle(shuffled)
    assert evaluate(shuffled, true) == evaluate(said, true)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_the_harmonic_mean(matched: int, false_alarms: int, missed: int) -> None:
    """It lies between precision and recall."""
    score = Score(matched, false_alarms, missed)
    low, high = sorted((score.precision, score.recall))
    assert low - 1e-12 <= score.f1 <= high + 1e-12
    if low > 0:
        assert score.f1 == pytest.approx(2 * low * high / (low + high))


@given(occurrences)
def test_groups_become_every_pair_once(found: list[Occurrence]) -> None:
    """By time; a group of n is n(n-1)/2 pairs, a single name stays one."""
    taken_apart = pairs(found)
    assert len(taken_apart) == sum(3 if len(one.objects) == 3 else 1 for one in found)
    assert [one.start_s for one in taken_apart] == sorted(one.start_s for one in taken_apart)
    assert pairs(taken_apart) == taken_apart


@given(st.floats(-50, 50), st.floats(0, 20))
def test_the_seconds_of_a_span_hold_it(start_s: float, length_s: float) -> None:
    """The first holds its begin; together they reach its end."""
    touched = seconds_of(Occurrence(start_s, start_s + length_s, ("1", "2")))
    assert touched[0] <= start_s < touched[0] + 1
    assert touched[-1] + 1 >= start_s + length_s


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(NAMES[:3])), max_size=12, unique=True))
def test_seconds_become_contacts_and_stay_those_seconds(seconds: list[tuple[int, tuple[str, ...]]]) -> None:
    """Taking the contacts apart again gives the same seconds: runs of neighbours were joined, gaps kept."""
    contacts = from_seconds(seconds, CLOCK)
    again = {(second, one.objects) for one in contacts for second in seconds_of(one)}
    assert again == set(seconds)
    starts = [s for s in set(seconds) if (s[0] - 1, s[1]) not in seconds]
    assert len(contacts) == len(starts)


@given(occurrences, st.floats(0, 3))
def test_merged_reports_of_the_same_objects_lie_further_apart_than_the_gap(
    found: list[Occurrence], gap_s: float
) -> None:
    """What is nearer was joined; the time that was covered stays covered."""
    spans = merged(found, gap_s)
    for objects in {one.objects for one in spans}:
        mine = [one for one in spans if one.objects == objects]
        assert all(b.start_s - a.end_s > gap_s for a, b in itertools.pairwise(mine))
    assert {one.objects for one in spans} == {one.objects for one in pairs(found)}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(NAMES[:3])), max_size=8, unique_by=lambda s: s[0])
)
def test_the_predecessors_score_of_the_truth_is_perfect(seconds: list[tuple[int, tuple[str, ...]]]) -> None:
    """With one pair a second; one answer more is one false positive, one less one miss."""
    score = predecessor_score(seconds, seconds)
    assert (score.false_positives, score.false_negatives, score.f1) == (0, 0, 1.0)
    more = predecessor_score([*seconds, (99, ("1", "2"))], seconds)
    assert (more.false_positives, more.false_negatives) == (1, 0)
    assert predecessor_score(seconds[1:], seconds).false_negatives == len(seconds[:1])


STATISTICS = [f1_of_sums, precision_of_sums, recall_of_sums]


@pytest.mark.parametrize("statistic", STATISTICS, ids=["f1", "precision", "recall"])
@given(rows=counts)
@settings(max_examples=60)
def test_an_interval_lies_within_what_resampling_can_reach(
    statistic: object, rows: list[tuple[int, ...]]
) -> None:
    """Between the worst and the best run by that figure, since every resample is made of these."""
    assert callable(statistic)
    interval = bootstrap(rows, statistic, seed=3, resamples=300)
    assert interval is not None
    assert 0.0 <= interval.low <= interval.high <= 1.0


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
@settings(max_examples=60)
def test_the_interval_of_a_mean_lies_between_the_least_and_the_most(values: list[float]) -> None:
    """Every resample is made of these runs, so that no mean of one lies beyond."""
    interval = bootstrap([(value,) for value in values], mean_over_runs, seed=5, resamples=300)
    assert interval is not None
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_a_symmetric_samples_interval_contains_its_mean(seed: int) -> None:
    """And grows narrower by about half with four times the runs."""
    chance = np.random.default_rng(seed)
    few, many = chance.normal(0.5, 0.1, 20), chance.normal(0.5, 0.1, 80)
    widths = []
    for sample in (few, many):
        interval = bootstrap([(value,) for value in sample], mean_over_runs, seed=seed, resamples=2000)
        assert interval is not None
        assert interval.low < sample.mean() < interval.high
        widths.append(interval.high - interval.low)
    assert 0.25 < widths[1] / widths[0] < 0.9


@pytest.mark.parametrize("resamples", [1, 7, 1000])
def test_resampling_in_batches_draws_as_many_as_asked(resamples: int) -> None:
    """The statistic sees every resample once, whatever a batch holds."""
    seen: list[int] = []

    def counted(data: np.typing.NDArray[np.float64]) -> np.typing.NDArray[np.float64]:
        seen.append(len(data))
        return mean_over_runs(data)

    bootstrap([(0.1,), (0.9,), (0.4,)], counted, seed=1, resamples=resamples)
    # The figure itself and leave-one-out come on top.
    assert sum(seen) == resamples + 1 + 3


@given(p_values)
def test_holm_only_raises_and_keeps_the_order(values: list[float]) -> None:
    """An adjusted p is at least the plain one and at most 1; equal evidence is treated alike, stronger never worse."""
    adjusted = holm(values)
    assert len(adjusted) == len(values)
    for plain, after in zip(values, adjusted, strict=True):
        assert plain <= after <= 1.0
    ranked = [after for _, after in sorted(zip(values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(0, 5))
def test_holm_is_bounded_by_bonferroni_and_falls_with_fewer_tests(values: list[float], drop: int) -> None:
    """Never more severe than n times p; a test that is not made makes no other one weaker."""
    adjusted = holm(values)
    assert all(
        after <= min(1.0, len(values) * p) or after in adjusted
        for p, after in zip(values, adjusted, strict=True)
    )
    assert min(adjusted) == min(1.0, len(values) * min(values))
    rest = [p for place, p in enumerate(values) if place != drop % len(values)]
    kept = [after for place, after in enumerate(adjusted) if place != drop % len(values)]
    assert all(a <= b + 1e-12 for a, b in zip(holm(rest), kept, strict=True))


scores = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=3)
by_video = st.dictionaries(st.sampled_from(["v1", "v2", "v3"]), scores, max_size=3)


@given(by_video, by_video)
@settings(max_examples=50, deadline=None)
def test_a_p_value_favours_neither_group(one: dict[str, list[float]], other: dict[str, list[float]]) -> None:
    """Swapping the groups changes chance's draws, not the answer; p is never 0 and never above 1."""
    p, back = (permutation_p(a, b, seed=2, permutations=600) for a, b in ((one, other), (other, one)))
    if not set(one) & set(other):
        assert p is None
        assert back is None
        return
    assert p is not None
    assert back is not None
    assert 1 / 601 <= p <= 1.0
    assert back == pytest.approx(p, abs=0.12)


@given(by_video)
@settings(max_examples=30, deadline=None)
def test_a_group_does_not_differ_from_itself(group: dict[str, list[float]]) -> None:
    """Every arrangement is as far apart as no difference at all."""
    assume(group)
    assert permutation_p(group, group, seed=1, permutations=200) == 1.0


def test_more_evidence_means_a_smaller_p() -> None:
    """The same difference over more videos."""
    ps = [
        permutation_p(
            {f"v{n}": [0.9] for n in range(videos)}, {f"v{n}": [0.5] for n in range(videos)}, seed=4
        )
        for videos in (2, 4, 8)
    ]
    assert ps[0] is not None
    assert ps[1] is not None
    assert ps[2] is not None
    assert ps[0] > ps[1] > ps[2]
    assert ps[2] == pytest.approx(2 / 2**8, abs=0.004)


@given(st.integers(0, 200), st.floats(0.05, 500))
def test_seeing_so_few_under_the_bound_has_a_chance_of_a_twentieth(count: int, hours: float) -> None:
    """The defining property, summed term by term."""
    mean = rate_bound(count, hours) * hours
    chance = math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(count + 1))
    assert chance == pytest.approx(0.05, rel=1e-6)


@given(st.integers(0, 300))
def test_a_bound_rises_with_every_false_alarm_by_less_than_two(count: int) -> None:
    """One more seen moves the bound by between one and two."""
    assert 1.0 < rate_bound(count + 1, 1.0) - rate_bound(count, 1.0) < 2.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_a_spread_holds_its_mean(values: list[float]) -> None:
    """Between least and most; no deviation means a single run."""
    found = spread(values)
    assert found.least - 1e-9 <= found.mean <= found.most + 1e-9
    assert (found.deviation is None) == (len(values) == 1)
    assert found.runs == len(values)


def truth(*contacts: Occurrence, name: str = "log", duration_s: float | None = 60.0) -> Truth:
    """A truth of a minute."""
    return Truth(name, "by hand", contacts, (), CLOCK, duration_s)


def answers(*reports: Occurrence, video: str | None = "v", **more: object) -> Answers:
    """One run's answers."""
    plain = Answers("run", "by hand", "m", video, "run", reports, ())
    return dataclasses.replace(plain, **more)  # type: ignore[arg-type]  # tests set any field


def group_of(name: str, f1_by_video: dict[str, bool]) -> Group:
    """A group whose runs are perfect or deaf."""
    contact = Occurrence(5.0, 6.0, ("1", "2"))
    runs = [
        score_run(answers(*([contact] if hit else []), video=video), truth(contact), 1.0)
        for video, hit in f1_by_video.items()
    ]
    return summarise(name, runs, seed=1, resamples=50)


@settings(max_examples=60)
@given(occurrences, occurrences)
def test_misnamed_reports_are_false_alarms_at_the_time_of_misses(
    said: list[Occurrence], true: list[Occurrence]
) -> None:
    """They are named apart, and counted among both."""
    run = score_run(answers(*said), truth(*true), 1.0)
    assert by_value([m.report for m in run.misnamed]) <= by_value(run.att.false_alarms)
    assert by_value([m.truth for m in run.misnamed]) <= by_value(run.att.missed)
    assert len(run.misnamed) + len(run.att.matches) <= min(len(pairs(said)), len(pairs(true)))


@given(st.lists(st.tuples(occurrences, occurrences), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_a_groups_sums_are_the_sums_of_its_runs(
    made: list[tuple[list[Occurrence], list[Occurrence]]],
) -> None:
    """Every way of scoring; with one run there is no interval."""
    runs = [score_run(answers(*said), truth(*true), 2.0) for said, true in made]
    group = summarise("g", runs, seed=1, resamples=40)
    assert group.att.score.matched == sum(len(run.att.matches) for run in runs)
    assert group.det.score.missed == sum(len(run.det.missed) for run in runs)
    assert group.strict_att.score.false_alarms == sum(run.strict_att.false_alarms for run in runs)
    assert (group.att.f1_ci is None) == (len(runs) == 1)
    assert (group.onset is None) == (not group.att.score.matched)
    assert group.per_log_hour is not None
    assert group.per_log_hour.hours == pytest.approx(len(runs) / 60)


@pytest.mark.parametrize(
    ("duration_s", "media_s", "ends_s", "speed", "log_s", "video_s"),
    [
        pytest.param(60.0, None, 10.0, 3.0, 60.0, 20.0, id="the-truth-tells"),
        pytest.param(60.0, 25.0, 10.0, 3.0, 60.0, 25.0, id="truth-and-video-tell"),
        pytest.param(None, 25.0, 10.0, 3.0, 75.0, 25.0, id="the-video-tells"),
        pytest.param(None, None, 10.0, 2.0, 10.0, 5.0, id="the-last-thing-known"),
    ],
)
def test_how_long_a_log_was(
    duration_s: float | None, media_s: float | None, ends_s: float, speed: float, log_s: float, video_s: float
) -> None:
    """By what tells it best."""
    said = answers(Occurrence(9.0, ends_s, ("1", "2")), media_s=media_s)
    run = score_run(said, truth(duration_s=duration_s), speed)
    assert (run.log_s, run.media_s) == (log_s, video_s)


def test_rates_of_a_log_of_no_length_are_not_made_up() -> None:
    """No hours, no rate."""
    group = summarise("g", [score_run(answers(), truth(duration_s=None), 1.0)], seed=1)
    assert (group.per_log_hour, group.per_media_hour, group.onset) == (None, None, None)


def test_latency_is_that_of_the_runs_that_tell() -> None:
    """A run without a time does not count as fast."""
    told = answers(execution_s=30.0, latencies_s=(1.0, 3.0), media_s=20.0)
    runs = [score_run(one, truth(), 3.0) for one in (told, answers())]
    latency = summarise("g", runs, seed=1, resamples=50).latency
    assert latency.run_s is not None
    assert (latency.run_s.runs, latency.run_s.mean, latency.per_media_s) == (1, 30.0, 1.5)
    assert latency.answer_p50_s == 2.0
    assert latency.answer_p95_s == pytest.approx(2.9)


def test_failures_of_all_runs_are_counted() -> None:
    """Out of all answers that were asked for."""
    bad = (Unread("chunk at 0 s", "prose"), Unread("chunk at 2 s", "empty"))
    runs = [
        score_run(answers(unread=bad, answered=10), truth(), 1.0),
        score_run(answers(answered=5), truth(), 1.0),
    ]
    group = summarise("g", runs, seed=1, resamples=50)
    assert (group.failed, group.answered) == (2, 15)


def test_groups_without_a_common_video_are_not_compared() -> None:
    """They stand in the list with no p, and do not weaken the other tests."""
    videos = {f"v{n}": True for n in range(6)}
    groups = [group_of("a", videos), group_of("b", dict.fromkeys(videos, False)), group_of("c", {"x": True})]
    found = {(one.one, one.other): one for one in versus(groups, seed=1, permutations=400)}
    assert found["a", "b"].difference == 1.0
    assert found["a", "b"].p == found["a", "b"].p_holm
    for lonely in (found["a", "c"], found["b", "c"]):
        assert (lonely.videos, lonely.p, lonely.p_holm) == (0, None, None)
        assert math.isnan(lonely.difference)


def test_runs_that_name_no_video_are_paired_by_their_truth() -> None:
    """Better than not at all."""
    contact = Occurrence(5.0, 6.0, ("1", "2"))
    one, other = (
        summarise(name, [score_run(answers(*said, video=None), truth(contact), 1.0)], seed=1)
        for name, said in (("a", [contact]), ("b", []))
    )
    (found,) = versus([one, other], seed=1, permutations=100)
    assert (found.videos, found.difference) == (1, 1.0)


@pytest.mark.parametrize(("better", "said"), [(0.25, True), (0.1, False)])
def test_only_a_clearly_better_truth_is_worth_a_word(better: float, *, said: bool) -> None:
    """A fifth of F1 and more."""
    contacts = [Occurrence(10.0 * n, 10.0 * n + 1, ("1", "2")) for n in range(20)]
    own, other = contacts[:10], contacts[: 10 + round(better * 20) + 2]
    run = score_run(answers(*contacts[: len(other)]), truth(*own, name="own"), 1.0)
    gain = 1.0 - run.att.score.f1
    notes = misfits([run], [run.truth, truth(*other, name="other")])
    assert bool(notes) is (gain >= 0.2) is said


@pytest.mark.parametrize(
    ("text", "near_s", "second"),
    [
        pytest.param("00:00:28", None, 28, id="plain"),
        pytest.param("0:00:28", None, 28, id="one-digit-hour"),
        pytest.param(" 00:00:28.600 ", None, 28, id="with-a-fraction"),
        pytest.param("00:00:28", 86_400.0, 86_428, id="the-next-day"),
        pytest.param("23:59:59", 0.0, -1, id="just-before"),
        pytest.param("24:00:00", None, None, id="no-such-hour"),
        pytest.param("00:60:00", None, None, id="no-such-minute"),
        pytest.param("00:00:60", None, None, id="no-such-second"),
        pytest.param("1 o'clock", None, None, id="prose"),
        pytest.param("٠٠:٠٠:٢٨", None, None, id="other-digits"),  # noqa: RUF001 - these are the digits
        pytest.param("", None, None, id="empty"),
    ],
)
def test_what_a_clock_shows(text: str, near_s: float | None, second: int | None) -> None:
    """Whole seconds of the log; anything else is no time."""
    assert CLOCK.second_of(text, near_s) == second


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 86_399))
def test_a_clock_near_a_log_second_means_that_day(hour: int, minute: int, second: int, start: int) -> None:
    """Within half a day of where it is known to be, and it shows that time of day."""
    clock = LogClock(BASE_AT + dt.timedelta(seconds=start))
    for near_s in (0.0, 100_000.0, 500_000.0):
        found = clock.second_of(f"{hour:02}:{minute:02}:{second:02}", near_s)
        assert found is not None
        assert abs(found - near_s) <= 43_200
        assert (start + found) % 86_400 == hour * 3600 + minute * 60 + second
