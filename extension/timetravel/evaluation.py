"""How good an answer is: one-to-one matching in time, and beside it the predecessor's own rule. Pure; reads no file.

The unit is a contact: one happening between one pair of objects, however long. When there is nothing to find and nothing was reported, every figure is 1.0 by definition; with anything on one side only, F1 is 0.0.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from extension.timetravel.contacts import Contact
from extension.timetravel.scoring_match import cheapest_largest
from extension.timetravel.trajectory import label_order

TOLERANCE_S: Final = 1.0
_TINY_S: Final = 1e-9
"""Absorbs rounding of times that are exactly a tolerance apart."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Objects that were reported, or truly were, in contact from `start_s` to `end_s` (both in; equal for a moment)."""

    start_s: float
    end_s: float
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a comparison and the usual figures made of them."""

    matched: int
    false_alarms: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the reports that are true."""
        reported = self.matched + self.false_alarms
        return self.matched / reported if reported else float(not self.missed)

    @property
    def recall(self) -> float:
        """Share of the truth that was reported."""
        true = self.matched + self.missed
        return self.matched / true if true else float(not self.false_alarms)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        everything = 2 * self.matched + self.false_alarms + self.missed
        return 2 * self.matched / everything if everything else 1.0


@dataclass(frozen=True, slots=True)
class Match:
    """A report and the truth that it stands for."""

    report: Occurrence
    truth: Occurrence

    @property
    def onset_error_s(self) -> float:
        """How much later than the truth the report begins, in seconds; negative when it is early."""
        return self.report.start_s - self.truth.start_s


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which report stands for which truth, and what is left over on either side, each by time."""

    matches: tuple[Match, ...]
    false_alarms: tuple[Occurrence, ...]
    missed: tuple[Occurrence, ...]

    @property
    def score(self) -> Score:
        """The counts."""
        return Score(len(self.matches), len(self.false_alarms), len(self.missed))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`det` asks when something happened, `att` also between exactly whom."""

    det: Score
    att: Score
    tolerance_s: float


@dataclass(frozen=True, slots=True)
class PredecessorScore:
    """The predecessor's counts; its figures are rounded to two decimals, as it publishes them."""

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def precision(self) -> float:
        """TP / (TP + FP)."""
        return round(self._score().precision, 2)

    @property
    def recall(self) -> float:
        """TP / (TP + FN)."""
        return round(self._score().recall, 2)

    @property
    def f1(self) -> float:
        """Harmonic mean of the unrounded precision and recall."""
        return round(self._score().f1, 2)

    def _score(self) -> Score:
        return Score(self.true_positives, self.false_positives, self.false_negatives)


def occurrences_of(contacts: Iterable[Contact], start_at: dt.datetime) -> tuple[Occurrence, ...]:
    """Contacts as occurrences in log seconds since `start_at`."""
    return tuple(
        Occurrence(
            start_s=(contact.start_at - start_at).total_seconds(),
            end_s=(contact.end_at - start_at).total_seconds(),
            objects=contact.objects,
        )
        for contact in contacts
    )


def evaluate(
    predicted: Sequence[Occurrence], truth: Sequence[Occurrence], tolerance_s: float = TOLERANCE_S
) -> Evaluation:
    """Compare reports with the truth, one to one.

    A report may be matched with a truth when the time between their spans (0 when they overlap) is at most the tolerance;
    of all ways to match, one with most matches counts. Groups of more than two objects become all their pairs first, on both sides.
    """
    return Evaluation(
        det=compare(predicted, truth, tolerance_s, attributed=False).score,
        att=compare(predicted, truth, tolerance_s, attributed=True).score,
        tolerance_s=tolerance_s,
    )


