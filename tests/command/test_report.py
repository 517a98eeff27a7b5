"""The report scores incidents against the log, and the exit code tells the truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from extension.command.report import Costs, Outcome, report, score
from extension.command.run import exit_code
from extension.model import DeliveryState, JobStatus, Kind, Phase, Severity
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory
from extension.wire import DeliveryOut, EventOut, IncidentOut, JobOut

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def log() -> Trajectory:
    """Objects 1 and 2 are 50 cm apart from second 10 to 11.8, 500 cm otherwise; 3 is far away."""
    rows = []
    for tick in range(150):
        at = (START + dt.timedelta(seconds=tick / 5)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        near = 50 <= tick < 60
        rows += [f"{at},obj001,0,0,0", f"{at},obj002,{50 if near else 500},0,0", f"{at},obj003,9000,0,0"]
    return parse_trajectory("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n")


def _incident(start_s: float, end_s: float, *objects: str, kind: Kind = Kind.COLLISION) -> IncidentOut:
    return IncidentOut(
        id=f"{start_s}{objects}",
        job_id="job",
        kind=kind,
        severity=Severity.DANGER,
        objects=list(objects),
        start_s=start_s,
        end_s=end_s,
        clock=None,
        start_at=START + dt.timedelta(seconds=start_s),
        end_at=START + dt.timedelta(seconds=end_s),
        positions=[],
        description="",
        phase=Phase.RESOLVED,
        event_ids=[f"{start_s}{objects}"],
    )


def _event(incident: IncidentOut, chunk_index: int) -> EventOut:
    page = incident.model_dump(exclude={"phase", "event_ids"})
    return EventOut.model_validate(
        {**page, "id": incident.id, "chunk_index": chunk_index, "confidence": None}
    )


def _score(log: Trajectory, *incidents: IncidentOut, unseen: bool = False) -> dict[str, Any]:
    events = [_event(incident, -1 if unseen else 0) for incident in incidents]
    return score(events, incidents, log, 100.0)


@pytest.mark.parametrize(
    ("incidents", "det", "att", "exact"),
    [
        pytest.param([(10.0, 11.9, "1", "2")], 1.0, 1.0, 1.0, id="right"),
        pytest.param([(12.5, 13.5, "1", "2")], 1.0, 1.0, 0.0, id="a-little-late"),
        pytest.param([(14.0, 15.0, "1", "2")], 0.0, 0.0, 0.0, id="too-late"),
        pytest.param([(10.0, 11.9, "1", "3")], 1.0, 0.0, 0.0, id="the-wrong-pair"),
        pytest.param(
            [(10.0, 11.9, "1", "2"), (20.0, 20.5, "1", "3")], 2 / 3, 2 / 3, 0.8, id="one-false-alarm"
        ),
        pytest.param([], 0.0, 0.0, 0.0, id="nothing"),
    ],
)
def test_incidents_are_scored_against_the_log(
    log: Trajectory, incidents: Iterable[tuple[Any, ...]], det: float, att: float, exact: float
) -> None:
    """Time alone, time and objects, and the exact-second rule."""
    found = _score(log, *(_incident(*i) for i in incidents))
    assert found["contacts"] == 1
    assert (found["det_f1"], found["att_f1"]) == (pytest.approx(det, abs=1e-3), pytest.approx(att, abs=1e-3))
    assert found["predecessor_f1"] == pytest.approx(exact, abs=0.01)


def test_what_is_no_contact_is_not_scored(log: Trajectory) -> None:
    """A fire is not a false contact."""
    assert _score(log, _incident(3, 4, kind=Kind.FIRE))["att_precision"] == 0.0
    assert _score(log, _incident(10, 11, "1", "2"), _incident(3, 4, kind=Kind.FIRE))["att_f1"] == 1.0


def test_what_only_the_log_told_does_not_praise_the_vlm(log: Trajectory) -> None:
    """A contact that the video does not show counts for the whole, not for what was seen."""
    found = _score(log, _incident(10.0, 11.8, "1", "2"), unseen=True)
    assert (found["contacts"], found["att_f1"]) == (1, 1.0)
    assert (found["shown"]["contacts"], found["shown"]["att_f1"]) == (0, 1.0)


def _outcome(status: JobStatus = JobStatus.DONE, failed: int = 0, *states: DeliveryState) -> Outcome:
    job = JobOut(
        id="job",
        name="x.mp4",
        status=status,
        error=None,
        model="m",
        speed=1.0,
        media_s=60.0,
        chunk_count=30,
        answered_chunks=30,
        failed_chunks=failed,
        judged_chunks=30,
        progress=1.0,
        created_at=START,
        started_at=START,
        finished_at=START + dt.timedelta(seconds=12),
        has_trajectory=False,
    )
    deliveries = [
        DeliveryOut(
            id=f"m{n}",
            receiver="r",
            incident_id="i",
            type="incident.opened",
            state=state,
            attempts=1,
            created_at=START,
            next_attempt_at=START,
            sent_at=None,
            last_error=None,
        )
        for n, state in enumerate(states)
    ]
    return Outcome(job, [], [_incident(1, 2, "1", "2")], deliveries)


def test_the_report_holds_what_readers_look_for() -> None:
    """Names that other programs rely on."""
    page = report(_outcome(JobStatus.DONE, 0, DeliveryState.SENT, DeliveryState.FAILED), Costs(3.21, 5), None)
    assert page["deliveries"] == {"sent": 1, "failed": 1, "pending": 0}
    assert (page["media_s"], page["job_s"], page["job_per_media"]) == (60.0, 12.0, 0.2)
    assert (page["startup_s"], page["peak_rss_bytes"], page["evaluation"]) == (3.21, 5, None)
    assert page["events"] == []
    assert page["incidents"][0]["objects"] == ["1", "2"]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        pytest.param(_outcome(JobStatus.DONE, 0, DeliveryState.SENT), 0, id="whole"),
        pytest.param(_outcome(), 0, id="nothing-to-tell"),
        pytest.param(_outcome(JobStatus.FAILED), 1, id="failed"),
        pytest.param(_outcome(JobStatus.DONE, 2), 1, id="chunks-not-judged"),
        pytest.param(_outcome(JobStatus.DONE, 0, DeliveryState.FAILED), 1, id="given-up"),
        pytest.param(_outcome(JobStatus.DONE, 0, DeliveryState.PENDING), 1, id="not-delivered-yet"),
    ],
)
def test_the_exit_code_tells_whether_all_went_well(outcome: Outcome, code: int) -> None:
    """Zero is for everything judged and everything delivered."""
    assert exit_code(outcome) == code


def test_the_lock_file_keeps_a_second_stack_out(tmp_path: Path) -> None:
    """Two stacks on one database would be one too many; the second learns where the first is."""
    from extension.command import lock

    with lock.exclusive(tmp_path):
        lock.announce(tmp_path, "http://127.0.0.1:1234")
        with pytest.raises(lock.AlreadyRunning, match="1234"), lock.exclusive(tmp_path):
            pass
    with lock.exclusive(tmp_path):
        assert lock.running_at(tmp_path) is None
