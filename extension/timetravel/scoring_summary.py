"""From the scores of single runs to what a group of runs comes to: sums, means, spread, intervals, and groups compared. Pure."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from extension.timetravel.evaluation import (
    TOLERANCE_S,
    Comparison,
    Match,
    PredecessorScore,
    Score,
    compare,
    predecessor_score,
)
from extension.timetravel.scoring_runs import Answers, Truth
from extension.timetravel.scoring_stats import (
    RESAMPLES,
    Interval,
    Spread,
    Statistic,
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

_HOUR_S: Final = 3600.0
_BETTER: Final = 0.2
"""Another truth that fits better by this much F1 is worth a word."""


@dataclass(frozen=True, slots=True)
class RunScore:
    """One run against its truth. `det` asks when, `att` also who; the strict ones allow no second of tolerance."""

    answers: Answers
    truth: Truth
    speed: float
    det: Comparison
    att: Comparison
    strict_det: Score
    strict_att: Score
    predecessor: PredecessorScore
    misnamed: tuple[Match, ...]
    """Of what `att` leaves over: reports at the time of a missed contact, between others than named."""

    @property
    def log_s(self) -> float:
        """Length of the log in seconds; where the truth does not tell, what the video shows of it; else the last thing known."""
        if self.truth.duration_s is not None:
            return self.truth.duration_s
        if self.answers.media_s is not None:
            return self.answers.media_s * self.speed
        return max((one.end_s for one in (*self.truth.contacts, *self.answers.reports)), default=0.0)

    @property
    def media_s(self) -> float:
        """Length of the video in seconds, from the log and the speed where the file does not tell."""
        return self.answers.media_s if self.answers.media_s is not None else self.log_s / self.speed


def score_run(answers: Answers, truth: Truth, speed: float, tolerance_s: float = TOLERANCE_S) -> RunScore:
    """Score one run."""
    reports, contacts = answers.reports, truth.contacts
    att = compare(reports, contacts, tolerance_s, attributed=True)
    return RunScore(
        answers=answers,
        truth=truth,
        speed=speed,
        det=compare(reports, contacts, tolerance_s, attributed=False),
        att=att,
        strict_det=compare(reports, contacts, 0.0, attributed=False).score,
        strict_att=compare(reports, contacts, 0.0, attributed=True).score,
        predecessor=predecessor_score(answers.seconds, truth.seconds),
        misnamed=compare(att.false_alarms, att.missed, tolerance_s, attributed=False).matches,
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of scoring over a group of runs.

    Attributes:
        score: Counts summed over the runs; its precision, recall and F1 are the micro averages.
        precision_ci: 95 % interval of the micro precision; None with a single run.
        recall_ci: The same for recall.
        f1_ci: The same for F1.
        f1_runs: F1 of the single runs; its mean is the macro average.
        macro_f1_ci: 95 % interval of the macro F1.
    """

    score: Score
    precision_ci: Interval | None
    recall_ci: Interval | None
    f1_ci: Interval | None
    f1_runs: Spread
    macro_f1_ci: Interval | None


@dataclass(frozen=True, slots=True)
class Onset:
    """How well the beginning of matched contacts is met, in seconds; the error is negative when a report is early."""

    matches: int
    median_error_s: float
    median_size_s: float
    p95_size_s: float


@dataclass(frozen=True, slots=True)
class Rate:
    """False alarms per hour, with the 95 % upper bound of a Poisson rate."""

    false_alarms: int
    hours: float
    per_hour: float
    bound_per_hour: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of work: whole runs, their share of the video's length, and single answers; None where no file tells."""

    run_s: Spread | None
    per_media_s: float | None
    answer_p50_s: float | None
    answer_p95_s: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """What a group of runs came to."""

    name: str
    runs: tuple[RunScore, ...]
    det: Figures
    att: Figures
    strict_det: Figures
    strict_att: Figures
    predecessor: Score
    predecessor_published_f1: float
    onset: Onset | None
    per_log_hour: Rate | None
    per_media_hour: Rate | None
    latency: Latency
    answered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Versus:
    """Two groups compared by macro F1 (att) over the videos that both saw; p is None when they share none."""

    one: str
    other: str
    difference: float
    videos: int
    p: float | None
    p_holm: float | None


