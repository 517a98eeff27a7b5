"""Scores, checked by hand-worked cases and by properties that any matching must have."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.contacts import Contact
from extension.timetravel.evaluation import (
    Occurrence,
    Score,
    compare,
    evaluate,
    occurrences_of,
    predecessor_f1,
    predecessor_score,
    seconds_of,
)


def moment(second: float, *objects: str) -> Occurrence:
    """A contact without length."""
    return Occurrence(second, second, objects or ("1", "2"))


def test_the_same_on_both_sides_is_perfect() -> None:
    """In every figure."""
    both = [moment(3, "1", "2"), moment(9, "2", "4")]
    result = evaluate(both, both)
    assert result.det == result.att == Score(matched=2, false_alarms=0, missed=0)
    assert (result.att.precision, result.att.recall, result.att.f1) == (1.0, 1.0, 1.0)


def test_nothing_found_where_nothing_was_is_perfect_by_definition() -> None:
    """Empty against empty."""
    assert evaluate([], []).att.f1 == 1.0
    assert (evaluate([], []).det.precision, evaluate([], []).det.recall) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("predicted", "truth", "score"),
    [
        pytest.param([], [moment(3)], Score(0, 0, 1), id="missed"),
        pytest.param([moment(3)], [], Score(0, 1, 0), id="false-alarm"),
    ],
)
def test_one_side_empty_is_worthless(
    predicted: list[Occurrence], truth: list[Occurrence], score: Score
) -> None:
    """Precision, recall and F1 are all 0."""
    det = evaluate(predicted, truth).det
    assert det == score
    assert (det.precision, det.recall, det.f1) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("apart_s", "matched"),
    [
        pytest.param(0.0, 1, id="same-time"),
        pytest.param(1.0, 1, id="exactly-the-tolerance"),
        pytest.param(1.01, 0, id="just-beyond"),
        pytest.param(-1.0, 1, id="early"),
    ],
)
def test_time_may_be_off_by_the_tolerance(apart_s: float, matched: int) -> None:
    """One second unless said otherwise."""
    assert evaluate([moment(10 + apart_s)], [moment(10)]).att.matched == matched


def test_spans_are_as_far_apart_as_their_nearest_ends() -> None:
    """Overlapping spans are not apart at all, however different their starts."""
    truth = [Occurrence(10, 20, ("1", "2"))]
    assert evaluate([Occurrence(19.9, 40, ("1", "2"))], truth, tolerance_s=0).att.matched == 1
    assert evaluate([Occurrence(21, 22, ("1", "2"))], truth).att.matched == 1
    assert evaluate([Occurrence(5, 8.9, ("1", "2"))], truth).att.matched == 0


def test_wrong_objects_are_seen_but_not_attributed() -> None:
    """One figure asks when, the other also who."""
    result = evaluate([moment(5, "1", "3")], [moment(5, "1", "2")])
    assert result.det == Score(1, 0, 0)
    assert result.att == Score(0, 1, 1)


def test_the_order_of_objects_does_not_matter() -> None:
    """Nor does naming one twice."""
    assert evaluate([moment(5, "4", "10", "4")], [moment(5, "10", "4")]).att.matched == 1


def test_one_report_matches_one_truth() -> None:
    """Reporting a contact three times is two false alarms."""
    assert evaluate([moment(5)] * 3, [moment(5)]).att == Score(1, 2, 0)


def test_the_matching_is_the_largest_not_the_first() -> None:
    """Greedy matching by time would give the middle report to the first truth and lose one."""
    predicted = [moment(1.0), moment(1.9)]
    truth = [moment(2.0), moment(2.8)]
    assert evaluate(predicted, truth).att.matched == 2


def test_a_chain_of_moves_is_found() -> None:
    """Every report must move on by one for the last to find a place."""
    truth = [moment(float(i)) for i in range(50)]
    predicted = [moment(i + 0.5) for i in range(49)] + [moment(0.2)]
    assert evaluate(predicted, truth).att.matched == 50


def test_groups_become_pairs() -> None:
    """Three in one report are three pairs, on either side."""
    result = evaluate([moment(5, "1", "2", "3")], [moment(5, "1", "2"), moment(5, "2", "3")])
    assert result.att == Score(matched=2, false_alarms=1, missed=0)
    merged = evaluate(
        [moment(5, "1", "2"), moment(5, "1", "3"), moment(5, "2", "3")], [moment(5, "3", "2", "1")]
    )
    assert merged.att.f1 == 1.0


def test_a_hand_worked_case() -> None:
    """Three truths; two found (one a second late), one false alarm: P 2/3, R 2/3, F1 2/3."""
    truth = [moment(10, "1", "2"), moment(20, "1", "3"), moment(30, "2", "3")]
    att = evaluate([moment(11, "1", "2"), moment(20, "1", "3"), moment(30, "2", "4")], truth).att
    assert (att.precision, att.recall, att.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


occurrences = st.lists(
    st.builds(
        lambda start, length, pair: Occurrence(start / 4, (start + length) / 4, pair),
        st.integers(0, 40),
        st.integers(0, 6),
        st.sampled_from([("1", "2"), ("1", "3"), ("2", "3")]),
    ),
    max_size=6,
)


def largest_by_trying_all(predicted: list[Occurrence], truth: list[Occurrence]) -> int:
    """The largest matching, by brute force over all assignments of the shorter side."""
    short, long = sorted((predicted, truth), key=len)
    fits = [
        [max(a.start_s - b.end_s, b.start_s - a.end_s, 0) <= 1 and a.objects == b.objects for b in long]
        for a in short
    ]
    orders = itertools.permutations(range(len(long)), len(short))
    return max((sum(fits[i][j] for i, j in enumerate(order)) for order in orders), default=0)


@given(occurrences, occurrences)
def test_the_matching_is_as_large_as_any(predicted: list[Occurrence], truth: list[Occurrence]) -> None:
    """Compared with trying them all."""
    assert evaluate(predicted, truth).att.matched == largest_by_trying_all(predicted, truth)


@given(occurrences, occurrences)
def test_scores_are_symmetric_and_att_is_never_above_det(
    predicted: list[Occurrence], truth: list[Occurrence]
) -> None:
    """Swapping the sides swaps precision and recall."""
    there, back = evaluate(predicted, truth), evaluate(truth, predicted)
    assert there.det.f1 == back.det.f1
    assert there.att.precision == back.att.recall
    assert there.att.matched <= there.det.matched


def test_thousands_of_reports_are_scored_at_once() -> None:
    """A babbling model's hour."""
    truth = [moment(60.0 * i) for i in range(60)]
    predicted = [moment(float(i)) for i in range(3600)]
    assert evaluate(predicted, truth).det == Score(60, 3540, 0)


