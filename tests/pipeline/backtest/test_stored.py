"""Stored answers under other terms: what was shadowed is left out, first answers come back, and what nobody asked is counted, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Caption, Check, Claim, Kind, Severity, Span
from extension.pipeline.backtest.stored import NOT_ASKED, Terms, Unknown, retold, stride_s
from tests.pipeline.backtest.samples import caption, checked, claim

USUAL = Terms(10.0)
SPAN = Span(0.0, 10.0)
FALL = claim(3.0, 4.0)


def gate(decision: str, mode: str = "shadow", *, asked: bool = True) -> dict[str, Any]:
    """What a window's record says of the gate."""
    stats: dict[str, Any] = {"gate": {"mode": mode, "decision": decision, "reason": "still"}}
    return stats if asked else stats | {"asked": False}


def claims(captions: Sequence[Caption]) -> list[list[Claim]]:
    """What the captions say now."""
    return [list(one.verdict.claims) if one.verdict else [] for one in captions]


def test_under_the_usual_terms_everything_is_as_it_was() -> None:
    """Failures and what was not asked included."""
    told = [
        caption(0, SPAN, FALL),
        caption(1, SPAN, failure="Garbled"),
        caption(2, SPAN, stats=gate("gated", "on", asked=False)),
        checked(caption(3, SPAN, FALL), FALL),
    ]
    assert retold(told, USUAL) == (told, Unknown())


def test_what_the_gate_would_have_left_out_is_left_out() -> None:
    """A window in shadow was asked all the same: now it counts as not asked."""
    told = [caption(0, SPAN, FALL, stats=gate("gated")), caption(1, SPAN, FALL, stats=gate("look"))]
    after, unknown = retold(told, Terms(10.0, gate=True))
    assert claims(after) == [[], [FALL]]
    assert [one.asked for one in after] == [False, True]
    assert after[0].verdict is not None
    assert after[0].verdict.summary == NOT_ASKED
    assert unknown == Unknown()


def test_a_failure_that_the_gate_would_have_left_out_is_none() -> None:
    """Nobody would have asked."""
    after, _ = retold([caption(0, SPAN, failure="Timeout", stats=gate("gated"))], Terms(10.0, gate=True))
    assert after[0].failure is None
    assert not after[0].asked


def test_windows_without_a_word_of_the_gate_are_taken_as_looked_at() -> None:
    """And counted: nobody knows."""
    after, unknown = retold([caption(0, SPAN, FALL), caption(1, SPAN)], Terms(10.0, gate=True))
    assert claims(after) == [[FALL], []]
    assert unknown == Unknown(ungated=2)


def test_what_was_never_asked_stays_unknown() -> None:
    """Without the gate it would have been; what it showed cannot be told."""
    told = [
        caption(0, SPAN, stats=gate("gated", "on", asked=False)),
        caption(1, SPAN, stats=gate("look", "on")),
    ]
    after, unknown = retold(told, Terms(10.0, gate=False))
    assert after == told
    assert unknown == Unknown(gated=1)


def test_what_a_replays_selection_spared_is_not_the_gates() -> None:
    """It has its own reason."""
    _, unknown = retold(
        [caption(0, SPAN, stats={"asked": False, "why": "far apart"})], Terms(1.0, gate=False)
    )
    assert unknown.gated == 0


def test_without_second_looks_the_first_answer_counts() -> None:
    """Rejected claims come back, softened ones are as bad as they were."""
    softer = claim(3.0, 4.0, severity=Severity.WARN)
    told = [checked(caption(0, SPAN, FALL)), checked(caption(1, SPAN, FALL), softer)]
    assert claims(told) != [[FALL], [FALL]]
    after, unknown = retold(told, Terms(10.0, second_look=False))
    assert claims(after) == [[FALL], [FALL]]
    assert unknown == Unknown()


def test_with_second_looks_they_count_where_they_were_made() -> None:
    """Verdicts of danger that nobody checked are counted, milder ones need no check."""
    mild = claim(3.0, 4.0, severity=Severity.WARN)
    told = [checked(caption(0, SPAN, FALL)), caption(1, SPAN, FALL), caption(2, SPAN, mild)]
    after, unknown = retold(told, Terms(10.0, second_look=True))
    assert after == told
    assert unknown == Unknown(once=1)