def summarise(name: str, runs: Sequence[RunScore], *, seed: int, resamples: int = RESAMPLES) -> Group:
    """Sum up the runs of one group (at least one)."""

    def figures(scores: Sequence[Score]) -> Figures:
        return _figures(scores, seed, resamples)

    old = [run.predecessor for run in runs]
    false_alarms = sum(len(run.att.false_alarms) for run in runs)
    return Group(
        name=name,
        runs=tuple(runs),
        det=figures([run.det.score for run in runs]),
        att=figures([run.att.score for run in runs]),
        strict_det=figures([run.strict_det for run in runs]),
        strict_att=figures([run.strict_att for run in runs]),
        predecessor=Score(
            sum(one.true_positives for one in old),
            sum(one.false_positives for one in old),
            sum(one.false_negatives for one in old),
        ),
        predecessor_published_f1=round(sum(one.f1 for one in old) / len(old), 2),
        onset=_onset([match.onset_error_s for run in runs for match in run.att.matches]),
        per_log_hour=_rate(false_alarms, sum(run.log_s for run in runs)),
        per_media_hour=_rate(false_alarms, sum(run.media_s for run in runs)),
        latency=_latency(runs),
        answered=sum(run.answers.answered or 0 for run in runs),
        failed=sum(len(run.answers.unread) for run in runs),
    )


def _figures(scores: Sequence[Score], seed: int, resamples: int) -> Figures:
    counts = [(one.matched, one.false_alarms, one.missed) for one in scores]
    f1 = [one.f1 for one in scores]

    def interval(statistic: Statistic, rows: Sequence[Sequence[float]]) -> Interval | None:
        return bootstrap(rows, statistic, seed=seed, resamples=resamples)

    return Figures(
        score=Score(*(sum(column) for column in zip(*counts, strict=True))),
        precision_ci=interval(precision_of_sums, counts),
        recall_ci=interval(recall_of_sums, counts),
        f1_ci=interval(f1_of_sums, counts),
        f1_runs=spread(f1),
        macro_f1_ci=interval(mean_over_runs, [(value,) for value in f1]),
    )


def _onset(errors_s: Sequence[float]) -> Onset | None:
    if not errors_s:
        return None
    errors = np.asarray(errors_s)
    sizes = np.abs(errors)
    return Onset(
        len(errors), float(np.median(errors)), float(np.median(sizes)), float(np.quantile(sizes, 0.95))
    )


def _rate(count: int, seconds: float) -> Rate | None:
    hours = seconds / _HOUR_S
    return Rate(count, hours, count / hours, rate_bound(count, hours)) if hours > 0 else None


def _latency(runs: Sequence[RunScore]) -> Latency:
    timed = [(run.answers.execution_s, run.media_s) for run in runs if run.answers.execution_s is not None]
    media_s = math.fsum(length for _, length in timed)
    answers = [latency for run in runs for latency in run.answers.latencies_s]
    p50, p95 = np.quantile(answers, [0.5, 0.95]) if answers else (None, None)
    return Latency(
        run_s=spread([taken for taken, _ in timed]) if timed else None,
        per_media_s=math.fsum(taken for taken, _ in timed) / media_s if media_s else None,
        answer_p50_s=None if p50 is None else float(p50),
        answer_p95_s=None if p95 is None else float(p95),
    )


def versus(groups: Sequence[Group], *, seed: int, permutations: int = RESAMPLES) -> tuple[Versus, ...]:
    """Every two groups compared: paired permutation test on the F1 of runs, p adjusted by Holm's method."""
    found = []
    for one, other in itertools.combinations(groups, 2):
        mine, theirs = _by_video(one), _by_video(other)
        shared = sorted(set(mine) & set(theirs))
        p = permutation_p(mine, theirs, seed=seed, permutations=permutations)
        differences = [float(np.mean(mine[video]) - np.mean(theirs[video])) for video in shared]
        difference = float(np.mean(differences)) if differences else math.nan
        found.append(Versus(one.name, other.name, difference, len(shared), p, None))
    tested = [one for one in found if one.p is not None]
    adjusted = dict(zip(map(id, tested), holm([one.p for one in tested if one.p is not None]), strict=True))
    return tuple(
        Versus(one.one, one.other, one.difference, one.videos, one.p, adjusted.get(id(one))) for one in found
    )


def _by_video(group: Group) -> Mapping[str, Sequence[float]]:
    """F1 of the runs of each video; runs that name none are told apart by their truth."""
    videos: dict[str, list[float]] = defaultdict(list)
    for run in group.runs:
        videos[run.answers.video or run.truth.name].append(run.att.score.f1)
    return videos


def misfits(
    runs: Sequence[RunScore], truths: Sequence[Truth], tolerance_s: float = TOLERANCE_S
) -> tuple[str, ...]:
    """Runs that another of the truths fits much better than their own: a table of videos and truths may be out of date."""
    said = []
    for run in runs:
        own = run.att.score.f1
        for truth in truths:
            if truth.name == run.truth.name:
                continue
            f1 = compare(run.answers.reports, truth.contacts, tolerance_s, attributed=True).score.f1
            if f1 >= own + _BETTER:
                said.append(
                    f"{run.answers.name}: {truth.name} fits better (F1 {f1:.2f}) than its own truth {run.truth.name} ({own:.2f})"
                )
    return tuple(said)
