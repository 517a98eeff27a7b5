"""A database of an earlier version is brought up to date with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import extension.store
from extension.model import Basis, VlmUse
from tests.store import values

SCRIPTS = Path(extension.store.__file__).parent / "migrations"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database as the first version left it: one finished job with a caption, an event and an incident."""
    file = tmp_path / "alerts.db"
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    shared = {
        "job_id": "job-1",
        "kind": "collision",
        "start_s": 1.0,
        "end_s": 2.0,
        "severity": "danger",
        "objects": '["1", "2"]',
        "clock": "00:00:01",
        "description": "Seen.",
        "positions": "[]",
    }
    options = '{"speed": 3.0, "chunk_s": 2, "frames_per_chunk": 0, "prompt": "replay", "merge_gap_s": null, "start_at": null}'
    job = {
        "id": "job-1",
        "name": "a.mp4",
        "media_path": "/a.mp4",
        "options": options,
        "status": "done",
        "judged_chunks": 1,
        "created_at": "2026-01-01 00:00:00.000000",
    }
    database = sqlite3.connect(file)
    with database:
        _insert(database, "jobs", job)
        _insert(database, "events", {**shared, "id": "e1", "chunk_index": 0})
        _insert(database, "incidents", {**shared, "id": "i1", "phase": "resolved", "event_ids": '["e1"]'})
    database.close()
    return tmp_path


def _insert(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    places = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - names of ours


def test_what_was_found_is_kept_and_rests_on_the_vlm(first: Path) -> None:
    """Nothing else had been asked then."""
    store = values.open_store(first)
    (event,) = store.events("job-1")
    (incident,) = store.incidents("job-1")
    assert (event.id, event.basis, event.objects) == ("e1", Basis.VLM, ("1", "2"))
    assert (incident.id, incident.basis, incident.event_ids) == ("i1", Basis.VLM, ("e1",))
    store.close()


def test_options_that_were_not_there_have_their_defaults(first: Path) -> None:
    """A job of the first version asks the VLM about everything, and is no video in pieces."""
    store = values.open_store(first)
    options = store.job("job-1").options
    assert (options.speed, options.prompt) == (3.0, "replay")
    assert (options.vlm, options.geometry, options.level, options.pieces) == (
        VlmUse.ALL,
        True,
        "abstract",
        (),
    )
    store.close()


def test_an_upgrade_happens_once(first: Path) -> None:
    """A second start finds everything as it should be."""
    values.open_store(first).close()
    store = values.open_store(first)
    assert [job.id for job in store.jobs()] == ["job-1"]
    store.close()