def compare(
    predicted: Iterable[Occurrence],
    truth: Iterable[Occurrence],
    tolerance_s: float = TOLERANCE_S,
    *,
    attributed: bool,
) -> Comparison:
    """Match reports with the truth as `evaluate` does, and tell which is which.

    Of all ways to match with most matches, the one whose onsets are nearest in total counts.

    Args:
        predicted: What was reported.
        truth: What truly was.
        tolerance_s: How far apart in time a match may be.
        attributed: Whether the objects must be the same as well.
    """
    reports, truths = pairs(predicted), pairs(truth)
    held = cheapest_largest(_edges(reports, truths, tolerance_s, attributed=attributed))
    taken = set(held.values())
    return Comparison(
        matches=tuple(Match(reports[report], truths[place]) for report, place in held.items()),
        false_alarms=tuple(report for number, report in enumerate(reports) if number not in held),
        missed=tuple(one for place, one in enumerate(truths) if place not in taken),
    )


def pairs(occurrences: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """The same with groups of more than two objects taken apart into all their pairs, by time."""
    found = []
    for one in occurrences:
        ids = sorted(set(one.objects), key=label_order)
        groups = itertools.combinations(ids, 2) if len(ids) > 2 else [tuple(ids)]  # noqa: PLR2004 - more than a pair
        found += [Occurrence(one.start_s, one.end_s, group) for group in groups]
    return tuple(sorted(found, key=lambda o: (o.start_s, o.end_s, o.objects)))


def seconds_of(occurrence: Occurrence) -> range:
    """The whole seconds that an occurrence touches; at least the one it begins in."""
    first = math.floor(occurrence.start_s)
    return range(first, max(math.ceil(occurrence.end_s), first + 1))


def predecessor_f1(
    predicted_seconds: Iterable[tuple[int, Collection[str]]],
    truth_seconds: Iterable[tuple[int, Collection[str]]],
) -> float:
    """The predecessor's F1; see `predecessor_score`."""
    return predecessor_score(predicted_seconds, truth_seconds).f1


def predecessor_score(
    predicted_seconds: Iterable[tuple[int, Collection[str]]],
    truth_seconds: Iterable[tuple[int, Collection[str]]],
) -> PredecessorScore:
    """Score by the predecessor's exact-second rule, with its flaws, so that figures can be compared with published ones.

    Per second the truth is one set of ids: pairs that are in contact in the same second are merged, as its prompt asks. Each
    distinct set predicted for a second is a true positive when equal to the truth's set, else a false positive; a second of the
    truth is a false negative only when nothing at all was predicted for it.

    Known flaws: a wrong answer at a true second costs no recall; two pairs in one second can only be matched by a merged answer;
    being one second off is a miss and a false alarm; a contact of n seconds counts n times.
    """
    true: dict[int, frozenset[str]] = defaultdict(frozenset)
    for second, objects in truth_seconds:
        true[second] |= frozenset(objects)
    answers: dict[int, set[frozenset[str]]] = defaultdict(set)
    for second, objects in predicted_seconds:
        answers[second].add(frozenset(objects))
    right = sum(objects == true.get(second) for second, sets in answers.items() for objects in sets)
    given = sum(len(sets) for sets in answers.values())
    return PredecessorScore(
        true_positives=right,
        false_positives=given - right,
        false_negatives=sum(second not in answers for second in true),
    )


def _edges(
    reports: Sequence[Occurrence], truths: Sequence[Occurrence], tolerance_s: float, *, attributed: bool
) -> list[dict[int, int]]:
    """Which truths each report may stand for, and how far apart their onsets are in microseconds."""
    starts_s = [truth.start_s for truth in truths]
    longest_s = max((truth.end_s - truth.start_s for truth in truths), default=0.0)
    reach_s = tolerance_s + _TINY_S
    edges = []
    for report in reports:
        first = bisect.bisect_left(starts_s, report.start_s - longest_s - reach_s)
        after = bisect.bisect_right(starts_s, report.end_s + reach_s)
        edges.append(
            {
                place: round(abs(report.start_s - starts_s[place]) * 1e6)
                for place in range(first, after)
                if _apart_s(report, truths[place]) <= reach_s
                and (not attributed or report.objects == truths[place].objects)
            }
        )
    return edges


def _apart_s(one: Occurrence, other: Occurrence) -> float:
    return max(one.start_s - other.end_s, other.start_s - one.end_s, 0.0)
