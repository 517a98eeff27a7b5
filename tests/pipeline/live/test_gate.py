"""The gate looks at what moves, what moved, what nobody knows, and now and then at nothing; whatever is sure to be still is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Chunk, Severity, Span
from extension.pipeline.live.gate import (
    Decision,
    GateMode,
    Reason,
    Rules,
    Sight,
    State,
    after,
    decide,
    gate_stats,
    gated,
    motion_stats,
)
from extension.sources.motion.motion import Motion, Part

STILL = Motion(moving=False)
MOVING = Motion(moving=True, share=0.02, moving_s=2.0, drift=0.02)
SLOW = Motion(moving=True, drift=0.01)
FROZEN = Motion(moving=False, frozen=True)
RULES = Rules(GateMode.ON, forced_look_s=60.0)
LOOKED = frozenset(Reason) - {Reason.STILL, Reason.FROZEN}


def parts(seconds: str) -> list[Part]:
    """Pieces of two seconds: `.` still, `x` moving, `~` changing slowly, `=` frozen, `?` not measured, a blank is not recorded."""
    known = {".": STILL, "x": MOVING, "~": SLOW, "=": FROZEN, "?": None}
    return [
        Part(Span(2.0 * place, 2.0 * place + 2), known[letter])
        for place, letter in enumerate(seconds)
        if letter != " "
    ]


def windows(seconds: str, length_s: float = 10.0, stride_s: float = 5.0) -> list[Span]:
    """The whole windows of a recording."""
    until_s = 2.0 * len(seconds)
    found: list[Span] = []
    while len(found) * stride_s + length_s <= until_s:
        found.append(Span(len(found) * stride_s, len(found) * stride_s + length_s))
    return found


def driven(
    recording: str,
    shape: tuple[float, float] = (10.0, 5.0),
    *,
    rules: Rules = RULES,
    unanswered: Sequence[int] = (),
    incident: Sequence[int] = (),
) -> Iterator[tuple[Span, Decision]]:
    """Decisions about the windows of a recording, one after the other.

    Args:
        recording: Of `parts`.
        shape: Length and stride of the windows, seconds.
        rules: Of the gate.
        unanswered: Numbers of windows for which the VLM has no answer.
        incident: Numbers of windows before which an incident is open.
    """
    state, recorded = State(), parts(recording)
    for number, span in enumerate(windows(recording, *shape)):
        inside = [p for p in recorded if p.span.start_s < span.end_s and p.span.end_s > span.start_s]
        sight = Sight(span, inside, number in incident)
        decision = decide(sight, state, rules)
        yield span, decision
        state = after(state, sight, decision, answered=number not in unanswered)


def reasons(
    recording: str,
    shape: tuple[float, float] = (10.0, 5.0),
    *,
    unanswered: Sequence[int] = (),
    incident: Sequence[int] = (),
) -> list[str]:
    """Why each window is looked at or not."""
    found = driven(recording, shape, unanswered=unanswered, incident=incident)
    return [decision.reason.value for _, decision in found]


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        pytest.param("." * 15, ["start", "still", "still", "still", "still"], id="nothing-ever"),
        pytest.param("x" * 15, ["start", "motion", "motion", "motion", "motion"], id="all-the-time"),
        pytest.param(
            "......x........", ["start", "motion", "motion", "settling", "still"], id="then-one-still-window"
        ),
        pytest.param("......~........", ["start", "change", "change", "settling", "still"], id="slowly"),
        pytest.param("=" * 15, ["start", "frozen", "frozen", "frozen", "frozen"], id="a-frozen-feed"),
        pytest.param(
            "......?........", ["start", "unmeasured", "unmeasured", "settling", "still"], id="unknown"
        ),
        pytest.param("...... ........", ["start", "hole", "hole", "settling", "still"], id="a-hole-inside"),
        pytest.param("=.=.=.=.=.=.=.=", ["start", "still", "still", "still", "still"], id="not-quite-frozen"),
    ],
)
def test_a_window_is_looked_at_for_what_is_in_it(recording: str, expected: list[str]) -> None:
    """Ten seconds every five."""
    assert reasons(recording) == expected


def test_only_stillness_is_left_out() -> None:
    """Every other reason means a look."""
    every = [
        d
        for recording in ("......x...............x", "===============", "..?.. .....~...")
        for _, d in driven(recording)
    ]
    assert {d.reason for d in every if d.look} <= LOOKED
    assert {d.reason for d in every if not d.look} == {Reason.STILL, Reason.FROZEN}


def test_what_lies_still_after_a_fall_is_looked_at() -> None:
    """Windows that do not overlap: the one with the fall, and the whole still one after it."""
    assert reasons("....x....", (2.0, 2.0)) == [
        "start", "still", "still", "still", "motion", "settling", "still", "still", "still",
    ]  # fmt: skip


def test_a_look_is_forced_once_in_a_while() -> None:
    """A minute after the last one; the clock is that of the recording."""
    found = list(driven("." * 80))
    assert [span.end_s for span, decision in found if decision.look] == [10.0, 70.0, 130.0]
    assert {decision.reason for _, decision in found[1:] if decision.look} == {Reason.FORCED}


@pytest.mark.parametrize(("forced_look_s", "looks"), [(5.0, 31), (10.0, 16), (30.0, 6), (3600.0, 1)])
def test_how_often_is_a_knob(forced_look_s: float, looks: int) -> None:
    """In 160 s of stillness."""
    found = driven("." * 80, rules=Rules(GateMode.ON, forced_look_s))
    assert sum(decision.look for _, decision in found) == looks


def test_while_an_incident_is_open_every_window_is_looked_at() -> None:
    """Its end has to be seen, and a window nobody looked at must not be taken for it."""
    found = reasons("." * 20, incident=(2, 3, 4))
    assert found == ["start", "still", "incident", "incident", "incident", "still", "still"]


def test_a_look_without_an_answer_is_no_look() -> None:
    """The VLM was away: the next windows are looked at until one is answered."""
    assert reasons("." * 20, unanswered=(0, 1, 2)) == [
        "start", "settling", "settling", "settling", "still", "still", "still",
    ]  # fmt: skip
    found = reasons("....x" + "." * 15, unanswered=(1, 2))
    assert found[:5] == ["start", "motion", "settling", "settling", "still"]


def test_windows_that_nobody_considered_are_a_hole() -> None:
    """Shed, or not recorded: what moved there is not known."""
    sight = Sight(Span(30, 40), [Part(Span(30, 40), STILL)])
    settled = State(considered_s=25.0, looked_s=25.0, settled=True)
    assert decide(sight, settled, RULES).reason is Reason.HOLE
    assert decide(sight, State(30.0, 25.0, settled=True), RULES).reason is Reason.STILL


def test_segments_may_lie_a_little_apart() -> None:
    """Less than a second is how cameras are; more is a hole, also at the ends of a window."""
    state = State(considered_s=10.0, looked_s=10.0, settled=True)

    def reason(*spans: tuple[float, float]) -> Reason:
        return decide(Sight(Span(5, 15), [Part(Span(*s), STILL) for s in spans]), state, RULES).reason

    assert reason((5.9, 9.0), (9.9, 14.1)) is Reason.STILL
    assert reason((6.1, 15.0)) is Reason.HOLE
    assert reason((4.0, 13.9)) is Reason.HOLE
    assert reason((4.0, 9.0), (10.1, 15.0)) is Reason.HOLE
    assert reason() is Reason.HOLE


recordings = st.text(".x~=? ", min_size=5, max_size=60)
shapes = st.sampled_from([(10.0, 5.0), (2.0, 2.0), (4.0, 2.0), (7.0, 3.0)])


@given(recordings, shapes)
def test_nothing_that_moves_is_ever_left_out(recording: str, shape: tuple[float, float]) -> None:
    """Nor what is not known; whatever the windows."""
    recorded = parts(recording)
    for span, decision in driven(recording, shape):
        inside = [p for p in recorded if p.span.start_s < span.end_s and p.span.end_s > span.start_s]
        if not decision.look:
            assert all(part.motion is not None and not part.motion.moving for part in inside)
            assert sum(min(p.span.end_s, span.end_s) - max(p.span.start_s, span.start_s) for p in inside) > (
                span.duration_s - 2.0
            )


@given(recordings, shapes, st.sampled_from([5.0, 20.0, 60.0]))
def test_looks_are_never_farther_apart_than_said(
    recording: str, shape: tuple[float, float], forced_look_s: float
) -> None:
    """By more than one stride, since windows come when they come."""
    ends_s = [s.end_s for s, d in driven(recording, shape, rules=Rules(GateMode.ON, forced_look_s)) if d.look]
    longest_s = max([forced_look_s, shape[1]]) + shape[1]
    assert all(later - earlier <= longest_s for earlier, later in pairwise(ends_s))


@given(recordings, shapes)
def test_a_still_window_follows_every_motion(recording: str, shape: tuple[float, float]) -> None:
    """Before anything is left out again."""
    looked_still = True
    for _, decision in driven(recording, shape):
        assert decision.look or looked_still
        if decision.look:
            looked_still = decision.motion is not None and not decision.motion.moving


def test_the_record_of_a_window_that_is_left_out_says_so() -> None:
    """Safe without an answer, not asked, and why."""
    chunk = Chunk(4, Span(20, 30))
    for reason, words in ((Reason.STILL, "nothing moves"), (Reason.FROZEN, "the picture is frozen")):
        caption = gated(chunk, Decision(look=False, reason=reason, motion=STILL))
        assert caption.verdict is not None
        assert (caption.verdict.status, caption.verdict.claims) == (Severity.SAFE, ())
        assert words in caption.verdict.summary
        assert (caption.asked, caption.failure, caption.text) == (False, None, "")


def test_figures_are_plain_values() -> None:
    """They are stored as JSON."""
    assert motion_stats(MOVING) == {
        "moving": True,
        "share": 0.02,
        "moving_s": 2.0,
        "drift": 0.02,
        "frozen": False,
    }
    assert set(motion_stats(None).values()) == {None}
    decision = Decision(look=True, reason=Reason.FORCED, motion=STILL)
    assert gate_stats(decision, GateMode.SHADOW) == {"mode": "shadow", "decision": "look", "reason": "forced"}