def test_contacts_become_occurrences_in_log_seconds() -> None:
    """Since the log's first instant."""
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    contact = Contact(("1", "2"), start + 3 * second, start + 5 * second, 10.0, start + 4 * second)
    assert occurrences_of([contact], start) == (Occurrence(3.0, 5.0, ("1", "2")),)


@pytest.mark.parametrize(
    ("predicted", "truth", "counts", "f1"),
    [
        pytest.param([(3, "12")], [(3, "12")], (1, 0, 0), 1.0, id="right"),
        pytest.param([(3, "21")], [(3, "12")], (1, 0, 0), 1.0, id="order-does-not-matter"),
        pytest.param([(3, "12"), (3, "12")], [(3, "12")], (1, 0, 0), 1.0, id="repeats-count-once"),
        pytest.param([(4, "12")], [(3, "12")], (0, 1, 1), 0.0, id="one-second-off-is-wrong-twice"),
        pytest.param([(3, "13")], [(3, "12")], (0, 1, 0), 0.0, id="a-wrong-answer-costs-no-recall"),
        pytest.param(
            [(3, "12"), (3, "13")], [(3, "12")], (1, 1, 0), 0.67, id="right-and-wrong-in-one-second"
        ),
        pytest.param(
            [(3, "12"), (3, "34")], [(3, "12"), (3, "34")], (0, 2, 0), 0.0, id="two-pairs-cannot-be-matched"
        ),
        pytest.param([(3, "1234")], [(3, "12"), (3, "34")], (1, 0, 0), 1.0, id="unless-merged-into-one-set"),
        pytest.param([], [(3, "12")], (0, 0, 1), 0.0, id="nothing-said"),
        pytest.param([(3, "12")], [], (0, 1, 0), 0.0, id="nothing-true"),
        pytest.param([], [], (0, 0, 0), 1.0, id="nothing-on-both-sides"),
        pytest.param(
            [(1, "12"), (2, "12"), (5, "13"), (7, "14"), (7, "24")],
            [(1, "12"), (2, "12"), (3, "12"), (7, "24")],
            (3, 2, 1),
            0.67,
            id="hand-worked-p-0.60-r-0.75",
        ),
    ],
)
def test_the_predecessors_rule(
    predicted: list[tuple[int, str]], truth: list[tuple[int, str]], counts: tuple[int, int, int], f1: float
) -> None:
    """Exact seconds, one set of ids per second, flaws included; ids are the letters of the strings."""
    score = predecessor_score(predicted, truth)
    assert (score.true_positives, score.false_positives, score.false_negatives) == counts
    assert predecessor_f1(predicted, truth) == f1


