"""Stored answers judged again from the database: under other terms, in parts, and without a trace in the store."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from extension import settings
from extension.clock import SystemClock
from extension.command.backtest_shapes import Trial
from extension.command.backtest_stored import Part, judge_stored, reading
from extension.errors import BadInput, BadSettings, NotFound
from extension.model import Incident, JobOptions, JobStatus, Kind, Phase, Severity, Span
from extension.pipeline.live.lane import job_id
from extension.store import Store
from tests.command.backtest_site import CAMERA, FILE_JOB, configured, with_camera, with_recording
from tests.pipeline.backtest.samples import START
from tests.store.values import SetClock

ALL = Part()


def judged(known: settings.Settings, name: str = CAMERA, part: Part = ALL, **changes: Any) -> Trial:
    """What is told."""
    return judge_stored(known, name, part, changes)


def times(incidents: tuple[Incident, ...]) -> list[tuple[Kind, float, float]]:
    """Kinds and times."""
    return [(one.kind, one.span.start_s, one.span.end_s) for one in incidents]


def test_the_present_rules_come_to_what_the_camera_came_to(tmp_path: Path) -> None:
    """What a second look rejected is no incident; a warning is."""
    told = judged(with_camera(tmp_path))
    (side,) = told.sides
    assert times(side.incidents) == [
        (Kind.FALL, 22.0, 24.0),
        (Kind.FALL, 36.0, 38.0),
        (Kind.SMOKE, 92.0, 93.0),
    ]
    assert (told.source, told.start_at, told.media_s) == (CAMERA, START, 125.0)
    assert side.windows == {"all": 24, "Timeout": 1, "asked": 23}
    assert side.second_looks == {"rejected": 1}
    assert told.difference is None


def test_a_wider_merge_gap_makes_one_of_two(tmp_path: Path) -> None:
    """The first goes on, the second is a part of it."""
    told = judged(with_camera(tmp_path), merge_gap_s=15.0)
    difference = told.difference
    assert difference is not None
    assert [(c.before.span, c.after.span) for c in difference.changed] == [
        (Span(22.0, 24.0), Span(22.0, 38.0))
    ]
    (gone,) = difference.vanished
    assert gone.within is not None
    assert gone.within.span == Span(22.0, 38.0)
    assert len(difference.same) == 1


def test_without_second_looks_what_was_rejected_is_back(tmp_path: Path) -> None:
    """At its time on the wall clock."""
    difference = judged(with_camera(tmp_path), second_look=False).difference
    assert difference is not None
    (new,) = difference.appeared
    assert new.incident.span == Span(62.0, 64.0)
    assert new.incident.start_at is not None
    assert (new.incident.start_at - START).total_seconds() == 62.0


def test_with_the_gate_what_it_would_have_left_out_is_lost(tmp_path: Path) -> None:
    """Shadow recorded it; windows of which nothing is recorded are counted."""
    told = judged(with_camera(tmp_path), gate=True)
    assert told.difference is not None
    assert [lone.incident.kind for lone in told.difference.vanished] == [Kind.SMOKE]
    changed = told.sides[1]
    assert changed.windows["not asked"] == 1
    assert any("2 windows without a word of the gate" in note for note in changed.notes)


def test_milder_claims_are_left_out(tmp_path: Path) -> None:
    """From danger on."""
    told = judged(with_camera(tmp_path), least_severity=Severity.DANGER)
    assert told.difference is not None
    assert [lone.incident.kind for lone in told.difference.vanished] == [Kind.SMOKE]


def test_incidents_of_the_recording_itself_are_not_judged_again(tmp_path: Path) -> None:
    """They are not lost in silence."""
    told = judged(with_camera(tmp_path), merge_gap_s=15.0)
    assert all("1 stored incident" in side.notes[0] for side in told.sides)


def test_the_cameras_file_names_the_present_merge_gap(tmp_path: Path) -> None:
    """It may have changed since."""
    with_camera(tmp_path)
    book = tmp_path / "cameras.yaml"
    book.write_text(f"cameras: [{{name: {CAMERA}, url: 'rtsp://x/', merge_gap_s: 15}}]")
    (side,) = judged(configured(tmp_path, cameras_file=book)).sides
    assert side.rules["merge_gap_s"] == 15
    assert times(side.incidents)[0] == (Kind.FALL, 22.0, 38.0)


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        pytest.param(Part("30", None), ["fall", "smoke"], id="from-seconds"),
        pytest.param(Part(None, "60"), ["fall", "fall"], id="to-seconds"),
        pytest.param(Part("2026-05-04T10:01:30+00:00", None), ["smoke"], id="from-an-instant"),
        pytest.param(Part("2026-05-04T10:00:31", "2026-05-04T10:01:00"), ["fall"], id="between-instants"),
    ],
)
def test_a_part_of_it_can_be_judged(tmp_path: Path, part: Part, kinds: list[str]) -> None:
    """Windows that lie in it, with an end of theirs at least."""
    (side,) = judged(with_camera(tmp_path), part=part).sides
    assert [one.kind for one in side.incidents] == kinds


def test_a_part_of_which_nothing_is_stored_is_said_so(tmp_path: Path) -> None:
    """Not an empty success."""
    with pytest.raises(NotFound, match="nothing was answered for gate-3 at that time"):
        judged(with_camera(tmp_path), part=Part("5000", None))


def test_a_recordings_chunks_are_judged_as_they_are(tmp_path: Path) -> None:
    """They do not overlap; the merge gap is the service's or the job's own."""
    (side,) = judged(with_recording(tmp_path), FILE_JOB).sides
    assert side.rules["merge_gap_s"] == configured(tmp_path).merge_gap_s
    assert times(side.incidents) == [(Kind.FALL, 12.0, 14.0), (Kind.FALL, 22.0, 24.0)]


def test_a_jobs_own_merge_gap_is_the_present_one(tmp_path: Path) -> None:
    """As it was asked for."""
    told = judged(with_recording(tmp_path, gap_s=8.0), FILE_JOB, merge_gap_s=1.0)
    assert times(told.sides[0].incidents) == [(Kind.FALL, 12.0, 24.0)]
    assert told.difference is not None
    assert len(told.difference.appeared) == 1


def test_an_instant_of_a_recording_without_a_clock_is_refused(tmp_path: Path) -> None:
    """Seconds can be told."""
    with pytest.raises(BadInput, match="write seconds"):
        judged(with_recording(tmp_path), FILE_JOB, Part("2026-05-04T10:00", None))


def test_a_job_is_named_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    """Where only one begins so."""
    with_recording(tmp_path)
    assert judged(configured(tmp_path), FILE_JOB[:6]).source == "yard.mp4"


def test_two_jobs_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    """More of the id is asked for."""
    known = with_recording(tmp_path)
    store = Store.open(known.database, SystemClock())
    store.add_job(_job("0f0f0f0f-9999"))
    store.close()
    with pytest.raises(BadInput, match="2 jobs have an id that begins so"):
        judged(known, "0f0f")


@pytest.mark.parametrize("name", ["nobody", "gate-30", "gate-", "zzz"])
def test_an_unknown_name_is_one_clear_line(tmp_path: Path, name: str) -> None:
    """A camera whose name begins so is another one."""
    with pytest.raises(NotFound, match=f"no job's id begins with '{name}'"):
        judged(with_camera(tmp_path), name)


def test_nothing_stored_is_said_so(tmp_path: Path) -> None:
    """And no database is made."""
    with pytest.raises(NotFound, match="nothing has been analysed yet"):
        judged(configured(tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_store_cannot_be_written_through_this(tmp_path: Path) -> None:
    """Whatever a later change of the program might try."""
    with reading(with_camera(tmp_path)) as store, pytest.raises(BadSettings, match="cannot be written"):
        store.finish_job(job_id(CAMERA), JobStatus.DONE)


def test_a_backtest_leaves_no_trace(tmp_path: Path) -> None:
    """The database's content is what it was."""
    known = with_camera(tmp_path)
    before = _content(known)
    judged(known, merge_gap_s=30.0, second_look=False)
    assert _content(known) == before


