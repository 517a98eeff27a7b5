"""Footage watched as if it were live: windows cover it, the gate leaves out what is still, second looks count, and nothing is made up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.errors import BadInput, BadSource
from extension.model import Brief, Caption, Check, Claim, Kind, Phase, Severity, Span
from extension.pipeline.backtest.footage import Reel
from extension.pipeline.backtest.rules import Rules
from extension.pipeline.backtest.run import Course, spans, watch
from extension.sources.motion.motion import Part
from tests.pipeline.backtest.samples import START, ScriptedEyes, ScriptedFootage, checked, claim

PLAIN = Rules(second_look=False)
GATED = PLAIN.changed(gate="on")
FALL = claim(21.0, 23.0)


def course(
    footage: ScriptedFootage, eyes: ScriptedEyes, rules: Rules = PLAIN, ticks: list[int] | None = None
) -> Course:
    """What comes of it."""
    return watch(footage, rules, eyes, 2, lambda: None if ticks is None else ticks.append(1))


def found(told: Course) -> list[tuple[Kind, float, float]]:
    """Kinds and times of the incidents."""
    return [(one.kind, one.span.start_s, one.span.end_s) for one in told.incidents]


@given(
    length_s=st.floats(0.1, 500),
    window_s=st.integers(1, 60),
    stride=st.integers(1, 60),
)
def test_windows_cover_all_of_the_footage(length_s: float, window_s: int, stride: int) -> None:
    """From its first instant to its last, without gaps, at the stride; only the last may be short."""
    stride_s = min(stride, window_s)
    windows = spans(length_s, window_s, stride_s)
    assert windows[0].start_s == 0.0
    assert windows[-1].end_s == pytest.approx(length_s)
    assert all(one.end_s >= other.start_s for one, other in itertools.pairwise(windows))
    assert [one.start_s for one in windows] == [n * stride_s for n in range(len(windows))]
    assert all(one.duration_s == pytest.approx(window_s) for one in windows[:-1])
    assert all(one.duration_s > 0 for one in windows)


@pytest.mark.parametrize(
    ("length_s", "count"),
    [
        pytest.param(10.0, 1, id="one-window"),
        pytest.param(10.1, 2, id="a-little-more"),
        pytest.param(15.0, 2, id="to-the-end-of-the-second"),
        pytest.param(3.0, 1, id="shorter-than-a-window"),
        pytest.param(3600.0, 719, id="an-hour"),
    ],
)
def test_how_many_windows_there_are(length_s: float, count: int) -> None:
    """The usual windows of 10 s, one every 5 s."""
    assert len(spans(length_s, 10.0, 5.0)) == count


def test_what_several_windows_show_is_one_incident() -> None:
    """As live: each window is asked about, in order, with the rules' frames and prompt."""
    eyes, ticks = ScriptedEyes([FALL]), list[int]()
    told = course(ScriptedFootage(40.0), eyes, PLAIN.changed(frames=24), ticks)
    assert found(told) == [(Kind.FALL, 21.0, 23.0)]
    assert len(told.events) == 2, "the windows at 15 and 20 s show it"
    assert [c.chunk.index for c in told.captions] == list(range(7)) == list(range(len(ticks)))
    assert sorted(span.start_s for span, _ in eyes.asked) == [0, 5, 10, 15, 20, 25, 30]
    assert {(asked.prompt.id.split(".")[0], asked.frames) for _, asked in eyes.asked} == {("camera", 24)}
    assert all(one.phase is Phase.RESOLVED for one in told.incidents)


def test_the_merge_gap_decides_what_is_one_incident() -> None:
    """Two falls 6 s apart."""
    eyes = ScriptedEyes([claim(11.0, 12.0), claim(18.0, 19.0)])
    footage = ScriptedFootage(40.0)
    assert found(course(footage, eyes, PLAIN.changed(merge_gap_s=7))) == [(Kind.FALL, 11.0, 19.0)]
    assert len(course(footage, eyes, PLAIN.changed(merge_gap_s=2)).incidents) == 2


