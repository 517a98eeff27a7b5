"""Who looks while a command runs: what is configured, or the embedded programs; nothing stays behind, however it ends."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog
from rich.console import Console

from extension.clock import SystemClock
from extension.command.watching import followed, looking
from extension.errors import Unavailable
from extension.model import Caption, Chunk, Span
from extension.pipeline.backtest.eyes import Eyes, Wording, wording
from extension.pipeline.backtest.footage import Reel
from extension.pipeline.backtest.rules import Rules
from extension.settings import Settings, load
from tests.pipeline.backtest.samples import ScriptedEyes, ScriptedFootage
from tests.pipeline.via_double import Answer, ViaDouble, captions


def configured(tmp_path: Path, url: str, **changes: Any) -> Settings:
    """Settings with a via-server of one's own."""
    return load(None, data_dir=tmp_path / "data", via_backend=url, **changes)


def quiet() -> Console:
    """Nobody looks."""
    return Console(file=io.StringIO())


def reel_of(path: Path) -> Reel:
    """A file that there may be."""
    path.write_bytes(b"film")
    return Reel(path.name, path, 0.0, 30.0, Span(0.0, 30.0), passing=False)


def test_a_configured_via_server_is_asked_and_nothing_is_started(tmp_path: Path) -> None:
    """Its model is who looks; files are deleted there and here at the end."""
    with ViaDouble() as double:
        console = quiet()
        with looking(configured(tmp_path, double.url), (), console, SystemClock()) as lookers:
            assert lookers.model == "double"
            lookers.folder.mkdir(parents=True)
            asked = lookers.eyes.first(
                reel_of(tmp_path / "a.mp4"), Chunk(0, Span(0.0, 10.0)), wording("camera", "en", 40)
            )
            assert asked.verdict is not None
            assert double.files
        assert not double.files
    assert not lookers.folder.exists()
    assert not (tmp_path / "data").exists(), "the data folder is not touched"
    assert isinstance(console.file, io.StringIO)
    assert not console.file.getvalue()


def test_a_via_server_that_is_away_is_said_so(tmp_path: Path) -> None:
    """After the patience that is configured."""
    with ViaDouble() as double:
        url = double.url
    with (
        pytest.raises(Unavailable, match="cannot be reached"),
        looking(configured(tmp_path, url, patience_s=0), (), quiet(), SystemClock()),
    ):
        pass


def test_only_warnings_of_the_pipeline_are_let_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And afterwards everything is as it was."""
    before = structlog.get_config()
    with ViaDouble() as double, looking(configured(tmp_path, double.url), (), quiet(), SystemClock()):
        structlog.get_logger().info("looked_twice")
        structlog.get_logger().warning("asking_again")
    assert structlog.get_config() == before
    shown = capsys.readouterr()
    assert "asking_again" in shown.err
    assert "looked_twice" not in shown.err + shown.out
    assert not shown.out


def test_whoever_breaks_off_does_not_wait_for_what_is_still_asked(tmp_path: Path) -> None:
    """Ctrl-C ends it: windows that wait are not asked about, and nobody tries for ever."""
    free = threading.Event()

    def script(query: dict[str, Any], _: int) -> Answer:
        free.wait(20)
        return 200, captions(query)

    class Interrupted(ScriptedEyes):
        def __init__(self, others: Eyes) -> None:
            super().__init__()
            self._others = others

        def first(self, reel: Reel, chunk: Chunk, asked: Wording) -> Caption:
            """The first window breaks it off."""
            if chunk.index == 0:
                raise KeyboardInterrupt
            return self._others.first(reel, chunk, asked)

    def watch_on(url: str) -> None:
        (tmp_path / "yard.mp4").write_bytes(b"film")
        hour = ScriptedFootage(3600.0, name=str(tmp_path / "yard.mp4"))
        with looking(configured(tmp_path, url), (), quiet(), SystemClock()) as lookers:
            eyes = Interrupted(lookers.eyes)
            followed(hour, Rules(second_look=False), eyes, lookers, "present", quiet())

    with ViaDouble(script) as double:
        with pytest.raises(KeyboardInterrupt):
            watch_on(double.url)
        assert len(double.queries) <= 3
        free.set()


def test_progress_is_shown_to_people_alone() -> None:
    """A file or a pipe gets what came of it, no bars."""
    told = Console(file=io.StringIO(), force_terminal=False)
    seen = Console(file=io.StringIO(), force_terminal=True)
    for console in (told, seen):
        course = followed(ScriptedFootage(30.0), Rules(), ScriptedEyes(), _lookers(), "present", console)
        assert len(course.captions) == 5
    assert isinstance(told.file, io.StringIO)
    assert isinstance(seen.file, io.StringIO)
    assert not told.file.getvalue()
    assert "yard.mp4, present" in seen.file.getvalue()


def _lookers() -> Any:
    from extension.command.watching import Lookers

    return Lookers(ScriptedEyes(), "double", Path("windows"), 2)