def test_a_service_may_be_running_on_the_database(tmp_path: Path) -> None:
    """It is read beside one that has it open and writes."""
    known = with_camera(tmp_path)
    store = Store.open(known.database, SetClock())
    try:
        store.add_job(_job("aaaa-1"))
        assert judged(known).source == CAMERA
        store.add_job(_job("aaaa-2"))
    finally:
        store.close()


def test_a_folder_with_odd_letters_is_found(tmp_path: Path) -> None:
    """Blanks, percent and number signs are no part of an address."""
    folder = tmp_path / "Anlage 3 50% #1"
    folder.mkdir()
    assert judged(with_camera(folder)).source == CAMERA


def test_a_database_of_an_older_version_is_not_touched(tmp_path: Path) -> None:
    """The service brings it up to date, not a look at it."""
    known = with_camera(tmp_path)
    with sqlite3.connect(tmp_path / "timetravel.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with pytest.raises(BadInput, match="last used by an older version"):
        judged(known)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """As the service would refuse it."""
    (tmp_path / "timetravel.db").write_bytes(b"no database" * 100)
    with pytest.raises(BadSettings, match="is not a database"):
        judged(configured(tmp_path))


def _job(name: str) -> Any:
    from extension.model import Job

    return Job(name, "x.mp4", "/x/x.mp4", None, JobOptions(), JobStatus.QUEUED, START)


def _content(known: settings.Settings) -> str:
    store = Store.open(known.database, SystemClock())
    try:
        incidents = store.incidents(job_id(CAMERA))
        assert all(one.phase is Phase.RESOLVED for one in incidents)
        told = repr((store.jobs(), store.captions(job_id(CAMERA)), incidents, store.events(job_id(CAMERA))))
    finally:
        store.close()
    return hashlib.sha256(told.encode()).hexdigest()
