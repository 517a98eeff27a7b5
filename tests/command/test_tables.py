"""What people read in the terminal fits eighty columns and tells what matters."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from rich.console import Console

from extension.command import tables
from extension.command.report import Outcome
from extension.model import Basis, DeliveryState, JobStatus, Kind, Phase, Severity
from extension.wire import DeliveryOut, EventOut, IncidentOut, JobOut, PositionOut

NOW = dt.datetime(2025, 1, 1, 0, 0, 28, 300_000, tzinfo=dt.UTC)
SHARED: dict[str, Any] = {
    "id": "e1",
    "job_id": "job",
    "kind": Kind.COLLISION,
    "severity": Severity.DANGER,
    "objects": ["12", "14"],
    "start_s": 1234.56,
    "end_s": 1240.12,
    "clock": "00:00:28",
    "start_at": NOW,
    "end_at": NOW,
    "positions": [
        PositionOut(objid="obj012", x=-1234.5, y=0, z=-2876.4),
        PositionOut(objid="obj014", x=1, y=0, z=2),
    ],
    "description": "",
}
EVENT = EventOut(**SHARED, chunk_index=0, confidence=None)
INCIDENT = IncidentOut(**{**SHARED, "id": "i1"}, phase=Phase.RESOLVED, event_ids=["e1"])


def _delivery(name: str, state: DeliveryState) -> DeliveryOut:
    return DeliveryOut(
        id=name,
        receiver="r",
        incident_id="i1",
        type="incident.opened",
        state=state,
        attempts=1,
        created_at=NOW,
        next_attempt_at=NOW,
        sent_at=None,
        last_error=None,
    )


def _outcome(error: str | None = None) -> Outcome:
    job = JobOut(
        id="job",
        name="x.mp4",
        status=JobStatus.DONE,
        error=error,
        model="replay-reference",
        speed=1.0,
        media_s=60.0,
        chunk_count=30,
        answered_chunks=30,
        failed_chunks=0,
        judged_chunks=30,
        progress=1.0,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW + dt.timedelta(seconds=4),
        has_trajectory=True,
    )
    deliveries = [_delivery("a", DeliveryState.SENT), _delivery("b", DeliveryState.FAILED)]
    return Outcome(job, [EVENT], [INCIDENT], deliveries)


def _shown(outcome: Outcome, evaluation: dict[str, Any] | None = None) -> str:
    text = io.StringIO()
    tables.show(Console(file=text, width=80), outcome, evaluation)
    return text.getvalue()


def _scores(contacts: int) -> dict[str, Any]:
    return {"contacts": contacts, "att_f1": 0.5, "det_f1": 0.75, "predecessor_f1": 0.25, "tolerance_s": 1.0}


def test_rows_are_whole_in_eighty_columns() -> None:
    """No cell is cut: times, objects, places, date and deliveries."""
    text = _shown(_outcome())
    for whole in (
        "1234.56-1240.12 s",
        "00:00:28",
        "12 + 14",
        "12 (-1234, -2876)",
        "14 (1, 2)",
        "2025-01-01 00:00:28",
        "1 of 2",
        "danger",
    ):
        assert whole in text
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_what_went_wrong_is_said() -> None:
    """Failed chunks and failed deliveries."""
    text = _shown(_outcome("2 of 30 chunks could not be judged (Timeout 2)"))
    assert "2 of 30 chunks could not be judged (Timeout 2)" in text
    assert "1 sent, 1 failed" in text
    assert "60.0 s of video in 4.0 s, 30 chunks, model replay-reference" in text


@pytest.mark.parametrize(("shown", "lines"), [(9, 1), (8, 2)])
def test_the_score_tells_the_vlms_part_apart_where_it_differs(shown: int, lines: int) -> None:
    """Two lines only when the log told something that the VLM did not see."""
    text = " ".join(_shown(_outcome(), {**_scores(9), "seen": _scores(shown)}).split())
    assert text.count("F1 0.50 for time and objects") == lines
    assert ("Of what the video shows, what the VLM saw (8)" in text) is (lines == 2)
    assert "exact-second F1 0.25" in text


def test_what_only_the_log_told_is_marked() -> None:
    """A star, and what it means; no word of it where the VLM saw everything."""
    told = IncidentOut(**{**SHARED, "id": "i2"}, phase=Phase.OPEN, event_ids=["e1"], basis=Basis.LOG)
    text = _shown(Outcome(_outcome().job, [EVENT], [INCIDENT, told], []))
    assert text.count("collision*") == 1
    assert "* told by the log alone" in text
    assert "told by the log" not in _shown(_outcome())


def test_missing_things_are_dashes() -> None:
    """No clock, no place, no wall time, nobody to tell."""
    bare = EventOut(
        **{**SHARED, "clock": None, "positions": [], "objects": []}, chunk_index=0, confidence=None
    )
    incident = IncidentOut(**{**SHARED, "start_at": None, "clock": None}, phase=Phase.OPEN, event_ids=["e1"])
    text = _shown(Outcome(_outcome().job, [bare], [incident], []))
    assert text.count(" - ") >= 3
    assert "0 of 0" in text
