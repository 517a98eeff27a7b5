"""A judge takes later answers and edits between chunks, and forgets what could not be stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from extension.incidents import revise
from extension.model import (
    Announcement,
    Basis,
    Caption,
    Change,
    Check,
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
from extension.pipeline.judging import Judge
from extension.pipeline.world import World

AT = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
OPTIONS = JobOptions(prompt="camera", start_at=AT)
JOB = Job("job", "gate", "", None, OPTIONS, JobStatus.LIVE, AT)


def _announce(announcement: Announcement, _job: Job) -> list[Message]:
    incident = announcement.incident
    name = f"{incident.id}/{announcement.sequence}"
    return [Message(name, "r", incident.id, f"incident.{announcement.change}", "{}")]


def _judge(*still_open: Incident, announced: int = 0) -> Judge:
    world = World(OPTIONS, None, dt.UTC)
    known = {incident.id: announced for incident in still_open}
    return Judge(JOB, world, still_open, known, 4.0, _announce, 5.0)


def _chunk(number: int) -> Chunk:
    return Chunk(number, Span(5.0 * number, 5.0 * number + 10.0))


def _lost(number: int) -> Caption:
    return Caption(_chunk(number), "", None, Failure("Unreachable", "away"))


def _fall(number: int, start_s: float) -> Caption:
    claim = Claim(Kind.FALL, Span(start_s, start_s + 1.0), Severity.DANGER, ("person",))
    return Caption(_chunk(number), "", Verdict(Severity.DANGER, (claim,), ""), None)


def _moved(number: int) -> Event:
    return Event(
        f"moved{number}",
        JOB.id,
        number,
        Kind.OTHER,
        _chunk(number).span,
        Severity.WARN,
        ("gate",),
        basis=Basis.MOTION,
        check=Check.UNVERIFIED,
    )


def test_an_event_told_with_a_chunk_is_part_of_its_judgement() -> None:
    """One transaction: the cursor does not move without it."""
    judgement = _judge().judge(_lost(3), (_moved(3),))
    assert judgement.judged_chunks == 4
    assert [event.id for event in judgement.events] == ["moved3"]
    assert [message.type for message in judgement.messages] == ["incident.opened"]


def test_a_later_answer_moves_no_cursor_and_ends_nothing() -> None:
    """What was judged since stands."""
    judge = _judge()
    judge.judge(_lost(0), (_moved(0),))
    for number in (1, 2, 3):
        judge.judge(_lost(number))
    judgement = judge.judge_again(_fall(0, 7.0))
    assert judgement.judged_chunks == 4
    (incident,) = judgement.incidents
    assert (incident.kind, incident.check, incident.phase) == (Kind.FALL, Check.CONFIRMED, Phase.OPEN)
    assert [message.id.split("/")[1] for message in judgement.messages] == ["2"]


def test_the_same_later_answer_again_changes_nothing() -> None:
    """It may come twice when the service crashed in between."""
    judge = _judge()
    judge.judge(_lost(0), (_moved(0),))
    judge.judge_again(_fall(0, 7.0))
    again = judge.judge_again(_fall(0, 7.0))
    assert (again.incidents, again.messages) == ((), ())


def test_a_later_answer_without_anything_leaves_the_notice_waiting() -> None:
    """Who looked decides what becomes of it, once all is looked at."""
    judge = _judge()
    judge.judge(_lost(0), (_moved(0),))
    judgement = judge.judge_again(Caption(_chunk(0), "", Verdict(Severity.SAFE, (), ""), None))
    assert (judgement.events, judgement.incidents, judgement.messages) == ((), (), ())
    assert [revise.is_notice(incident) for incident in judge.open] == [True]


def _withdrawn(incident: Incident) -> revise.Revision:
    over = replace(incident, phase=Phase.RESOLVED, check=Check.WITHDRAWN)
    return revise.Revision(over, Change.RESOLVED)


def test_an_edit_that_ends_an_incident_is_told_and_closes_it() -> None:
    """With the next number of that incident."""
    judge = _judge()
    (notice,) = judge.judge(_lost(0), (_moved(0),)).incidents
    judgement = judge.revise(notice.id, _withdrawn)
    assert judgement is not None
    assert [incident.check for incident in judgement.incidents] == [Check.WITHDRAWN]
    assert [message.id for message in judgement.messages] == [f"{notice.id}/2"]
    assert judge.open == ()
    assert judge.revise(notice.id, _withdrawn) is None, "it is over"


def test_an_edit_without_news_is_stored_and_not_told() -> None:
    """The incident stays open as it is now."""
    judge = _judge()
    (notice,) = judge.judge(_lost(0), (_moved(0),)).incidents
    longer = replace(notice, span=Span(0.0, 99.0))
    judgement = judge.revise(notice.id, lambda _: revise.Revision(longer, None))
    assert judgement is not None
    assert (judgement.incidents, judgement.messages) == ((longer,), ())
    assert judge.open == (longer,)


def test_an_edit_that_decides_against_it_changes_nothing() -> None:
    """Neither the incident nor what is stored."""
    judge = _judge()
    (notice,) = judge.judge(_lost(0), (_moved(0),)).incidents
    assert judge.revise(notice.id, lambda _: None) is None
    assert judge.revise("nobody", _withdrawn) is None
    assert judge.open == (notice,)


def test_others_are_not_touched_by_an_edit() -> None:
    """A fall that is open stays so."""
    judge = _judge()
    (fall,) = judge.judge(_fall(0, 1.0)).incidents
    (notice,) = judge.judge(_lost(4), (_moved(4),)).incidents
    judge.revise(notice.id, _withdrawn)
    assert judge.open == (fall,)


def test_what_could_not_be_stored_was_never_judged() -> None:
    """Judged again it is told again, under the same number: the alert is not lost."""
    judge = _judge()

    def fail() -> None:
        with judge.all_or_nothing():
            judge.judge(_fall(0, 7.0))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        fail()
    assert judge.open == ()
    judgement = judge.judge(_fall(0, 7.0))
    assert [message.type for message in judgement.messages] == ["incident.opened"]
    assert judgement.messages[0].id.endswith("/1")


def test_what_was_stored_stays_judged() -> None:
    """The block changes nothing when all goes well."""
    judge = _judge()
    with judge.all_or_nothing():
        judgement = judge.judge(_fall(0, 7.0))
    assert judge.open == judgement.incidents
    assert judge.judge(_fall(1, 7.0)).messages == ()


def test_a_notice_from_before_a_restart_is_edited_like_any_other() -> None:
    """Its numbers go on where they were."""
    (notice,) = _judge().judge(_lost(0), (_moved(0),)).incidents
    judgement = _judge(notice, announced=1).judge_again(_fall(0, 7.0))
    assert [message.id for message in judgement.messages] == [f"{notice.id}/2"]
