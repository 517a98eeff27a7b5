"""Judging in order, with restarts at any point, always comes to the same incidents and the same messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import (
    Announcement,
    Caption,
    Chunk,
    Claim,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Message,
    Phase,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.judging import Judge, Judgement
from extension.pipeline.world import World

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PAIRS = (("1", "2"), ("1", "3"), ("2", "3"))
JOB = Job("job", "x.mp4", "x.mp4", None, JobOptions(start_at=NOW), JobStatus.RUNNING, NOW)
OPTIONS = JOB.options


def _announce(announcement: Announcement, job: Job) -> list[Message]:
    name = f"{announcement.incident.id}/{announcement.sequence}"
    kind = f"incident.{announcement.change}"
    return [Message(name, "r", announcement.incident.id, kind, f"{job.id} {announcement.incident.span}")]


class Shelf:
    """What survives a restart: the store's rules in a few lines."""

    def __init__(self) -> None:
        self.judged = 0
        self.events: dict[str, Event] = {}
        self.incidents: dict[str, Incident] = {}
        self.messages: dict[str, Message] = {}

    def commit(self, judgement: Judgement) -> None:
        """One transaction: upserts, and messages only if they are new."""
        self.judged = judgement.judged_chunks
        self.events |= {event.id: event for event in judgement.events}
        self.incidents |= {incident.id: incident for incident in judgement.incidents}
        self.messages = {message.id: message for message in judgement.messages} | self.messages

    def judge(self) -> Judge:
        """A judge as a fresh process makes it."""
        still_open = [i for i in self.incidents.values() if i.phase is Phase.OPEN]
        announced = {i.id: sum(m.incident_id == i.id for m in self.messages.values()) for i in still_open}
        return Judge(
            replace(JOB, judged_chunks=self.judged),
            World(OPTIONS, None, dt.UTC),
            still_open,
            announced,
            0.5,
            _announce,
        )


def _caption(index: int, claims: Sequence[tuple[float, float, int]] | None) -> Caption:
    chunk = Chunk(index, Span(2.0 * index, 2.0 * index + 2))
    if claims is None:
        return Caption(chunk, "", None, Failure("Timeout", "slow"))
    made = tuple(
        Claim(
            Kind.COLLISION,
            Span(chunk.span.start_s + start, chunk.span.start_s + min(start + length, 2.0)),
            Severity.DANGER,
            PAIRS[pair],
        )
        for start, length, pair in claims
    )
    return Caption(chunk, "", Verdict(Severity.DANGER, made, ""), None)


def _run(captions: Sequence[Caption], restarts: Sequence[int]) -> Shelf:
    """Judge all captions; before those named in `restarts`, everything but the shelf is lost."""
    shelf = Shelf()
    judge = shelf.judge()
    for caption in captions:
        if caption.chunk.index in restarts:
            judge = shelf.judge()
            judge.recall(captions[: shelf.judged])
        shelf.commit(judge.judge(caption))
    shelf.commit(judge.close(()))
    return shelf


CLAIMS = st.one_of(
    st.none(), st.lists(st.tuples(st.floats(0, 1.9), st.floats(0, 2), st.integers(0, 2)), max_size=3)
)


@settings(max_examples=150)
@given(st.lists(CLAIMS, min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_restarts_change_nothing(
    drawn: list[list[tuple[float, float, int]] | None], restarts: set[int]
) -> None:
    """Events, incidents and messages are those of a run without a restart."""
    captions = [_caption(index, claims) for index, claims in enumerate(drawn)]
    plain, restarted = _run(captions, ()), _run(captions, sorted(restarts))
    assert restarted.events == plain.events
    assert restarted.incidents == plain.incidents
    assert restarted.messages == plain.messages
    assert all(incident.phase is Phase.RESOLVED for incident in plain.incidents.values())


@given(st.lists(CLAIMS, min_size=1, max_size=8))
def test_every_incident_is_opened_once_and_resolved_once(
    drawn: list[list[tuple[float, float, int]] | None],
) -> None:
    """The first message opens, the last resolves; numbers run without gap."""
    shelf = _run([_caption(index, claims) for index, claims in enumerate(drawn)], ())
    for incident in shelf.incidents.values():
        mine = sorted(
            (m for m in shelf.messages.values() if m.incident_id == incident.id),
            key=lambda m: int(m.id.rsplit("/", 1)[1]),
        )
        assert [int(m.id.rsplit("/", 1)[1]) for m in mine] == list(range(1, len(mine) + 1))
        assert (mine[0].type, mine[-1].type) == ("incident.opened", "incident.resolved")


def test_the_cursor_follows_the_captions() -> None:
    """Failed chunks are judged too: as unknown, which resolves nothing."""
    captions = [_caption(0, [(1.5, 0.5, 0)]), _caption(1, None), _caption(2, None), _caption(3, [])]
    judge = Shelf().judge()
    judgements = [judge.judge(caption) for caption in captions]
    assert [j.judged_chunks for j in judgements] == [1, 2, 3, 4]
    assert [[m.type for m in j.messages] for j in judgements] == [
        ["incident.opened"],
        [],
        [],
        ["incident.resolved"],
    ]


def test_world_times_travel_with_events() -> None:
    """A stated start gives wall-clock times."""
    judgement = Shelf().judge().judge(_caption(2, [(0.5, 0.25, 1)]))
    (event,) = judgement.events
    assert event.start_at == NOW + dt.timedelta(seconds=4.5)
    assert judgement.incidents[0].start_at == event.start_at
