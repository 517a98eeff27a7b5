"""What is looked at again, and what is left alone: against a real API on loopback."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from extension.api import create_app
from extension.client import ApiClient
from extension.model import JobStatus, Span
from extension.ui.refresh import Seen, look
from extension.ui.words import EN, KO
from tests.api import samples
from tests.api.harness import StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf
from tests.ui.scene import JOB, fill


class Doorman:
    """ASGI middleware that writes down what is asked for, and can shut the door."""

    def __init__(self, app: ASGIApp, asked: list[str]) -> None:
        self._app = app
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the path and pass on."""
        if scope["type"] == "http":
            self._asked.append(scope["path"].removeprefix("/api/v1/"))
        await self._app(scope, receive, send)


@dataclasses.dataclass
class Stage:
    """A service, its store, and what was asked of it."""

    api: ApiClient
    shelf: MemoryShelf
    asked: list[str]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A filled service on a real server."""
    clock = StillClock()
    shelf = MemoryShelf(clock)
    desk = make_desk(shelf, clock, tmp_path)
    fill(shelf, tmp_path / "yard.mp4", desk.services.outputs_dir)
    app = create_app(desk.services)
    asked: list[str] = []
    app.add_middleware(Doorman, asked=asked)
    with served(app, bound()) as address:
        yield Stage(ApiClient(address), shelf, asked)


def test_the_first_look_shows_the_newest_job(stage: Stage) -> None:
    """Every part is there."""
    seen = look(stage.api, Seen(), None, EN)
    assert seen.findings is not None
    assert seen.findings.job.id == JOB
    assert [failure.chunk_index for failure in seen.findings.failures] == [3, 4]
    assert seen.findings.outputs == ["events.jsonl"]
    assert seen.findings.summary is not None
    assert "2 moments were found" in seen.parts["summary"]
    assert all(seen.parts.values())
    assert not seen.is_busy


def test_a_finished_job_costs_one_request_a_look(stage: Stage) -> None:
    """Nothing changed: the list of jobs says so by itself, and every part stays the same."""
    first = look(stage.api, Seen(), None, EN)
    stage.asked.clear()
    second = look(stage.api, first, JOB, EN)
    assert stage.asked == ["jobs"]
    assert second.parts == first.parts


def test_the_summary_waits_for_the_end_of_the_job(stage: Stage) -> None:
    """While a job runs, nobody has it worked out each second."""
    stage.shelf.kept[JOB] = dataclasses.replace(
        stage.shelf.kept[JOB], status=JobStatus.RUNNING, finished_at=None
    )
    running = look(stage.api, Seen(), JOB, EN)
    assert f"jobs/{JOB}/summary" not in stage.asked
    assert running.parts["summary"] == ""
    stage.shelf.finish_job(JOB, JobStatus.DONE)
    assert "2 moments were found" in look(stage.api, running, JOB, EN).parts["summary"]


def test_the_summary_speaks_the_visitors_language(stage: Stage) -> None:
    """As the rest of the page."""
    assert "장면 2건을 찾았습니다" in look(stage.api, Seen(), JOB, KO).parts["summary"]


def test_steps_stay_as_they_are_while_a_job_goes_on(stage: Stage) -> None:
    """What a visitor typed there is not taken away; the moments behind them are brought up to date."""
    stage.shelf.kept[JOB] = dataclasses.replace(
        stage.shelf.kept[JOB], status=JobStatus.RUNNING, finished_at=None
    )
    first = look(stage.api, Seen(), JOB, EN)
    later = samples.incident(JOB, 7, span=Span(17.0, 18.0))
    stage.shelf.commit_judgement(JOB, judged_chunks=9, events=[], incidents=[later], messages=[])
    second = look(stage.api, first, JOB, EN)
    assert second.parts["steps"] == first.parts["steps"]
    assert "[17.0, 18.0]" in second.parts["timeline"]
    assert "[17.0, 18.0]" not in first.parts["timeline"]


def test_a_job_that_moves_is_looked_at_again(stage: Stage) -> None:
    """Progress changes, the player does not: playing goes on."""
    stage.shelf.kept[JOB] = dataclasses.replace(
        stage.shelf.kept[JOB], status=JobStatus.RUNNING, judged_chunks=3, finished_at=None
    )
    first = look(stage.api, Seen(), JOB, EN)
    assert first.is_busy
    stage.shelf.commit_judgement(
        JOB, judged_chunks=6, events=[samples.event(JOB, 5, start_s=18.0)], incidents=[], messages=[]
    )
    second = look(stage.api, first, JOB, EN)
    assert second.parts["progress"] != first.parts["progress"]
    assert "0:18.0" in second.parts["events"]
    assert second.parts["player"] == first.parts["player"]


def test_an_alert_on_its_way_is_followed(stage: Stage) -> None:
    """A pending delivery is looked at until it is not."""
    stage.shelf.redeliver("m1", samples.BEGIN)
    first = look(stage.api, Seen(), JOB, EN)
    assert first.is_busy
    stage.shelf.mark_sent("m1", samples.BEGIN)
    second = look(stage.api, first, JOB, EN)
    assert second.parts["incidents"] != first.parts["incidents"]
    assert not second.is_busy


def test_another_job_is_shown_when_chosen(stage: Stage) -> None:
    """Its own error, none of the other's events."""
    first = look(stage.api, Seen(), JOB, EN)
    second = look(stage.api, first, "old", EN)
    assert "gone.mp4: the file ends too early" in second.parts["progress"]
    assert "0:04.2" not in second.parts["events"]
    assert second.parts["timeline"] == ""


@pytest.mark.parametrize("named", ["nobody", "../about", "a b", ""])
def test_an_unknown_job_gives_way_to_the_newest(stage: Stage, named: str) -> None:
    """Nothing but an id becomes part of a request."""
    seen = look(stage.api, Seen(), named, EN)
    assert seen.findings is not None
    assert seen.findings.job.id == JOB
    assert stage.asked.count("about") == 1


def test_a_service_without_jobs_invites(tmp_path: Path) -> None:
    """A friendly empty page, not empty tables."""
    clock = StillClock()
    desk = make_desk(MemoryShelf(clock), clock, tmp_path)
    with served(create_app(desk.services), bound()) as address:
        seen = look(ApiClient(address), Seen(), None, EN)
    assert EN["no_jobs"] in seen.parts["progress"]
    assert seen.parts["events"] == seen.parts["incidents"] == seen.parts["player"] == ""


def test_a_service_that_is_away_leaves_the_page_as_it_was(stage: Stage) -> None:
    """Only the header says so; when it is back, everything is."""
    first = look(stage.api, Seen(), JOB, EN)
    with bound() as closed:
        nobody = ApiClient(f"http://127.0.0.1:{closed.getsockname()[1]}")
        away = look(nobody, first, JOB, EN)
    assert EN["away"] in away.parts["header"]
    assert away.findings == first.findings
    assert {n for n in away.parts if away.parts[n] != first.parts[n]} == {"header"}
    assert away.is_busy
    assert look(stage.api, away, JOB, EN).parts == first.parts
