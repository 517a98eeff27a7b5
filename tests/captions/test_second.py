"""Two answers come to one: a claim is confirmed, softened or rejected, and nothing is rejected for want of an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from extension.captions import second_asking
from extension.captions.second import NEAR_S, Decision, Looked, Outcome, overall, weigh
from extension.model import Check, Claim, Kind, Severity, Span
from tests.captions.accidents import SHOWN, TIMEOUT, claim, claims, looked, verdict

FALL = claim(3.0, 4.0, description="A person falls.", confidence=0.6)


def decided(first: Claim, *told: Claim, shown: Span = SHOWN) -> Decision:
    """What becomes of one claim when a second look tells some others."""
    _, decisions = weigh(verdict(first), SHOWN, [looked((first,), *told, shown=shown)])
    return next(decision for decision in decisions if decision.before == first)


def test_what_is_seen_again_is_confirmed_with_its_finer_time() -> None:
    """Time, severity and certainty are the second look's; the first one's kind and objects stay."""
    again = claim(3.3, 5.5, severity=Severity.EXTREME, objects=("a man",), description="He collapses.")
    effective, decisions = weigh(verdict(FALL), SHOWN, [looked((FALL,), again)])
    (stands,) = effective.claims
    assert (stands.kind, stands.objects, stands.span) == (Kind.FALL, ("person",), Span(3.3, 5.5))
    assert (stands.severity, stands.check) == (Severity.EXTREME, Check.CONFIRMED)
    assert (stands.description, stands.confidence) == ("He collapses.", 0.6)
    assert (effective.status, effective.summary, effective.clock) == (Severity.EXTREME, "first", "00:00:07")
    assert decisions == (Decision(Outcome.CONFIRMED, FALL, stands),)


def test_what_is_milder_on_a_second_look_is_softened() -> None:
    """It is still confirmed, as a warning."""
    decision = decided(FALL, claim(3.0, 3.5, severity=Severity.WARN))
    assert decision.outcome is Outcome.SOFTENED
    assert decision.after is not None
    assert (decision.after.severity, decision.after.check) == (Severity.WARN, Check.CONFIRMED)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param((), id="nothing"),
        pytest.param((claim(7.0, 9.0),), id="elsewhere"),
        pytest.param((claim(3.0, 4.0, severity=Severity.SAFE),), id="called-safe"),
        pytest.param((claim(3.0, 4.0, Kind.NEAR_MISS),), id="a-near-miss"),
    ],
)
def test_what_is_not_seen_again_is_rejected(told: tuple[Claim, ...]) -> None:
    """Calm at that time, said in the schema, takes the claim back."""
    decision = decided(FALL, *told)
    assert (decision.outcome, decision.after) == (Outcome.REJECTED, None)


def test_a_rejected_claim_leaves_calm_and_the_second_summary() -> None:
    """What was said first must not be read later as what happened."""
    effective, _ = weigh(verdict(FALL), SHOWN, [looked((FALL,))])
    assert (effective.status, effective.claims, effective.summary) == (Severity.SAFE, (), "second")


@pytest.mark.parametrize(
    ("start_s", "outcome"),
    [(4.0 + NEAR_S, Outcome.CONFIRMED), (4.01 + NEAR_S, Outcome.REJECTED)],
)
def test_within_two_seconds_it_is_the_same_thing(start_s: float, outcome: Outcome) -> None:
    """A model's rounding does not reject; another moment does not confirm."""
    assert decided(FALL, claim(start_s, 9.0)).outcome is outcome


def test_things_in_words_may_go_by_another_name() -> None:
    """Who is hit also falls: one incident is not made two by a word."""
    decision = decided(FALL, claim(3.5, 4.0, Kind.COLLISION, description="A forklift hits him."))
    assert decision.outcome is Outcome.CONFIRMED
    assert decision.after is not None
    assert (decision.after.kind, decision.after.description) == (Kind.FALL, "A person falls.")
    assert decision.after.span == Span(3.5, 4.0)


def test_numbered_things_keep_their_name() -> None:
    """Where objects have labels, a fall is no collision."""
    numbered = replace(FALL, objects=("3", "7"))
    assert decided(numbered, claim(3.5, 4.0, Kind.COLLISION)).outcome is Outcome.REJECTED
    assert decided(numbered, claim(3.5, 4.0)).outcome is Outcome.CONFIRMED


