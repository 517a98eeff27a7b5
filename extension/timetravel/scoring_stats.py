"""How sure a figure is: bootstrap intervals, permutation tests with Holm's correction, and bounds on rates. Pure; chance is seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

RESAMPLES: Final = 10_000
CONFIDENCE: Final = 0.95

_FEWEST: Final = 2
"""One run says nothing about how runs differ."""

_BATCH: Final = 2_000_000
"""At most so many numbers are drawn at once (16 MB)."""

_HALVINGS: Final = 60

Values = npt.NDArray[np.float64]
Statistic = Callable[[Values], Values]
"""From resamples of shape (b, runs, columns) to one figure per resample, shape (b,)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends in."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure differs from run to run; `deviation` (n-1) is None with a single run."""

    runs: int
    mean: float
    deviation: float | None
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Mean, sample standard deviation and range of one figure over runs (at least one)."""
    array = np.asarray(values, dtype=np.float64)
    deviation = float(array.std(ddof=1)) if len(array) >= _FEWEST else None
    return Spread(len(array), float(array.mean()), deviation, float(array.min()), float(array.max()))


def f1_of_sums(counts: Values) -> Values:
    """F1 of counts summed over runs; columns are matched, false alarms, missed. Shape (b, runs, 3) to (b,)."""
    matched, false_alarms, missed = np.moveaxis(counts.sum(axis=1), -1, 0)
    everything = 2 * matched + false_alarms + missed
    return np.where(everything > 0, 2 * matched / np.where(everything > 0, everything, 1), 1.0)


def precision_of_sums(counts: Values) -> Values:
    """Precision of counts summed over runs; shapes as in `f1_of_sums`."""
    matched, false_alarms, missed = np.moveaxis(counts.sum(axis=1), -1, 0)
    return _share(matched, matched + false_alarms, missed)


def recall_of_sums(counts: Values) -> Values:
    """Recall of counts summed over runs; shapes as in `f1_of_sums`."""
    matched, false_alarms, missed = np.moveaxis(counts.sum(axis=1), -1, 0)
    return _share(matched, matched + missed, false_alarms)


def mean_over_runs(values: Values) -> Values:
    """Mean of the first column over runs; shape (b, runs, 1) to (b,)."""
    means: Values = values[..., 0].mean(axis=1)
    return means


def _share(part: Values, whole: Values, rest: Values) -> Values:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), (rest == 0).astype(np.float64))


def bootstrap(
    rows: Sequence[Sequence[float]], statistic: Statistic, *, seed: int, resamples: int = RESAMPLES
) -> Interval | None:
    """Confidence interval of a figure by resampling whole runs: bias-corrected and accelerated (BCa, Efron 1987).

    Where the correction is not defined (all runs alike, or every resample on one side of the figure) the plain percentile
    interval is given.

    Args:
        rows: One row per run.
        statistic: Makes the figure of many resamples at once.
        seed: Of the resampling; the same seed gives the same interval.
        resamples: How many.

    Returns:
        The 95 % interval; None with fewer than two runs.
    """
    data = np.asarray(rows, dtype=np.float64)
    if len(data) < _FEWEST:
        return None
    figures = _resampled(data, statistic, np.random.default_rng(seed), resamples)
    tails = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    low, high = np.quantile(figures, _corrected(tails, figures, data, statistic))
    return Interval(float(low), float(high))


def _resampled(data: Values, statistic: Statistic, random: np.random.Generator, resamples: int) -> Values:
    batch = max(1, _BATCH // data.size)
    parts = [
        statistic(data[random.integers(0, len(data), size=(min(batch, resamples - done), len(data)))])
        for done in range(0, resamples, batch)
    ]
    return np.concatenate(parts)


def _corrected(tails: Values, figures: Values, data: Values, statistic: Statistic) -> Values:
    """The tails moved for bias and acceleration."""
    figure = statistic(data[np.newaxis])[0]
    # Sums of the same values in another order differ in their last bits: these are ties.
    tied = np.isclose(figures, figure, rtol=1e-12, atol=1e-12)
    below = float(np.mean((figures < figure) & ~tied) + np.mean(tied) / 2)
    others = np.stack([np.delete(data, run, axis=0) for run in range(len(data))])
    left_out = statistic(others)
    off = left_out.mean() - left_out
    size = float((off**2).sum()) ** 1.5
    if not 0 < below < 1 or size == 0:
        return tails
    normal = NormalDist()
    bias, acceleration = normal.inv_cdf(below), float((off**3).sum()) / (6 * size)
    moved = []
    for tail in tails:
        z = bias + normal.inv_cdf(float(tail))
        moved.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return np.asarray(moved)


def permutation_p(
    one: Mapping[str, Sequence[float]],
    other: Mapping[str, Sequence[float]],
    *,
    seed: int,
    permutations: int = RESAMPLES,
) -> float | None:
    """Two-sided p of the difference of means between two groups, paired by video.

    Within every video that both groups saw, the group labels of its runs are shuffled; with one run each that is the paired
    sign-flip test. The figure is the mean over videos of the difference of mean scores. The arrangement seen counts as one of
    the permutations (Phipson and Smyth 2010), so p is never 0.

    Returns:
        None when no video is shared.
    """
    videos = sorted(set(one) & set(other))
    if not videos:
        return None
    random = np.random.default_rng(seed)
    seen, shuffled = 0.0, np.zeros(permutations)
    for video in videos:
        pooled = np.asarray([*one[video], *other[video]], dtype=np.float64)
        first = len(one[video])
        seen += pooled[:first].mean() - pooled[first:].mean()
        drawn = random.permuted(np.tile(pooled, (permutations, 1)), axis=1)
        shuffled += drawn[:, :first].mean(axis=1) - drawn[:, first:].mean(axis=1)
    # Sums of the same numbers in another order differ in the last bits.
    as_far = int(np.count_nonzero(np.abs(shuffled) >= abs(seen) - 1e-12))
    return (as_far + 1) / (permutations + 1)


def holm(values: Sequence[float]) -> list[float]:
    """The p values adjusted for their number by Holm's step-down method (1979), in the order given."""
    adjusted = [0.0] * len(values)
    floor = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        floor = max(floor, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = floor
    return adjusted


def rate_bound(count: int, hours: float) -> float:
    """The 95 % upper bound of a Poisson rate per hour when `count` were seen in that many hours (0 seen: 3/hours).

    The exact one-sided bound: the rate at which seeing so few has a chance of 5 %, found by bisection.
    """
    factorials = np.array([math.lgamma(seen + 1) for seen in range(count + 1)])
    low, high = float(count), 2.0 * count + 10.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(factorials, middle) > 1 - CONFIDENCE else (low, middle)
    return high / hours


def _at_most(factorials: Values, mean: float) -> float:
    """Chance of at most n where `mean` are expected; `factorials` are the logarithms of 0! to n!, shape (n + 1,)."""
    logs = np.arange(len(factorials)) * math.log(mean) - mean - factorials
    return float(np.exp(logs).sum())
