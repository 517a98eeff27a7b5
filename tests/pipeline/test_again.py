"""Judging again comes to what the run came to: the same events and incidents, whatever happened to the run meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Basis, Caption, Event, Incident, JobOptions, Phase, VlmUse
from extension.pipeline import closing
from extension.pipeline.again import judged_again
from extension.pipeline.judging import Judge, Judgement
from extension.pipeline.world import World
from extension.timetravel.trajectory import Trajectory
from tests.pipeline.replays import START, Said, caption, job_of, log_of, reported

GAP_S = 0.5
CHUNKS = 8
LOG = log_of({("1", "2"): [(3.0, 4.4)], ("3", "4"): [(9.0, 9.4), (13.0, 13.0)]}, 16.0)
NOISY = log_of({("1", "2"): [(3.0, 5.0)], ("3", "4"): [(9.0, 11.0)]}, 16.0, noise_cm=25.0)
STATED = JobOptions(start_at=START)

says = st.one_of(
    st.none(),
    st.lists(
        st.tuples(st.floats(0, 1.8), st.floats(0, 1.5), st.sampled_from(["12", "34", "25", "123", "9"])),
        max_size=2,
    ),
)
films = st.lists(says, min_size=CHUNKS, max_size=CHUNKS)
worlds = st.sampled_from(
    [
        pytest.param(STATED, LOG, id="log"),
        pytest.param(replace(STATED, geometry=False), LOG, id="vlm-alone"),
        pytest.param(STATED, NOISY, id="noise"),
        pytest.param(STATED, None, id="no-log"),
        pytest.param(JobOptions(), LOG, id="clock-unknown"),
        pytest.param(JobOptions(), None, id="nothing-known"),
    ]
).map(lambda param: (param.values[0], param.values[1]))


class Run:
    """A job as the service runs it: judged chunk by chunk, written down, closed; restarted where asked."""

    def __init__(self, options: JobOptions, log: Trajectory | None, gap_s: float = GAP_S) -> None:
        self._options, self._log, self._gap_s = options, log, gap_s
        self.judged = 0
        self.events: dict[str, Event] = {}
        self.incidents: dict[str, Incident] = {}

    def through(self, captions: Sequence[Caption], restarts: Sequence[int] = ()) -> Run:
        """Run to the end."""
        judge, world = self._started(captions)
        for one in captions:
            if one.chunk.index in restarts:
                judge, world = self._started(captions)
            self._keep(judge.judge(one))
        seen = closing.seen(self.events.values(), self.incidents.values())
        self.events |= {e.id: closing.settled(e, world) for e in seen[0]}
        self.incidents |= {i.id: closing.settled(i, world) for i in seen[1]}
        chunks = [one.chunk for one in captions]
        self._keep(judge.close(closing.unclaimed_contacts("job", world, chunks, list(self.events.values()))))
        return self

    def _started(self, captions: Sequence[Caption]) -> tuple[Judge, World]:
        """A judge and a world as a fresh process makes them."""
        world = World(self._options, self._log, dt.UTC)
        still_open = [one for one in self.incidents.values() if one.phase is Phase.OPEN]
        job = job_of(self._options, len(captions), self.judged)
        judge = Judge(job, world, still_open, {}, self._gap_s, lambda _announcement, _job: [])
        judge.recall(captions[: self.judged])
        return judge, world

    def _keep(self, judgement: Judgement) -> None:
        self.judged = judgement.judged_chunks
        self.events |= {one.id: one for one in judgement.events}
        self.incidents |= {one.id: one for one in judgement.incidents}


def again(
    captions: Sequence[Caption],
    options: JobOptions,
    log: Trajectory | None,
    gap_s: float = GAP_S,
    judged: int = 0,
) -> tuple[list[Event], list[Incident]]:
    """Judged again from scratch."""
    job = job_of(options, len(captions), judged)
    return judged_again(job, captions, World(options, log, dt.UTC), gap_s)


def film(said: Sequence[Said | None]) -> list[Caption]:
    """Captions of all chunks."""
    return [caption(index, one) for index, one in enumerate(said)]


@settings(max_examples=60, deadline=None)
@given(said=films, world=worlds, restarts=st.sets(st.integers(1, CHUNKS - 1), max_size=3))
def test_it_comes_to_what_the_run_came_to(
    said: list[Said | None], world: tuple[JobOptions, Trajectory | None], restarts: set[int]
) -> None:
    """Also when the run was restarted meanwhile, with or without a log, noise or a known clock."""
    captions = film(said)
    run = Run(*world).through(captions, sorted(restarts))
    events, incidents = again(captions, *world)
    assert {one.id: one for one in events} == run.events
    assert {one.id: one for one in incidents} == run.incidents


@settings(max_examples=60, deadline=None)
@given(said=films, world=worlds)
def test_every_event_is_in_one_incident_and_every_incident_is_over(
    said: list[Said | None], world: tuple[JobOptions, Trajectory | None]
) -> None:
    """An incident spans its events, is of their kind and objects, and all is told by time."""
    events, incidents = again(film(said), *world)
    by_id = {one.id: one for one in events}
    told = [name for one in incidents for name in one.event_ids]
    assert sorted(told) == sorted(by_id)
    for incident in incidents:
        mine = [by_id[name] for name in incident.event_ids]
        assert {(one.kind, one.objects) for one in mine} == {(incident.kind, incident.objects)}
        assert incident.span.start_s == min(one.span.start_s for one in mine)
        assert incident.span.end_s == max(one.span.end_s for one in mine)
        assert incident.phase is Phase.RESOLVED
    assert [one.span.start_s for one in events] == sorted(one.span.start_s for one in events)
    assert [one.span.start_s for one in incidents] == sorted(one.span.start_s for one in incidents)


@settings(max_examples=60, deadline=None)
@given(said=films)
def test_with_a_clean_log_its_contacts_are_told_whatever_was_said(said: list[Said | None]) -> None:
    """Among pairs of its objects: none more, none less, at their own times. What the VLM adds is who saw it."""
    _, incidents = again(film(said), STATED, LOG)
    pairs = [one for one in incidents if len(one.objects) == 2]
    found = sorted((one.objects, one.start_s, one.end_s) for one in reported(pairs))
    assert found == [(("1", "2"), 3.0, 4.4), (("3", "4"), 9.0, 9.4), (("3", "4"), 13.0, 13.0)]


@settings(max_examples=60, deadline=None)
@given(said=films, log=st.sampled_from([LOG, NOISY, None]))
def test_without_geometry_exactly_what_was_claimed_is_told(
    said: list[Said | None], log: Trajectory | None
) -> None:
    """The log may say what it likes."""
    events, _ = again(film(said), replace(STATED, geometry=False), log)
    claimed = {frozenset(objects) for one in said for _, _, objects in one or ()}
    assert {frozenset(one.objects) for one in events} == claimed
    assert {one.basis for one in events} <= {Basis.VLM}


@settings(max_examples=40, deadline=None)
@given(said=films, world=worlds, judged=st.integers(0, CHUNKS))
def test_how_far_the_job_got_does_not_count(
    said: list[Said | None], world: tuple[JobOptions, Trajectory | None], judged: int
) -> None:
    """It is judged from its first chunk."""
    captions = film(said)
    assert again(captions, *world, judged=judged) == again(captions, *world)


@settings(max_examples=40, deadline=None)
@given(said=films, gaps=st.tuples(st.floats(0, 8), st.floats(0, 8)))
def test_a_wider_gap_never_makes_more_incidents(said: list[Said | None], gaps: tuple[float, float]) -> None:
    """It joins; the events stay the same."""
    narrow, wide = sorted(gaps)
    captions = film(said)
    few_events, few = again(captions, STATED, None, wide)
    events, many = again(captions, STATED, None, narrow)
    assert few_events == events
    assert len(few) <= len(many)


@pytest.mark.parametrize(
    ("options", "basis"),
    [
        pytest.param(STATED, {Basis.LOG}, id="nobody-saw-it"),
        pytest.param(replace(STATED, vlm=VlmUse.OFF), {Basis.LOG}, id="nobody-was-asked"),
    ],
)
def test_a_calm_answer_hides_nothing_that_the_log_tells(options: JobOptions, basis: set[Basis]) -> None:
    """Asked or not."""
    asked = options.vlm is not VlmUse.OFF
    captions = [caption(index, [], asked=asked) for index in range(CHUNKS)]
    events, incidents = again(captions, options, LOG)
    assert {one.basis for one in events} == basis
    assert len(incidents) == 3
    text = "the VLM did not report it." if asked else "the VLM has not looked at this moment."
    assert all(one.description.endswith(text) for one in incidents)


def test_a_contact_that_both_tell_rests_on_both() -> None:
    """Claimed in one chunk and told by the log alone in the next, it is one incident of both."""
    captions = film([[], [(1.0, 0.9, "12")], [], [], [], [], [], []])
    _, incidents = again(captions, STATED, LOG)
    (mine,) = (one for one in incidents if one.objects == ("1", "2"))
    assert (mine.basis, len(mine.event_ids)) == (Basis.BOTH, 2)
    assert (mine.span.start_s, mine.span.end_s) == (3.0, 4.4)


def test_a_clock_learnt_late_puts_early_claims_right() -> None:
    """A video that begins four seconds into the log: three later chunks show the clock, and the claim before them moves."""
    captions = film([[], [], [(1.0, 0.3, "34")], [], [], []])
    unknown, _ = again(captions, JobOptions(), LOG)
    clocked = captions[:3] + [caption(n, [], clock=f"00:00:{4 + 2 * n:02}") for n in (3, 4, 5)]
    known, _ = again(clocked, JobOptions(), LOG)
    (before,), (after,) = (
        [one.start_s for one in reported(events) if one.start_s > 4.4 and one.start_s < 12]
        for events in (unknown, known)
    )
    assert before == 5.0
    assert 9.0 <= after <= 10.0
    assert {one.id for one in known} == set(Run(JobOptions(), LOG).through(clocked).events)


def test_the_world_must_be_fresh_for_the_same_answer() -> None:
    """A world that has learnt of the clock is told of it again without harm."""
    captions = [replace(one) for one in film([[(0.5, 0.5, "12")]] * CHUNKS)]
    job, world = job_of(STATED, CHUNKS), World(STATED, LOG, dt.UTC)
    assert judged_again(job, captions, world, GAP_S) == judged_again(job, captions, world, GAP_S)


def test_failures_alone_come_to_what_the_log_tells() -> None:
    """And to nothing at all without one: unknown is not calm, but there is nothing to tell."""
    captions = film([None] * CHUNKS)
    assert len(again(captions, STATED, LOG)[1]) == 3
    assert again(captions, STATED, None) == ([], [])
