"""What crosses the API is made in one place, from domain values, with nothing of the server's machine in it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from extension.model import (
    Caption,
    Chunk,
    Delivery,
    DeliveryState,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Message,
    Phase,
    Position,
    Severity,
    Span,
    Verdict,
)
from extension.wire import CaptionOut, DeliveryOut, EventOut, IncidentOut, JobIn, JobOut

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
JOB = Job(
    "job", "x.mp4", "/srv/media/x.mp4", "/srv/media/log.csv", JobOptions(speed=3.0), JobStatus.RUNNING, NOW
)
EVENT = Event(
    id="e",
    job_id="job",
    chunk_index=4,
    kind=Kind.COLLISION,
    span=Span(8.5, 9.0),
    severity=Severity.DANGER,
    objects=("1", "4"),
    clock="00:00:28",
    description="Objects 1 and 4 overlap.",
    confidence=0.9,
    start_at=NOW,
    end_at=NOW,
    positions=(Position("obj001", 1.0, 2.0, 3.0),),
)


@pytest.mark.parametrize(
    ("changes", "progress"),
    [
        pytest.param({}, 0.0, id="not-planned-yet"),
        pytest.param({"chunk_count": 4, "judged_chunks": 1}, 0.25, id="on-the-way"),
        pytest.param({"status": JobStatus.DONE}, 1.0, id="done"),
        pytest.param(
            {"chunk_count": 4, "judged_chunks": 2, "status": JobStatus.FAILED}, 0.5, id="failed-half-way"
        ),
    ],
)
def test_progress_is_what_is_judged(changes: dict[str, object], progress: float) -> None:
    """Answers that are not judged yet are no progress that anybody can use."""
    assert JobOut.of(replace(JOB, **changes)).progress == progress  # type: ignore[arg-type] # by test case


def test_a_job_shows_no_path_of_the_server() -> None:
    """Names travel, folders stay."""
    text = JobOut.of(JOB).model_dump_json()
    assert "/srv" not in text
    assert json.loads(text)["has_trajectory"] is True


def test_events_and_incidents_share_their_form() -> None:
    """Whoever reads one can read the other."""
    incident = Incident(
        "i",
        "job",
        Kind.COLLISION,
        ("1", "4"),
        Phase.OPEN,
        Severity.DANGER,
        Span(8.5, 9.0),
        ("e",),
        clock="00:00:28",
    )
    event_out, incident_out = EventOut.of(EVENT), IncidentOut.of(incident)
    shared = set(EventOut.model_fields) & set(IncidentOut.model_fields)
    assert {"kind", "severity", "objects", "start_s", "end_s", "clock", "start_at", "positions"} <= shared
    assert (event_out.start_s, event_out.objects) == (incident_out.start_s, incident_out.objects)
    assert event_out.positions[0].model_dump() == {"objid": "obj001", "x": 1.0, "y": 2.0, "z": 3.0}
    assert EventOut.model_validate_json(event_out.model_dump_json()) == event_out


def test_a_caption_says_why_it_has_no_verdict() -> None:
    """Code and sentence, in one text."""
    chunk = Chunk(0, Span(0.0, 2.0))
    failed = CaptionOut.of(Caption(chunk, "hm", None, Failure("Garbled", "no known form")))
    judged = CaptionOut.of(Caption(chunk, "{}", Verdict(Severity.SAFE, (), "calm"), None))
    assert (failed.failure, failed.status) == ("Garbled: no known form", None)
    assert (judged.failure, judged.status, judged.summary) == (None, Severity.SAFE, "calm")


def test_a_delivery_shows_how_far_it_got_but_not_what_it_says() -> None:
    """The body may be long, and is the receiver's."""
    message = Message("m", "control-room", "i", "incident.opened", '{"secret": 1}')
    out = DeliveryOut.of(Delivery(message, DeliveryState.PENDING, 2, NOW, NOW, last_error="no answer"))
    assert (out.id, out.receiver, out.attempts, out.last_error) == ("m", "control-room", 2, "no answer")
    assert "secret" not in out.model_dump_json()


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"speed": 0}, id="standing-still"),
        pytest.param({"speed": 1000}, id="too-fast"),
        pytest.param({"chunk_s": -1}, id="negative-chunk"),
        pytest.param({"prompt": "../etc"}, id="prompt-as-path"),
        pytest.param({"start_at": "2026-01-01T00:00:00"}, id="time-without-zone"),
        pytest.param({"sped": 3.0}, id="misspelt"),
    ],
)
def test_a_job_with_impossible_options_is_refused(wrong: dict[str, object]) -> None:
    """Misspelt names too: silence would look like consent."""
    with pytest.raises(ValidationError):
        JobIn.model_validate({"path": "x.mp4", **wrong})