def test_overlapping_windows_do_not_close_what_a_later_one_goes_on_with() -> None:
    """The stride is what is judged to, not the window's end: a long fire is one incident, however small the gap."""
    told = course(
        ScriptedFootage(60.0), ScriptedEyes([claim(3.0, 50.0, Kind.FIRE)]), PLAIN.changed(merge_gap_s=1)
    )
    assert found(told) == [(Kind.FIRE, 3.0, 50.0)]


def test_mild_claims_are_no_events_where_that_is_the_rule() -> None:
    """And do not stretch what is worse."""
    eyes = ScriptedEyes([claim(11.0, 20.0, severity=Severity.WARN), claim(22.0, 23.0)])
    assert found(course(ScriptedFootage(40.0), eyes)) == [(Kind.FALL, 11.0, 23.0)]
    danger = course(ScriptedFootage(40.0), eyes, PLAIN.changed(least_severity=Severity.DANGER))
    assert found(danger) == [(Kind.FALL, 22.0, 23.0)]


def test_a_window_without_an_answer_is_a_failure_and_no_calm() -> None:
    """It is told by its name, and the others are judged."""
    eyes = ScriptedEyes([FALL], fails=lambda chunk: "Garbled" if chunk.index == 4 else None)
    told = course(ScriptedFootage(40.0), eyes)
    assert [c.failure.code for c in told.captions if c.failure] == ["Garbled"]
    assert len(told.incidents) == 1


def test_a_hole_in_the_recording_is_a_failure() -> None:
    """Nothing was recorded, which nobody takes for calm; nobody is asked."""
    eyes = ScriptedEyes()
    told = course(ScriptedFootage(40.0, holes=[(10.0, 20.0)]), eyes)
    assert [(c.chunk.index, c.failure.code) for c in told.captions if c.failure] == [(2, "NotCaptured")]
    assert len(eyes.asked) == 6


def test_footage_that_cannot_be_read_is_a_failure_of_its_window() -> None:
    """The run goes on."""

    class Broken(ScriptedFootage):
        @contextmanager
        def shown(self, span: Span) -> Iterator[Reel | None]:
            """Not the window at 5 s."""
            if span.start_s == 5.0:
                raise BadSource("the segments cannot be joined")
            with super().shown(span) as reel:
                yield reel

    told = course(Broken(40.0), ScriptedEyes([FALL]))
    assert [(c.chunk.index, c.failure.code) for c in told.captions if c.failure] == [(1, "BadSource")]
    assert len(told.incidents) == 1


def test_an_unknown_prompt_is_refused_before_anything_is_asked() -> None:
    """By its name."""
    eyes = ScriptedEyes()
    with pytest.raises(BadInput, match="no prompt is called 'nothing'"):
        course(ScriptedFootage(40.0), eyes, PLAIN.changed(prompt="nothing"))
    assert not eyes.asked


def test_the_language_chooses_the_prompt() -> None:
    """Korean prompt, Korean answers."""
    eyes = ScriptedEyes()
    course(ScriptedFootage(10.0), eyes, PLAIN.changed(language="ko"))
    ((_, asked),) = eyes.asked
    assert asked.prompt.language == "ko"


def test_what_is_said_of_the_place_is_said_to_the_vlm() -> None:
    """As it is live."""
    eyes = ScriptedEyes()
    course(ScriptedFootage(10.0, brief=Brief("The press is loud.")), eyes)
    ((_, asked),) = eyes.asked
    assert "The press is loud." in asked.prompt.user


def test_times_of_a_file_that_begins_later_are_the_footages() -> None:
    """A window that was joined from segments counts from its own first frame; afterwards it is put away."""
    footage = ScriptedFootage(30.0, reel_start_s=-2.0, passing=True)
    eyes = ScriptedEyes([FALL])
    told = course(footage, eyes)
    assert {span.start_s for span, _ in eyes.asked} == {2.0, 7.0, 12.0, 17.0, 22.0}
    assert [c.chunk.span.start_s for c in told.captions] == [0.0, 5.0, 10.0, 15.0, 20.0]
    assert found(told) == [(Kind.FALL, 21.0, 23.0)]
    assert eyes.forgotten == ["reel@-2.0"] * 5


