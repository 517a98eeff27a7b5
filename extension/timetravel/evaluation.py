"""How good an answer is: one-to-one matching in time, and beside it the predecessor's own rule. Pure; reads no file.

When there is nothing to find and nothing was reported, every figure is 1.0 by definition; with anything on one side only, F1 is 0.0.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from extension.timetravel.contacts import Contact
from extension.timetravel.trajectory import label_order

TOLERANCE_S: Final = 1.0
_TINY_S: Final = 1e-9
"""Absorbs rounding of times that are exactly a tolerance apart."""

Adjacency = Sequence[Sequence[int]]


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
    predicted: Iterable[Occurrence], truth: Iterable[Occurrence], tolerance_s: float = TOLERANCE_S
) -> Evaluation:
    """Compare reports with the truth, one to one.

    A report may be matched with a truth when the time between their spans (0 when they overlap) is at most the tolerance;
    of all ways to match, one with most matches counts. Groups of more than two objects become all their pairs first, on both sides.
    """
    reports, truths = _pairs(predicted), _pairs(truth)
    return Evaluation(
        det=_score(reports, truths, tolerance_s, attributed=False),
        att=_score(reports, truths, tolerance_s, attributed=True),
        tolerance_s=tolerance_s,
    )


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


def _pairs(occurrences: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    found = []
    for one in occurrences:
        ids = sorted(set(one.objects), key=label_order)
        groups = itertools.combinations(ids, 2) if len(ids) > 2 else [tuple(ids)]  # noqa: PLR2004 - more than a pair
        found += [Occurrence(one.start_s, one.end_s, group) for group in groups]
    return tuple(sorted(found, key=lambda o: (o.start_s, o.end_s, o.objects)))


def _score(
    reports: Sequence[Occurrence], truths: Sequence[Occurrence], tolerance_s: float, *, attributed: bool
) -> Score:
    adjacency = [
        [
            place
            for place, truth in enumerate(truths)
            if _apart_s(report, truth) <= tolerance_s + _TINY_S
            and (not attributed or report.objects == truth.objects)
        ]
        for report in reports
    ]
    matched = _matched(adjacency)
    return Score(matched=matched, false_alarms=len(reports) - matched, missed=len(truths) - matched)


def _apart_s(one: Occurrence, other: Occurrence) -> float:
    return max(one.start_s - other.end_s, other.start_s - one.end_s, 0.0)


def _matched(adjacency: Adjacency) -> int:
    """Size of a maximum matching (Berge: grow it by augmenting paths until there are none)."""
    holds: dict[int, int] = {}  # report -> truth
    held_by: dict[int, int] = {}  # truth -> report
    for report in range(len(adjacency)):
        truth, reached_from = _free_truth(adjacency, report, held_by)
        while truth is not None:
            walker = reached_from[truth]
            freed = holds.get(walker)
            holds[walker], held_by[truth] = truth, walker
            truth = freed
    return len(holds)


def _free_truth(
    adjacency: Adjacency, report: int, held_by: dict[int, int]
) -> tuple[int | None, dict[int, int]]:
    """A truth that nobody holds, reached from a report by alternating steps (breadth first), and how each truth was reached."""
    reached_from: dict[int, int] = {}
    frontier = [report]
    for walker in frontier:
        for truth in adjacency[walker]:
            if truth in reached_from:
                continue
            reached_from[truth] = walker
            if truth not in held_by:
                return truth, reached_from
            frontier.append(held_by[truth])
    return None, reached_from