def test_its_own_kind_speaks_for_a_claim_first() -> None:
    """Of a fall and a nearer collision, the fall tells when."""
    decision = decided(FALL, claim(3.0, 4.0, Kind.COLLISION), claim(4.5, 6.0))
    assert decision.after is not None
    assert decision.after.span == Span(4.5, 6.0)


def test_a_status_alone_confirms_without_a_time() -> None:
    """An answer that says danger and no more does not make the accident last ten seconds."""
    vague = Claim(Kind.OTHER, SHOWN, Severity.DANGER)
    effective, decisions = weigh(verdict(FALL), SHOWN, [looked((FALL,), vague)])
    assert [d.outcome for d in decisions] == [Outcome.CONFIRMED]
    assert effective.claims == (replace(FALL, check=Check.CONFIRMED),)


def test_what_goes_on_where_the_second_look_ends_keeps_the_later_end() -> None:
    """The frames of the second look stop; the fire does not."""
    fire = claim(1.0, 20.0, Kind.FIRE)
    decision = decided(fire, claim(0.5, 9.9, Kind.FIRE))
    assert decision.after is not None
    assert decision.after.span == Span(0.5, 20.0)
    ended = decided(fire, claim(0.5, 8.0, Kind.FIRE))
    assert ended.after is not None
    assert ended.after.span == Span(0.5, 8.0)


def test_without_a_second_answer_a_claim_stands_unverified() -> None:
    """A VLM that is away rejects nothing."""
    effective, decisions = weigh(verdict(FALL), SHOWN, [looked((FALL,), failure=TIMEOUT)])
    assert [d.outcome for d in decisions] == [Outcome.UNVERIFIED]
    assert effective == replace(verdict(FALL), claims=(replace(FALL, check=Check.UNVERIFIED),))


def test_a_claim_that_no_look_shows_stands_unverified() -> None:
    """Of many groups of claims only two are looked at; the others are not forgotten."""
    other = claim(60.0, 61.0)
    shown = Span(0.0, 90.0)
    effective, decisions = weigh(verdict(FALL, other), shown, [looked((FALL,), claim(3.0, 4.0))])
    assert [d.outcome for d in decisions] == [Outcome.CONFIRMED, Outcome.UNVERIFIED]
    assert [c.check for c in effective.claims] == [Check.CONFIRMED, Check.UNVERIFIED]


def test_warnings_are_left_alone() -> None:
    """Nobody looks twice at a warning, and no second look changes it."""
    spill = claim(1.0, 9.0, Kind.SPILL, Severity.WARN)
    effective, decisions = weigh(verdict(spill, FALL), SHOWN, [looked((FALL,))])
    assert effective.claims == (spill,)
    assert effective.status is Severity.WARN
    assert [d.before for d in decisions] == [FALL]


@pytest.mark.parametrize(
    ("told", "added"),
    [
        pytest.param(claim(8.0, 9.0, Kind.FIRE), True, id="danger-in-the-chunk"),
        pytest.param(claim(8.0, 9.0, Kind.FIRE, Severity.WARN), False, id="a-warning"),
        pytest.param(claim(10.0, 11.0, Kind.FIRE), False, id="begins-in-the-next-chunk"),
        pytest.param(claim(8.0, 9.0, Kind.NEAR_MISS, Severity.EXTREME), False, id="a-near-miss"),
        pytest.param(claim(5.0, 6.0), False, id="the-same-fall-once-more"),
    ],
)
def test_what_only_the_second_look_sees_is_added_where_it_is_grave(told: Claim, added: bool) -> None:  # noqa: FBT001 - a table's column
    """As something that was looked at once."""
    shown = Span(0.0, 14.0)
    answer = looked((FALL,), claim(3.0, 4.0), told, shown=shown)
    effective, decisions = weigh(verdict(FALL), SHOWN, [answer])
    assert (Decision(Outcome.ADDED, None, told) in decisions) is added
    assert (told in effective.claims) is added
    assert overall(decisions) is Outcome.CONFIRMED