def test_a_failure_of_a_file_that_begins_later_is_placed_too() -> None:
    """Its window is where it was."""
    eyes = ScriptedEyes(fails=lambda _: "Timeout")
    told = course(ScriptedFootage(10.0, reel_start_s=-2.0), eyes)
    assert told.captions[0].chunk.span == Span(0.0, 10.0)


def test_a_file_that_stays_is_not_forgotten_meanwhile() -> None:
    """It is asked about again."""
    eyes = ScriptedEyes()
    course(ScriptedFootage(30.0), eyes)
    assert not eyes.forgotten


def test_the_wall_clock_is_that_of_the_footage() -> None:
    """Where it is known."""
    told = course(ScriptedFootage(40.0, start_at=START), ScriptedEyes([FALL]))
    (incident,) = told.incidents
    assert incident.start_at is not None
    assert (incident.start_at - START).total_seconds() == 21.0
    (other,) = course(ScriptedFootage(40.0), ScriptedEyes([FALL])).incidents
    assert other.start_at is None


def rejected(first: Caption) -> Caption:
    """A second look that sees nothing."""
    return checked(first)


def softened(first: Caption) -> Caption:
    """A second look that sees the same, less bad."""
    assert first.verdict is not None
    return checked(first, *(replace(one, severity=Severity.WARN) for one in first.verdict.claims))


def test_a_second_look_that_sees_nothing_takes_the_incident_away() -> None:
    """Only where the rules have one."""
    footage = ScriptedFootage(40.0)
    eyes = ScriptedEyes([FALL], again=rejected)
    assert not course(footage, eyes, Rules()).incidents
    assert len(course(footage, eyes, PLAIN).incidents) == 1


def test_a_second_look_may_soften() -> None:
    """The incident is milder then, and checked."""
    (one,) = course(ScriptedFootage(40.0), ScriptedEyes([FALL], again=softened), Rules()).incidents
    assert (one.severity, one.check) == (Severity.WARN, Check.CONFIRMED)


def test_without_the_rule_nobody_looks_twice() -> None:
    """Whatever was said."""
    eyes = ScriptedEyes([FALL], again=rejected)
    course(ScriptedFootage(40.0), eyes, PLAIN)
    assert not eyes.checked


def reasons(told: Course) -> list[str]:
    """Why each window was looked at, or not."""
    return [caption.stats["gate"]["reason"] for caption in told.captions]


def test_the_gate_leaves_out_what_is_still() -> None:
    """The first window is looked at, then nothing moves; the record says so."""
    eyes = ScriptedEyes()
    told = course(ScriptedFootage(60.0), eyes, GATED)
    left_out = [caption for caption in told.captions if not caption.asked]
    assert len(told.captions) == 11
    assert len(left_out) >= 8
    assert len(eyes.asked) == len(told.captions) - len(left_out)
    assert all(c.stats["gate"]["decision"] == "gated" for c in left_out)
    assert all(c.stats["motion"]["moving"] is False for c in left_out)
    assert reasons(told)[0] == "start"


def test_the_gate_lets_through_what_moves_and_the_stillness_after() -> None:
    """A fall, and that nobody gets up."""
    eyes = ScriptedEyes([FALL])
    told = course(ScriptedFootage(90.0, moving=[(20.0, 23.0)]), eyes, GATED)
    assert found(told) == [(Kind.FALL, 21.0, 23.0)]
    looked = [c.chunk.span.start_s for c in told.captions if c.asked]
    assert {15.0, 20.0, 25.0} <= set(looked)
    assert len(looked) < len(told.captions)