def test_the_predecessors_figures_are_rounded() -> None:
    """To two decimals, F1 from the unrounded ones."""
    score = predecessor_score([(1, "12"), (2, "12"), (3, "13")], [(1, "12"), (2, "12"), (4, "14")])
    assert (score.precision, score.recall, score.f1) == (0.67, 0.67, 0.67)
    score = predecessor_score([(1, "12"), (9, "12"), (8, "13")], [(1, "12")])
    assert (score.precision, score.recall, score.f1) == (0.33, 1.0, 0.5)


answers = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["12", "13", "23", "123"])), max_size=10)


def by_the_book(predicted: list[tuple[int, str]], truth: list[tuple[int, str]]) -> tuple[int, int, int]:
    """The predecessor's rule once more, second by second."""
    right = wrong = missed = 0
    for second in range(7):
        true = {letter for s, ids in truth for letter in ids if s == second}
        said = {frozenset(ids) for s, ids in predicted if s == second}
        right += sum(ids == true for ids in said)
        wrong += sum(ids != true for ids in said)
        missed += bool(true and not said)
    return right, wrong, missed


@given(answers, answers)
def test_the_predecessors_rule_second_by_second(
    predicted: list[tuple[int, str]], truth: list[tuple[int, str]]
) -> None:
    """Two ways of counting, one result; the figures follow from the counts."""
    score = predecessor_score(predicted, truth)
    right, wrong, missed = by_the_book(predicted, truth)
    assert (score.true_positives, score.false_positives, score.false_negatives) == (right, wrong, missed)
    if right:
        precision, recall = right / (right + wrong), right / (right + missed)
        assert score.f1 == pytest.approx(2 * precision * recall / (precision + recall), abs=0.0051)


@given(occurrences, st.floats(0, 5))
def test_a_wider_tolerance_never_finds_less(predicted: list[Occurrence], tolerance_s: float) -> None:
    """Nor does a truth compared with itself ever miss."""
    shifted = [Occurrence(o.start_s + 2, o.end_s + 2, o.objects) for o in predicted]
    assert (
        evaluate(shifted, predicted, tolerance_s).att.matched <= evaluate(shifted, predicted, 5.0).att.matched
    )
    assert evaluate(predicted, predicted, tolerance_s).att.f1 == 1.0


def test_of_equally_large_matchings_the_nearest_counts() -> None:
    """Two reports within reach of one contact: the one that begins nearer is the hit, the other the false alarm."""
    result = compare([moment(9.2), moment(10.1)], [moment(10)], attributed=True)
    (match,) = result.matches
    assert (match.report.start_s, match.onset_error_s) == pytest.approx((10.1, 0.1))
    assert [one.start_s for one in result.false_alarms] == [9.2]
    assert result.score == Score(1, 1, 0)


def test_size_comes_before_nearness() -> None:
    """A report gives up its own contact when another would find none."""
    result = compare([moment(10.0), moment(9.0)], [moment(10.0), moment(11.0)], attributed=True)
    assert [(m.report.start_s, m.truth.start_s) for m in result.matches] == [(9.0, 10.0), (10.0, 11.0)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "seconds"),
    [(5.0, 5.0, [5]), (5.2, 5.9, [5]), (5.2, 6.1, [5, 6]), (5.0, 6.0, [5]), (-0.5, 0.0, [-1])],
)
def test_the_seconds_that_an_occurrence_touches(start_s: float, end_s: float, seconds: list[int]) -> None:
    """At least the one it begins in, also when it has no length."""
    assert list(seconds_of(Occurrence(start_s, end_s, ("1", "2")))) == seconds