def test_a_confirmed_claim_says_so_only_with_second_looks() -> None:
    """The first answer was said once."""
    told = [checked(caption(0, SPAN, FALL), FALL)]
    with_look, without = (retold(told, Terms(10.0, second_look=on))[0] for on in (True, False))
    assert [c.check for c in claims(with_look)[0]] == [Check.CONFIRMED]
    assert [c.check for c in claims(without)[0]] == [Check.ONCE]


@pytest.mark.parametrize(
    ("least", "kept"),
    [
        pytest.param(Severity.WARN, 3, id="all"),
        pytest.param(Severity.DANGER, 2, id="danger"),
        pytest.param(Severity.EXTREME, 1, id="extreme"),
    ],
)
def test_milder_claims_are_no_events(least: Severity, kept: int) -> None:
    """The worse ones stay."""
    told = caption(
        0, SPAN, *(claim(1.0, 2.0, severity=s) for s in (Severity.WARN, Severity.DANGER, Severity.EXTREME))
    )
    after, _ = retold([told], Terms(10.0, least_severity=least))
    assert len(claims(after)[0]) == kept
    assert after[0].text == told.text


def test_a_claim_that_a_second_look_softened_is_as_mild_as_it_stands() -> None:
    """The least severity is asked of what stands in the end."""
    told = checked(caption(0, SPAN, FALL), claim(3.0, 4.0, severity=Severity.WARN))
    danger = Terms(10.0, least_severity=Severity.DANGER)
    assert claims(retold([told], danger)[0]) == [[]]
    first = Terms(10.0, least_severity=Severity.DANGER, second_look=False)
    assert claims(retold([told], first)[0]) == [[FALL]]


def test_the_stride_is_told_from_the_windows() -> None:
    """Also where some are missing, and where segments moved their beginnings a little."""
    windows = [
        caption(n, Span(5.0 * n + off, 5.0 * n + off + 12))
        for n, off in ((4, 0.3), (5, -0.2), (8, 0.0), (9, 0.1))
    ]
    told = stride_s(windows)
    assert told is not None
    assert told == pytest.approx(5.0, abs=0.3)


def test_chunks_side_by_side_have_no_stride() -> None:
    """A recording's chunks do not overlap; neither does a single one."""
    assert stride_s([caption(n, Span(10.0 * n, 10.0 * n + 10)) for n in range(5)]) is None
    assert stride_s([caption(0, SPAN)]) is None
    assert stride_s([]) is None


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([None, "look", "gated"]),
            st.booleans(),
            st.lists(st.sampled_from([Severity.WARN, Severity.DANGER, Severity.EXTREME]), max_size=3),
        ),
        max_size=8,
    ),
    use_gate=st.sampled_from([None, True, False]),
    twice=st.sampled_from([None, True, False]),
    least=st.sampled_from([Severity.WARN, Severity.DANGER]),
)
def test_other_terms_never_make_anything_up(
    rows: list[tuple[str | None, bool, list[Severity]]],
    use_gate: bool | None,  # noqa: FBT001 - hypothesis names it
    twice: bool | None,  # noqa: FBT001 - hypothesis names it
    least: Severity,
) -> None:
    """As many windows in the same order, and no claim that neither answer had."""
    told = []
    for number, (decision, looked_twice, severities) in enumerate(rows):
        said = [claim(float(n), n + 1.0, Kind.FALL, severity) for n, severity in enumerate(severities)]
        one = caption(number, SPAN, *said, stats=gate(decision) if decision else {})
        told.append(checked(one, *said[:1]) if looked_twice else one)
    after, _ = retold(told, Terms(10.0, least, use_gate, twice))
    assert [one.chunk for one in after] == [one.chunk for one in told]
    for before, now in zip(told, after, strict=True):
        known = {c.span.start_s for c in claims([before])[0]} | {float(n) for n in range(3)}
        assert all(c.span.start_s in known and c.severity.rank >= least.rank for c in claims([now])[0])
