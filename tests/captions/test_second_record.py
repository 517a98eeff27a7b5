"""Both answers are stored with a caption, and either can be judged by later."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.captions.second import Looked, Outcome
from extension.captions.second_asking import checked, looks
from extension.captions.second_record import KEY, read, with_second_look, without_second_look
from extension.model import Caption, Check, Chunk, Claim, Failure, Kind, Severity, Span
from tests.captions.accidents import SHOWN, TIMEOUT, caption, claim, claims, looked

FALL = claim(3.0, 4.0, description="A person falls.")


def stored(one: Caption) -> Caption:
    """The caption after its stats went through a database."""
    return replace(one, stats=json.loads(json.dumps(one.stats)))


def test_both_answers_are_there() -> None:
    """The first text stays, the second, its question and what it decided lie beside it."""
    after = with_second_look(caption(FALL), [looked((FALL,), claim(3.3, 5.0))])
    assert after.text == "the first answer"
    assert after.verdict is not None
    assert after.verdict.claims[0].span == Span(3.3, 5.0)
    page = after.stats[KEY]
    assert (page["outcome"], page["claims"][0]["outcome"]) == ("confirmed", "confirmed")
    (look,) = page["looks"]
    assert (look["text"], look["span"], look["frames"]) == ("the second answer", [0.0, 10.0], 80)
    assert (look["stats"], look["took_ms"]) == ({"latency_ms": 90}, 120)
    assert look["prompt"]["id"] == "second_look.v1"
    assert after.stats["latency_ms"] == 70


def test_what_was_not_looked_at_again_is_left_alone() -> None:
    """No record, the very same caption."""
    one = caption(claim(1.0, 2.0, severity=Severity.WARN))
    assert with_second_look(one, []) is one
    assert without_second_look(one) is one
    assert read(one) is None
    failed = Caption(Chunk(0, SHOWN), "", None, Failure("Timeout", ""))
    assert with_second_look(failed, [looked((FALL,))]) is failed


@pytest.mark.parametrize(
    ("answer", "outcome", "check"),
    [
        (looked((FALL,), FALL), Outcome.CONFIRMED, Check.CONFIRMED),
        (looked((FALL,), replace(FALL, severity=Severity.WARN)), Outcome.SOFTENED, Check.CONFIRMED),
        (looked((FALL,)), Outcome.REJECTED, None),
        (looked((FALL,), failure=TIMEOUT), Outcome.UNVERIFIED, Check.UNVERIFIED),
    ],
)
def test_the_record_tells_how_it_ended(answer: Looked, outcome: Outcome, check: Check | None) -> None:
    """Also from a database."""
    after = stored(with_second_look(caption(FALL), [answer]))
    record = read(after)
    assert record is not None
    assert record.outcome is outcome
    assert record.looks == (answer,)
    assert record.first.claims == (FALL,)
    assert after.verdict is not None
    assert [c.check for c in after.verdict.claims] == ([check] if check else [])
    assert tuple(d.after for d in record.decisions if d.after) == after.verdict.claims


def test_a_caption_that_is_placed_elsewhere_in_time_takes_its_record_along() -> None:
    """A live window is asked about in its file's time and stored in the camera's."""
    after = with_second_look(caption(FALL), [looked((FALL,), claim(3.25, 5.0))])
    placed = replace(after, chunk=Chunk(after.chunk.index, Span(1000.5, 1010.5)))
    record = read(placed)
    assert record is not None
    assert record.first.claims[0].span == Span(1003.5, 1004.5)
    assert record.looks[0].look.span == Span(1000.5, 1010.5)
    assert record.decisions[0].after is not None
    assert record.decisions[0].after.span == Span(1003.75, 1005.5)


@given(st.integers(0, 400), claims(), claims(), st.booleans())
def test_the_first_answer_comes_back_whole(
    start_s: int,
    first: tuple[Claim, ...],
    told: tuple[Claim, ...],
    down: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    """Whatever the second look said: without it, the caption is as if nobody had looked twice."""
    shown = Span(float(start_s), start_s + 10.0)
    before = caption(*(_moved(one, start_s) for one in first), span=shown)
    assert before.verdict is not None
    wanted = looks(before.verdict, start_s + 10.0)
    failure = TIMEOUT if down else None
    later = [_moved(one, start_s) for one in told]
    answers = [looked(look.claims, *later, shown=look.span, failure=failure) for look in wanted]
    after = stored(with_second_look(before, answers))
    back = without_second_look(after)
    assert back.verdict is not None
    assert (back.text, back.stats, back.chunk) == (before.text, before.stats, before.chunk)
    assert replace(back.verdict, claims=()) == replace(before.verdict, claims=())
    for one, same in zip(back.verdict.claims, before.verdict.claims, strict=True):
        assert replace(one, span=same.span) == same
        assert one.span.start_s == pytest.approx(same.span.start_s, abs=1e-6)
        assert one.span.end_s == pytest.approx(same.span.end_s, abs=1e-6)
    assert bool(checked(before.verdict)) is (KEY in after.stats)


def _moved(one: Claim, by_s: float) -> Claim:
    span = Span(round(one.span.start_s + by_s, 3), round(one.span.end_s + by_s, 3))
    return replace(one, span=span)


def test_an_added_claim_is_read_back_without_a_before() -> None:
    """What only the second look saw has no first form."""
    fire = claim(8.0, 9.0, Kind.FIRE)
    record = read(stored(with_second_look(caption(FALL), [looked((FALL,), FALL, fire)])))
    assert record is not None
    assert [(d.outcome, d.before is None) for d in record.decisions] == [
        (Outcome.CONFIRMED, False),
        (Outcome.ADDED, True),
    ]