def test_while_an_incident_is_open_everything_is_looked_at() -> None:
    """Something that burns without moving is seen to the end of the merge gap."""
    fire = claim(1.0, 8.0, Kind.FIRE)
    eyes = ScriptedEyes([fire])
    told = course(ScriptedFootage(60.0, moving=[(0.0, 1.0)]), eyes, GATED.changed(merge_gap_s=20))
    assert "incident" in reasons(told)
    short = course(ScriptedFootage(60.0, moving=[(0.0, 1.0)]), eyes, GATED.changed(merge_gap_s=0))
    assert reasons(short).count("incident") < reasons(told).count("incident")


def test_a_look_is_forced_now_and_then() -> None:
    """As often as the rules say."""
    footage = ScriptedFootage(300.0)
    seldom, often = (
        reasons(course(footage, ScriptedEyes(), GATED.changed(forced_look_s=seconds))).count("forced")
        for seconds in (120, 20)
    )
    assert often > seldom >= 1


def test_what_cannot_be_measured_is_looked_at() -> None:
    """The gate fails open."""

    class Unmeasured(ScriptedFootage):
        def motions(self) -> Sequence[Part]:
            """Of none it can be told."""
            return [Part(part.span, None) for part in super().motions()]

    told = course(Unmeasured(60.0), ScriptedEyes(), GATED)
    assert all(caption.asked for caption in told.captions)


def test_a_failed_look_is_not_taken_for_a_look() -> None:
    """The next still window is looked at again."""
    well = course(ScriptedFootage(60.0), ScriptedEyes(), GATED)
    failing = ScriptedEyes(fails=lambda chunk: "Timeout" if chunk.index < 3 else None)
    told = course(ScriptedFootage(60.0), failing, GATED)
    assert len([c for c in told.captions if c.asked]) > len([c for c in well.captions if c.asked])


happenings = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 9), st.sampled_from([Kind.FALL, Kind.FIRE])), max_size=4
).map(lambda rows: [claim(float(start), float(start + length), kind) for start, length, kind in rows])


@settings(max_examples=30, deadline=None)
@given(claims=happenings, stride_s=st.sampled_from([2.0, 5.0, 10.0]), gap_s=st.sampled_from([0.0, 5.0, 30.0]))
def test_everything_that_is_seen_is_in_an_incident_of_its_kind(
    claims: list[Claim], stride_s: float, gap_s: float
) -> None:
    """Whatever the windows are, nothing is lost and nothing is made up."""
    told = course(
        ScriptedFootage(110.0), ScriptedEyes(claims), PLAIN.changed(stride_s=stride_s, merge_gap_s=gap_s)
    )
    for one in claims:
        assert any(
            i.kind is one.kind and i.span.start_s <= one.span.start_s and one.span.end_s <= i.span.end_s
            for i in told.incidents
        )
    for incident in told.incidents:
        assert any(one.kind is incident.kind and one.span.start_s == incident.span.start_s for one in claims)


@settings(max_examples=30, deadline=None)
@given(claims=happenings)
def test_a_gate_that_sees_everything_that_happens_loses_nothing(claims: list[Claim]) -> None:
    """Where things move as long as they happen, incidents are found with the gate as without."""
    footage = ScriptedFootage(110.0, moving=[(c.span.start_s, c.span.end_s) for c in claims])
    plain, gated = (course(footage, ScriptedEyes(claims), rules) for rules in (PLAIN, GATED))
    assert found(plain) == found(gated)


@settings(max_examples=30, deadline=None)
@given(claims=happenings)
def test_a_gate_over_constant_motion_changes_nothing(claims: list[Claim]) -> None:
    """Every window is looked at, by one and one instead of together."""
    footage = ScriptedFootage(60.0, moving=[(0.0, 60.0)])
    plain, gated = (course(footage, ScriptedEyes(claims), rules) for rules in (PLAIN, GATED))
    assert found(plain) == found(gated)
    assert all(caption.asked for caption in gated.captions)
