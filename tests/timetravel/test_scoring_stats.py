"""Intervals, tests and bounds, against values that can be worked out by hand or stand in tables."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("count", "bound"),
    [
        pytest.param(0, 2.996, id="none-seen-is-the-rule-of-three"),
        pytest.param(1, 4.744, id="one"),
        pytest.param(5, 10.513, id="five"),
        pytest.param(10, 16.962, id="ten"),
        pytest.param(50, 63.287, id="fifty"),
    ],
)
def test_the_poisson_bound_is_that_of_the_tables(count: int, bound: float) -> None:
    """Half the 95 % quantile of chi squared with 2n+2 degrees of freedom."""
    assert rate_bound(count, 1.0) == pytest.approx(bound, abs=0.001)


@given(st.integers(0, 60), st.floats(0.01, 100))
def test_a_bound_is_above_what_was_seen_and_shrinks_with_time(count: int, hours: float) -> None:
    """Twice the hours, half the bound."""
    assert rate_bound(count, hours) > count / hours
    assert rate_bound(count, 2 * hours) == pytest.approx(rate_bound(count, hours) / 2)


def test_thousands_of_false_alarms_have_a_bound_too() -> None:
    """An hour of a babbling model: about count + 1.645 roots of it."""
    assert rate_bound(3863, 1.0) == pytest.approx(3863 + 1.645 * 3863**0.5, rel=0.002)


def test_spread_of_one_run_has_no_deviation() -> None:
    """It says nothing about how runs differ."""
    assert spread([0.5]).deviation is None
    several = spread([0.2, 0.4, 0.9])
    assert several.deviation == pytest.approx(statistics.stdev([0.2, 0.4, 0.9]))
    assert several.mean == pytest.approx(0.5)
    assert (several.runs, several.least, several.most) == (3, 0.2, 0.9)


@pytest.mark.parametrize("runs", [[], [(3.0, 1.0, 2.0)]], ids=["no-run", "one-run"])
def test_fewer_than_two_runs_have_no_interval(runs: list[tuple[float, ...]]) -> None:
    """Rather none than one that means nothing."""
    assert bootstrap(runs, f1_of_sums, seed=1) is None


def test_the_statistics_of_sums_are_those_of_the_summed_counts() -> None:
    """Two resamples of two runs: matched, false alarms, missed."""
    counts = np.array([[[8, 2, 0], [4, 0, 6]], [[0, 0, 0], [0, 0, 0]]], dtype=np.float64)
    assert f1_of_sums(counts) == pytest.approx([24 / 32, 1.0])
    assert precision_of_sums(counts) == pytest.approx([12 / 14, 1.0])
    assert recall_of_sums(counts) == pytest.approx([12 / 18, 1.0])


def test_one_sided_counts_are_worth_nothing() -> None:
    """Only false alarms, then only misses."""
    counts = np.array([[[0, 3, 0]], [[0, 0, 3]]], dtype=np.float64)
    for figure in (f1_of_sums, precision_of_sums, recall_of_sums):
        assert list(figure(counts)) == [0.0, 0.0]


def test_runs_that_are_all_alike_leave_no_doubt() -> None:
    """The interval is the figure."""
    interval = bootstrap([(0.5,)] * 4, mean_over_runs, seed=1)
    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_the_interval_is_near_the_normal_one_for_many_runs() -> None:
    """Mean of 200 values: 1.96 standard errors to either side."""
    values = np.random.default_rng(5).normal(10, 2, 200)
    interval = bootstrap([(value,) for value in values], mean_over_runs, seed=2)
    assert interval is not None
    error = values.std(ddof=1) / 200**0.5
    assert interval.low == pytest.approx(values.mean() - 1.96 * error, abs=0.06)
    assert interval.high == pytest.approx(values.mean() + 1.96 * error, abs=0.06)


def test_a_skewed_sample_moves_the_interval_to_the_long_tail() -> None:
    """That is what the correction is for."""
    values = [0.1] * 12 + [0.2] * 5 + [3.0]
    interval = bootstrap([(value,) for value in values], mean_over_runs, seed=3)
    assert interval is not None
    plain = np.quantile(
        np.random.default_rng(3).choice(values, size=(10_000, len(values))).mean(axis=1), [0.025, 0.975]
    )
    assert interval.high > plain[1]


def test_the_same_seed_gives_the_same_interval() -> None:
    """Another one hardly differs."""
    rows = [(8, 1, 1), (7, 2, 2), (9, 0, 0), (5, 5, 4)]
    once, again, other = (bootstrap(rows, f1_of_sums, seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert once is not None
    assert other is not None
    assert other.low == pytest.approx(once.low, abs=0.03)


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=2, max_size=6))
def test_an_interval_lies_within_the_possible(rows: list[tuple[int, ...]]) -> None:
    """Between 0 and 1, low end first."""
    interval = bootstrap(rows, f1_of_sums, seed=1, resamples=200)
    assert interval is not None
    assert 0 <= interval.low <= interval.high <= 1


def exact_p(one: Sequence[float], other: Sequence[float]) -> float:
    """The paired sign-flip test by trying all signs."""
    differences = [a - b for a, b in zip(one, other, strict=True)]
    seen = abs(sum(differences))
    flips = list(itertools.product((1, -1), repeat=len(differences)))
    far = sum(
        abs(sum(s * d for s, d in zip(flip, differences, strict=True))) >= seen - 1e-12 for flip in flips
    )
    return far / len(flips)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param([0.9, 0.8, 0.95, 0.7, 0.8, 0.9], [0.5, 0.6, 0.65, 0.5, 0.7, 0.3], id="always-better"),
        pytest.param([0.9, 0.2, 0.8, 0.4, 0.5], [0.8, 0.4, 0.5, 0.6, 0.1], id="mixed"),
        pytest.param([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], id="the-same"),
    ],
)
def test_one_run_per_video_is_the_paired_test(one: list[float], other: list[float]) -> None:
    """Within chance of the exact p."""
    names = "abcdef"
    p = permutation_p(
        {name: [value] for name, value in zip(names, one, strict=False)},
        {name: [value] for name, value in zip(names, other, strict=False)},
        seed=4,
    )
    assert p == pytest.approx(exact_p(one, other), abs=0.015)


def test_runs_of_one_video_are_shuffled_within_it() -> None:
    """Five good against five bad: two of 252 arrangements are as far apart."""
    p = permutation_p({"v": [0.9, 0.8, 0.85, 0.95, 0.7]}, {"v": [0.1, 0.2, 0.3, 0.15, 0.25]}, seed=1)
    assert p == pytest.approx(2 / 252, abs=0.004)


def test_videos_that_only_one_group_saw_do_not_count() -> None:
    """An easy video of one's own is no advantage."""
    shared = permutation_p({"a": [0.5], "b": [0.6]}, {"a": [0.5], "b": [0.6]}, seed=1)
    assert (
        permutation_p({"a": [0.5], "b": [0.6], "easy": [1.0]}, {"a": [0.5], "b": [0.6]}, seed=1)
        == shared
        == 1.0
    )
    assert permutation_p({"a": [0.5]}, {"b": [0.6]}, seed=1) is None


@pytest.mark.parametrize(
    ("values", "adjusted"),
    [
        pytest.param([], [], id="none"),
        pytest.param([0.03], [0.03], id="one-stays"),
        pytest.param([0.01, 0.04, 0.03], [0.03, 0.06, 0.06], id="textbook"),
        pytest.param([0.5, 0.6], [1.0, 1.0], id="never-above-one"),
        pytest.param([0.01, 0.02, 0.02, 0.4], [0.04, 0.06, 0.06, 0.4], id="never-decreasing"),
    ],
)
def test_holm(values: list[float], adjusted: list[float]) -> None:
    """Step-down, worked by hand."""
    assert holm(values) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_never_makes_a_p_smaller(values: list[float]) -> None:
    """And keeps their order."""
    adjusted = holm(values)
    assert all(a >= v - 1e-12 for a, v in zip(adjusted, values, strict=True))
    by_value = [a for _, a in sorted(zip(values, adjusted, strict=True))]
    assert by_value == sorted(by_value)
