"""`timetravel summary`: finds the service and the job, prints the words, and says where the video is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from extension import cli, settings
from extension.api import create_app
from extension.command import lock
from extension.command.summary import tell
from extension.errors import BadInput, NotFound, Unavailable
from tests.api import samples
from tests.api.harness import StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf


@dataclass
class Service:
    """A service with two jobs, and what is configured about it."""

    settings: settings.Settings
    address: str
    outputs: Path


def said(service: Service, job_id: str = "", lang: str = "en") -> str:
    """What is printed."""
    text = io.StringIO()
    tell(service.settings, Console(file=text, width=100, color_system=None), job_id, lang)
    return text.getvalue()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """One that runs on a data folder of its own."""
    clock = StillClock()
    shelf = MemoryShelf(clock)
    desk = make_desk(shelf, clock, tmp_path)
    for name, incidents in (("aaa-1", []), ("abb-2", [samples.incident("abb-2")])):
        shelf.add_job(samples.job(name))
        shelf.save_captions(name, [samples.caption(index) for index in range(10)])
        shelf.commit_judgement(name, judged_chunks=10, events=[], incidents=incidents, messages=[])
    with served(create_app(desk.services), bound()) as address:
        lock.announce(tmp_path, address)
        yield Service(settings.load(None, data_dir=tmp_path), address, desk.services.outputs_dir)


def test_the_newest_job_is_told_of(service: Service) -> None:
    """Without naming one."""
    text = said(service)
    assert "Summary of yard.mp4" in text
    assert "1 collision was found (1 danger)." in text
    assert "00:00:12: collision of 3 and 7" in text


def test_korean_is_printed_in_korean(service: Service) -> None:
    """The same facts."""
    text = said(service, "abb-2", "ko")
    assert "yard.mp4 요약" in text
    assert "충돌 1건을 찾았습니다(위험 1건)." in text


def test_a_job_is_named_by_the_beginning_of_its_id(service: Service) -> None:
    """Where only one begins so."""
    assert "Nothing was found." in said(service, "aa")
    with pytest.raises(NotFound):
        said(service, "a")
    with pytest.raises(NotFound):
        said(service, "zzz")


def test_where_the_video_is_can_be_opened(service: Service) -> None:
    """One unbroken address, and none where there is no video."""
    assert "summary.mp4" not in said(service)
    folder = service.outputs / "abb-2"
    folder.mkdir()
    (folder / "summary.mp4").write_bytes(b"video")
    assert f"{service.address}/api/v1/jobs/abb-2/outputs/summary.mp4" in said(service).splitlines()


def test_a_language_that_we_do_not_write_is_refused(service: Service) -> None:
    """By name, with those that we do."""
    with pytest.raises(BadInput, match="'fr' is not one of en, ko"):
        said(service, "", "fr")


def test_a_service_that_is_away_is_said_so(tmp_path: Path) -> None:
    """Not an empty summary."""
    with bound() as closed:
        configured = settings.load(None, data_dir=tmp_path, port=closed.getsockname()[1])
        with pytest.raises(Unavailable, match="does not answer"):
            tell(configured, Console(file=io.StringIO()), "", "en")


def test_a_service_without_jobs_has_nothing_to_tell(tmp_path: Path) -> None:
    """And says that."""
    clock = StillClock()
    desk = make_desk(MemoryShelf(clock), clock, tmp_path)
    with served(create_app(desk.services), bound()) as address:
        lock.announce(tmp_path, address)
        with pytest.raises(NotFound, match="Nothing has been analysed yet"):
            tell(settings.load(None, data_dir=tmp_path), Console(file=io.StringIO()), "", "en")


def test_the_command_is_part_of_the_command_line(service: Service) -> None:
    """With its options."""
    runner = CliRunner()
    shown = runner.invoke(
        cli.app, ["summary", "abb-2", "--lang", "ko", "--data-dir", str(service.settings.data_dir)]
    )
    assert shown.exit_code == 0, shown.output
    assert "충돌 1건" in shown.output