def test_a_fire_where_a_fall_was_claimed_takes_its_place() -> None:
    """The fall is rejected for what is not there, and the fire is not lost."""
    fire = claim(8.0, 9.0, Kind.FIRE)
    effective, decisions = weigh(verdict(FALL), SHOWN, [looked((FALL,), fire)])
    assert [d.outcome for d in decisions] == [Outcome.REJECTED, Outcome.ADDED]
    assert effective.claims == (fire,)
    assert overall(decisions) is Outcome.REJECTED


def test_two_looks_that_overlap_tell_a_thing_once() -> None:
    """Each of them sees the fire between the claims."""
    late = claim(16.0, 17.0)
    fire = claim(11.0, 12.0, Kind.FIRE)
    answers = [
        looked((FALL,), FALL, fire, shown=Span(0.0, 12.0)),
        looked((late,), replace(fire, span=Span(11.2, 12.0)), late, shown=Span(11.0, 22.0)),
    ]
    effective, _ = weigh(verdict(FALL, late), Span(0.0, 30.0), answers)
    assert [c.kind for c in effective.claims] == [Kind.FALL, Kind.FALL, Kind.FIRE]


@pytest.mark.parametrize(
    ("outcomes", "all_in_all"),
    [
        ([Outcome.REJECTED, Outcome.CONFIRMED], Outcome.CONFIRMED),
        ([Outcome.UNVERIFIED, Outcome.SOFTENED], Outcome.SOFTENED),
        ([Outcome.REJECTED, Outcome.UNVERIFIED], Outcome.UNVERIFIED),
        ([Outcome.REJECTED, Outcome.REJECTED], Outcome.REJECTED),
    ],
)
def test_the_claim_that_stands_strongest_speaks_for_all(outcomes: list[Outcome], all_in_all: Outcome) -> None:
    """An answer of which one claim stands was no false alarm."""
    assert overall([Decision(outcome, FALL, None) for outcome in outcomes]) is all_in_all


@given(claims(), claims())
def test_each_grave_claim_gets_one_decision_and_calm_stays_calm(
    first: tuple[Claim, ...], told: tuple[Claim, ...]
) -> None:
    """Whatever both say: nothing is decided that was not to be checked, and the status is that of what stands."""
    before = verdict(*first)
    grave = second_asking.checked(before)
    answer = looked(grave, *told)
    effective, decisions = weigh(before, SHOWN, [answer] if grave else [])
    assert [d.before for d in decisions if d.outcome is not Outcome.ADDED] == list(grave)
    ranks = [c.severity.rank for c in effective.claims]
    assert effective.status.rank == max(ranks, default=0)
    assert {c for c in first if c not in grave} <= set(effective.claims)
    for decision in decisions:
        assert (decision.after is None) is (decision.outcome is Outcome.REJECTED)
        _check_what_stands(decision, answer)


def _check_what_stands(decision: Decision, answer: Looked) -> None:
    before, after = decision.before, decision.after
    if before is None or after is None:
        return
    assert answer.verdict is not None
    assert (after.kind, after.objects, after.check) == (before.kind, before.objects, Check.CONFIRMED)
    assert after.severity in {one.severity for one in answer.verdict.claims} - {Severity.SAFE}
    assert after.span.start_s <= after.span.end_s
    softer = after.severity.rank < before.severity.rank
    assert decision.outcome is (Outcome.SOFTENED if softer else Outcome.CONFIRMED)


@given(claims())
def test_no_answer_changes_nothing_but_the_check(first: tuple[Claim, ...]) -> None:
    """Failing open: the same claims, the grave ones marked."""
    before = verdict(*first)
    grave = second_asking.checked(before)
    effective, _ = weigh(before, SHOWN, [looked(grave, failure=TIMEOUT)] if grave else [])
    assert [replace(c, check=Check.ONCE) for c in effective.claims] == list(first)
    assert effective.status is before.status
    marked = [c for c in effective.claims if c.check is Check.UNVERIFIED]
    assert len(marked) == len(grave)


@given(claims())
def test_the_same_answer_twice_confirms_everything(first: tuple[Claim, ...]) -> None:
    """A second look that agrees rejects and adds nothing."""
    before = verdict(*first)
    grave = second_asking.checked(before)
    effective, decisions = weigh(before, SHOWN, [looked(grave, *first)] if grave else [])
    assert {d.outcome for d in decisions} <= {Outcome.CONFIRMED, Outcome.SOFTENED}
    assert len(effective.claims) == len(first)
