"""Old evidence goes while the service runs, that of open incidents stays, and what cannot go is tried again."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from extension.clock import SystemClock
from extension.evidence.expiry import expired
from extension.evidence.retention import Keep
from extension.model import Phase
from extension.pipeline.retiring import Retiring
from extension.store import Store
from tests.sources.rtsp.clips import until
from tests.store import values

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY_S = 86_400.0


class Still(SystemClock):
    """The wall clock of one instant."""

    def now(self) -> dt.datetime:
        """Always the same."""
        return NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A job with an open and a resolved incident."""
    opened = values.open_store(tmp_path)
    opened.add_job(values.job())
    incidents = [
        replace(values.incident(), id="open", phase=Phase.OPEN),
        replace(values.incident(), id="over", phase=Phase.RESOLVED),
    ]
    opened.commit_judgement("job-1", judged_chunks=1, events=(), incidents=incidents, messages=())
    yield opened
    opened.close()


def evidence(outputs: Path, name: str, age_days: float, size_bytes: int = 100) -> Path:
    """A folder as evidence leaves it."""
    folder = outputs / "job-1" / "evidence" / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "clip.mp4").write_bytes(bytes(size_bytes - 2))
    at_s = NOW.timestamp() - age_days * DAY_S
    for path in folder.iterdir():
        os.utime(path, (at_s, at_s))
    return folder


def retiring(store: Store, outputs: Path, keep: Keep) -> Retiring:
    """One that is not running."""
    return Retiring(store, outputs, keep, Still(), threading.Event())


def test_what_is_too_old_goes_unless_its_incident_is_open(store: Store, tmp_path: Path) -> None:
    """An incident that nobody knows any more is not open."""
    folders = {name: evidence(tmp_path, name, 500) for name in ("open", "over", "swallowed")}
    folders["young"] = evidence(tmp_path, "young", 10)
    with capture_logs() as logs:
        gone = retiring(store, tmp_path, Keep(400 * DAY_S, 10**9)).once()
    assert set(gone) == {"over", "swallowed"}
    assert {name for name, folder in folders.items() if folder.exists()} == {"open", "young"}
    assert expired(tmp_path / "job-1", "over") is not None
    (entry,) = [entry for entry in logs if entry["event"] == "evidence_expired"]
    assert (entry["incidents"], entry["freed_bytes"]) == (2, 200)


def test_what_is_too_much_goes_oldest_first(store: Store, tmp_path: Path) -> None:
    """Of all jobs together; a second look finds nothing more to do."""
    for day, name in enumerate(["a", "b", "c", "d"]):
        evidence(tmp_path, name, 100 - day)
    keeper = retiring(store, tmp_path, Keep(400 * DAY_S, 250))
    assert keeper.once() == ("a", "b")
    assert keeper.once() == ()


def test_what_cannot_go_is_said_and_tried_again(store: Store, tmp_path: Path) -> None:
    """The others go all the same."""
    evidence(tmp_path, "over", 500)
    (tmp_path / "job-1" / "evidence" / "EXPIRED").mkdir()
    keeper = retiring(store, tmp_path, Keep(400 * DAY_S, 10**9))
    with capture_logs() as logs:
        assert keeper.once() == ()
    assert [entry["event"] for entry in logs] == ["evidence_stays"]
    assert str(tmp_path) not in repr(logs)
    (tmp_path / "job-1" / "evidence" / "EXPIRED").rmdir()
    assert keeper.once() == ("over",)


def _gone(folder: Path) -> Callable[[], bool]:
    return lambda: not folder.exists()


def test_it_runs_until_the_service_stops(store: Store, tmp_path: Path) -> None:
    """Looks at once, again and again, and ends soon."""
    stop = threading.Event()
    keeper = Retiring(store, tmp_path, Keep(400 * DAY_S, 10**9), Still(), stop, every_s=0.01)
    thread = threading.Thread(target=keeper.run)
    thread.start()
    for name in ("first", "second"):
        until(_gone(evidence(tmp_path, name, 500)))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_without_any_evidence_there_is_nothing_to_do(store: Store, tmp_path: Path) -> None:
    """A service that has just been set up."""
    assert retiring(store, tmp_path / "outputs", Keep(1.0, 1)).once() == ()
