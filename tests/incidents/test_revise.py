"""Notices become what a later look shows, or are withdrawn; failed captures last until they work again. No notice is doubled."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.incidents import merge, revise
from extension.model import (
    Basis,
    Caption,
    Change,
    Check,
    Chunk,
    Claim,
    Event,
    Failure,
    Incident,
    Kind,
    Phase,
    Severity,
    Span,
    Verdict,
)

GAP_S = 4.0
AT = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)


def _event(
    name: str, start_s: float, end_s: float, basis: Basis = Basis.VLM, kind: Kind = Kind.FALL
) -> Event:
    of_camera = basis in revise.UNASKED
    return Event(
        name,
        "job",
        int(start_s // 5),
        Kind.OTHER if of_camera else kind,
        Span(start_s, end_s),
        Severity.WARN if of_camera else Severity.DANGER,
        ("gate",) if of_camera else ("person",),
        description=f"{name} happened.",
        start_at=AT + dt.timedelta(seconds=start_s),
        end_at=AT + dt.timedelta(seconds=end_s),
        basis=basis,
        check=Check.UNVERIFIED if basis is Basis.MOTION else Check.ONCE,
    )


def _notice(*spans: tuple[float, float]) -> Incident:
    """A notice of windows in a row."""
    still_open: tuple[Incident, ...] = ()
    for number, span in enumerate(spans or ((0.0, 10.0),)):
        still_open = merge.step(
            still_open, [_event(f"moved{number}", *span, Basis.MOTION)], -math.inf, GAP_S
        ).open
    (notice,) = still_open
    return notice


def _caption(number: int, *severities: Severity, code: str | None = None) -> Caption:
    chunk = Chunk(number, Span(5.0 * number, 5.0 * number + 10.0))
    if code is not None:
        return Caption(chunk, "", None, Failure(code, "no"))
    claims = tuple(Claim(Kind.FALL, chunk.span, severity) for severity in severities)
    return Caption(chunk, "", Verdict(max(severities, default=Severity.SAFE), claims, ""), None)


def test_windows_in_a_row_are_one_notice_told_once() -> None:
    """However long it moves."""
    still_open: tuple[Incident, ...] = ()
    news: list[Change] = []
    for number in range(20):
        event = _event(f"moved{number}", 5.0 * number, 5.0 * number + 10.0, Basis.MOTION)
        step = merge.step(still_open, [event], -math.inf, GAP_S)
        still_open = step.open
        news += [change for change, _ in step.news]
    (notice,) = still_open
    assert news == [Change.OPENED]
    assert (notice.span, len(notice.event_ids)) == (Span(0.0, 105.0), 20)
    assert revise.is_notice(notice)


def test_time_alone_ends_no_notice() -> None:
    """It waits for somebody to look; only the end of its source ends it all the same."""
    notice = _notice()
    assert merge.step([notice], (), 10_000.0, GAP_S).open == (notice,)
    assert [i.phase for i in merge.step([notice], (), math.inf, GAP_S).changed] == [Phase.RESOLVED]


def test_what_is_held_is_ended_by_nothing_but_the_end_of_its_source() -> None:
    """What is still to be looked at may belong to it; its neighbours end as they would."""
    fall = merge.step((), [_event("fall", 1.0, 2.0)], -math.inf, GAP_S).open[0]
    fire = merge.step((), [_event("fire", 1.0, 2.0, kind=Kind.FIRE)], -math.inf, GAP_S).open[0]
    step = merge.step([fall, fire], (), 10_000.0, GAP_S, {fall.id})
    assert step.open == (fall,)
    assert [incident.id for _, incident in step.news] == [fire.id]
    assert merge.step([fall], (), math.inf, GAP_S, {fall.id}).open == ()


def test_what_a_notice_waits_for_edits_it() -> None:
    """The same incident, with all that the event says, told as an update."""
    notice, fall = _notice(), _event("fall", 7.0, 8.0)
    step = merge.step([notice], [fall], -math.inf, GAP_S)
    ((change, after),) = step.news
    assert (change, after.id, after.phase) == (Change.UPDATED, notice.id, Phase.OPEN)
    assert (after.kind, after.severity, after.objects) == (Kind.FALL, Severity.DANGER, ("person",))
    assert (after.span, after.start_at, after.end_at) == (fall.span, fall.start_at, fall.end_at)
    assert (after.basis, after.check) == (Basis.VLM, Check.CONFIRMED)
    assert after.description == "fall happened."
    assert after.event_ids == (*notice.event_ids, "fall")
    assert not revise.is_notice(after)


def test_an_event_without_words_leaves_those_of_the_notice() -> None:
    """Nobody is told of nothing."""
    notice = _notice()
    after = revise.confirmed(notice, replace(_event("fall", 7.0, 8.0), description=""))
    assert after.description == notice.description


def test_what_the_next_windows_show_of_it_joins_it() -> None:
    """The later normal window overlaps: nothing is doubled, nothing is told again."""
    step = merge.step([_notice()], [_event("fall", 7.0, 8.0)], -math.inf, GAP_S)
    again = merge.step(step.open, [_event("fall again", 7.2, 9.5)], -math.inf, GAP_S)
    assert len(again.open) == 1
    assert again.news == ()
    assert again.open[0].span == Span(7.0, 9.5)
    over = merge.step(again.open, (), 60.0, GAP_S)
    assert [change for change, _ in over.news] == [Change.RESOLVED]


def test_of_several_events_the_notice_becomes_the_worst_and_the_others_are_their_own() -> None:
    """Order of time does not matter for that."""
    mild = replace(_event("near", 2.0, 3.0, kind=Kind.NEAR_MISS), severity=Severity.WARN)
    worst = replace(_event("fire", 8.0, 9.0, kind=Kind.FIRE), severity=Severity.EXTREME)
    notice = _notice()
    step = merge.step([notice], [mild, worst], -math.inf, GAP_S)
    kinds = {incident.kind: incident.id for incident in step.open}
    assert kinds[Kind.FIRE] == notice.id
    assert kinds[Kind.NEAR_MISS] != notice.id
    assert len(step.open) == 2


def test_without_a_notice_events_keep_their_order() -> None:
    """What comes first opens first."""
    mild = replace(_event("near", 2.0, 3.0, kind=Kind.NEAR_MISS), severity=Severity.WARN)
    step = merge.step((), [mild, _event("fall", 8.0, 9.0)], -math.inf, GAP_S)
    assert [incident.kind for _, incident in step.news] == [Kind.NEAR_MISS, Kind.FALL]


def test_what_is_far_from_a_notice_is_its_own_incident() -> None:
    """Another time, another thing."""
    notice = _notice()
    step = merge.step([notice], [_event("fall", 14.1, 15.0)], -math.inf, GAP_S)
    assert len(step.open) == 2
    assert notice in step.open


def test_what_is_known_already_is_not_taken_for_the_notice() -> None:
    """The fall from before the VLM went away goes on; the notice waits for its own answer."""
    fall = merge.step((), [_event("fall", 1.0, 2.0)], -math.inf, GAP_S).open
    notice = _notice((3.0, 13.0))
    step = merge.step([notice, *fall], [_event("fall still", 4.0, 6.0)], -math.inf, GAP_S)
    assert {incident.id for incident in step.open} == {notice.id, fall[0].id}
    assert notice in step.open


def test_motion_a_silent_camera_and_an_answer_never_mix() -> None:
    """All may be of kind other, and name the camera."""
    told = replace(_event("told", 2.0, 3.0, kind=Kind.OTHER), objects=("gate",))
    for first, second in (
        (_event("moved", 0.0, 10.0, Basis.MOTION), _event("blind", 5.0, 20.0, Basis.CAPTURE)),
        (_event("blind", 0.0, 15.0, Basis.CAPTURE), _event("moved", 5.0, 15.0, Basis.MOTION)),
        (_event("blind", 0.0, 15.0, Basis.CAPTURE), told),
    ):
        opened = merge.step((), [first], -math.inf, GAP_S).open
        assert len(merge.step(opened, [second], -math.inf, GAP_S).open) == 2


def test_a_camera_that_is_still_down_is_one_incident_however_long_ago_it_was_told() -> None:
    """After a restart it is told anew."""
    first = merge.step((), [_event("blind", 0.0, 15.0, Basis.CAPTURE)], -math.inf, GAP_S)
    again = merge.step(first.open, [_event("blind again", 3000.0, 3015.0, Basis.CAPTURE)], -math.inf, GAP_S)
    assert [incident.span for incident in again.open] == [Span(0.0, 3015.0)]
    assert again.news == ()


@pytest.mark.parametrize(
    ("looked", "moved", "check", "words"),
    [
        pytest.param(
            [_caption(0), _caption(2)], 2, Check.WITHDRAWN, "saw nothing wrong.", id="all-were-safe"
        ),
        pytest.param(
            [_caption(0, Severity.SAFE)], 1, Check.WITHDRAWN, "Withdrawn", id="a-claim-that-is-safe"
        ),
        pytest.param([_caption(0)] * 3, 60, Check.WITHDRAWN, "(3 of 60 windows", id="not-all-were-looked-at"),
        pytest.param([], 2, Check.UNVERIFIED, "the recording was gone", id="the-recording-is-gone"),
        pytest.param(
            [_caption(0), _caption(1, code="Garbled")],
            2,
            Check.UNVERIFIED,
            "could not judge the recording (Garbled)",
            id="one-could-not-be-read",
        ),
        pytest.param(
            [_caption(0, Severity.DANGER), _caption(1, code="Garbled")],
            2,
            Check.CONFIRMED,
            "another incident",
            id="told-elsewhere",
        ),
    ],
)
def test_a_notice_that_no_event_edited_ends_with_what_was_found(
    looked: list[Caption], moved: int, check: Check, words: str
) -> None:
    """Resolved, and the description says why; calm is claimed only where somebody looked and could tell."""
    notice = _notice()
    revision = revise.settled(notice, looked, moved)
    assert revision is not None
    assert (revision.change, revision.incident.phase) == (Change.RESOLVED, Phase.RESOLVED)
    assert (revision.incident.check, revision.incident.basis) == (check, Basis.MOTION)
    assert words in revision.incident.description
    assert revision.incident.description.startswith(notice.description)


def test_what_waits_no_more_is_left_alone() -> None:
    """Whoever was first has decided."""
    notice = _notice()
    for other in (
        replace(notice, phase=Phase.RESOLVED),
        replace(notice, basis=Basis.VLM),
        replace(notice, basis=Basis.CAPTURE),
        replace(notice, check=Check.CONFIRMED),
    ):
        assert not revise.is_notice(other)
        assert revise.settled(other, [_caption(0)], 1) is None
        assert not revise.answers(_event("fall", 1.0, 2.0), other)


def _blind() -> Incident:
    (blind,) = merge.step((), [_event("blind", 0.0, 15.0, Basis.CAPTURE)], -math.inf, GAP_S).open
    return blind


def test_a_failed_capture_lasts_until_it_is_back() -> None:
    """Nobody is told of that alone; what is known already is not said again."""
    blind, back_at = _blind(), AT + dt.timedelta(seconds=40)
    longer = revise.lengthened(blind, 40.0, back_at)
    assert longer is not None
    assert (longer.change, longer.incident.span, longer.incident.end_at) == (None, Span(0.0, 40.0), back_at)
    assert revise.lengthened(longer.incident, 40.0, back_at) is None
    assert revise.lengthened(_notice(), 40.0, back_at) is None


@pytest.mark.parametrize("good_until_s", [25.0, 9e9])
def test_a_failed_capture_is_over_when_it_has_worked_for_a_while(good_until_s: float) -> None:
    """Ten seconds after its end."""
    revision = revise.ended(_blind(), good_until_s, 10.0)
    assert revision is not None
    assert (revision.change, revision.incident.phase) == (Change.RESOLVED, Phase.RESOLVED)


@pytest.mark.parametrize("good_until_s", [-5.0, 14.0, 24.9])
def test_a_capture_that_has_worked_for_a_moment_may_fail_again(good_until_s: float) -> None:
    """So it is not over yet."""
    assert revise.ended(_blind(), good_until_s, 10.0) is None


def test_nothing_else_is_over_because_the_capture_works() -> None:
    """Neither a fall nor a notice."""
    (fall,) = merge.step((), [_event("fall", 1.0, 2.0)], -math.inf, GAP_S).open
    assert revise.ended(fall, 9e9, 10.0) is None
    assert revise.ended(_notice(), 9e9, 10.0) is None


def test_judged_windows_do_not_end_a_failed_capture() -> None:
    """What was recorded before it says nothing about it."""
    assert merge.step([_blind()], (), 1e6, GAP_S).changed == ()


_SPANS = st.tuples(st.integers(0, 100), st.integers(1, 20)).map(lambda p: (float(p[0]), float(p[0] + p[1])))
_EVENTS = st.lists(
    st.tuples(
        _SPANS,
        st.sampled_from([Basis.VLM, Basis.MOTION, Basis.CAPTURE]),
        st.sampled_from([Kind.FALL, Kind.FIRE]),
    ),
    max_size=25,
)


@given(_EVENTS)
def test_every_event_is_in_exactly_one_incident_and_every_incident_opens_once(
    told: list[tuple[tuple[float, float], Basis, Kind]],
) -> None:
    """Whatever comes in whatever order: nothing is lost, nothing doubled, no confirmed incident rests on motion."""
    still_open: tuple[Incident, ...] = ()
    known: dict[str, Incident] = {}
    opened: list[str] = []
    for number, (span, basis, kind) in enumerate(told):
        step = merge.step(still_open, [_event(f"e{number}", *span, basis, kind)], span[0] - 30.0, GAP_S)
        still_open = step.open
        known |= {incident.id: incident for incident in step.changed}
        opened += [incident.id for change, incident in step.news if change is Change.OPENED]
    assert sorted(name for i in known.values() for name in i.event_ids) == sorted(
        f"e{number}" for number in range(len(told))
    )
    assert sorted(opened) == sorted(known)
    for incident in known.values():
        assert (incident.check is Check.CONFIRMED) <= (incident.basis is Basis.VLM)
        assert (incident.basis is Basis.MOTION) <= revise.is_notice(incident)
        assert (incident.basis in revise.UNASKED) == (incident.objects == ("gate",))
