"""What every benchmark ends with, and the benchmark of a whole replay: figures, bar, and a report that says whether it holds."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import typer
from rich.console import Console

from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory_csv import read_trajectory, write_trajectory
from tests.pipeline.replays import log_of

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts find one another; they are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def report() -> ModuleType:
    """How benchmarks report."""
    return importlib.import_module("bench_report")


@pytest.fixture
def bench() -> ModuleType:
    """The benchmark of a whole replay."""
    return importlib.import_module("bench_replay_job")


@pytest.fixture
def terminal(report: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is printed."""
    text = io.StringIO()
    monkeypatch.setattr(report, "console", Console(file=text, width=200))
    yield text
    text.close()


def page_of(path: Path) -> dict[str, Any]:
    """A report."""
    page = json.loads(path.read_text("utf-8"))
    assert isinstance(page, dict)
    return page


@pytest.mark.parametrize("holds", [True, False])
def test_a_report_has_figures_bar_machine_and_verdict(
    report: ModuleType, terminal: io.StringIO, tmp_path: Path, *, holds: bool
) -> None:
    """In a folder that need not exist, with an instant that names its zone."""
    path = tmp_path / "deep" / "down" / "r.json"
    report.finish("speed", {"seed": 1, "rate": 9.5, "all": [1, 2]}, {"rate": 10.0}, path, holds=holds)
    page = page_of(path)
    assert (page["benchmark"], page["rate"], page["bar"], page["holds"]) == (
        "speed",
        9.5,
        {"rate": 10.0},
        holds,
    )
    assert page["all"] == [1, 2]
    assert page["machine"]["cores"] >= 1
    assert page["machine"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert dt.datetime.fromisoformat(page["measured_at"]).tzinfo is not None
    assert ("the bar does not hold" in terminal.getvalue()) is not holds


def test_without_a_file_nothing_is_written(
    report: ModuleType, terminal: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures are on the terminal, single runs are not."""
    monkeypatch.chdir(tmp_path)
    report.finish("speed", {"rate": 9.5, "all": ["a-single-run"]}, {"rate": 1.0}, None, holds=True)
    assert "9.5" in terminal.getvalue()
    assert "a-single-run" not in terminal.getvalue()
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_replaced_and_says_where_it_is(
    report: ModuleType, terminal: io.StringIO, tmp_path: Path
) -> None:
    """Letters of any alphabet stay readable in it."""
    for what in ("안전", "위험"):
        report.finish(what, {}, {}, tmp_path / "r.json", holds=True)
    assert page_of(tmp_path / "r.json")["benchmark"] == "위험"
    assert "위험" in (tmp_path / "r.json").read_text("utf-8")
    assert terminal.getvalue().count("report written to") == 2


def test_a_figure_may_not_hide_the_verdict(report: ModuleType, terminal: io.StringIO, tmp_path: Path) -> None:
    """Bar and verdict are set last."""
    report.finish("x", {"holds": True, "bar": "none"}, {"rate": 1}, tmp_path / "r.json", holds=False)
    page = page_of(tmp_path / "r.json")
    assert (page["holds"], page["bar"]) == (False, {"rate": 1})
    assert "does not hold" in terminal.getvalue()


def test_a_folder_of_its_own_is_gone_afterwards(report: ModuleType) -> None:
    """With what lies in it, and also when the benchmark fails."""
    with report.folder_of_its_own() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
    assert not folder.exists()
    with pytest.raises(RuntimeError, match="on the way"), report.folder_of_its_own() as folder:
        raise RuntimeError("on the way")
    assert not folder.exists()


def test_folders_do_not_meet(report: ModuleType) -> None:
    """Two benchmarks may run side by side."""
    with report.folder_of_its_own() as one, report.folder_of_its_own() as other:
        assert one != other


def replayed_page(att: float, seen: float, took_s: float) -> dict[str, Any]:
    """What one replay reports."""
    return {"took_s": took_s, "job_s": took_s / 2, "evaluation": {"att_f1": att, "seen": {"att_f1": seen}}}


@pytest.mark.parametrize(
    ("took_s", "times", "holds"),
    [
        pytest.param([4.0, 9.0, 5.0], 20.0, True, id="both-kept"),
        pytest.param([4.0, 11.0, 10.0], 20.0, True, id="just-kept"),
        pytest.param([12.0, 12.0, 2.0], 20.0, False, id="the-median-is-too-slow"),
        pytest.param([4.0, 4.0, 4.0], 9.9, False, id="drawing-is-too-slow"),
    ],
)
def test_a_replay_holds_when_job_and_drawing_are_fast_enough(
    bench: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    took_s: list[float],
    times: float,
    *,
    holds: bool,
) -> None:
    """The median of the runs counts for time, the worst of them for quality."""
    log = tmp_path / "log.csv"
    write_trajectory(log_of({}, 20.0), log)
    pages = iter([replayed_page(1.0 - n / 10, 0.9 - n / 10, one) for n, one in enumerate(took_s)])
    monkeypatch.setattr(bench, "replayed", lambda *_: next(pages))
    monkeypatch.setattr(bench, "measured", lambda *_: {"times_real_time": times})
    bench.replay(seed=1, runs=3, log=log, report=tmp_path / "r.json")
    page = page_of(tmp_path / "r.json")
    assert page["job_per_log"] == round(sorted(took_s)[1] / 20.0, 4)
    assert (page["att_f1"], page["seen_att_f1"]) == (0.8, 0.7)
    assert (page["log_s"], page["times_real_time"], page["holds"]) == (20.0, times, holds)
    assert page["bar"] == {"job_per_log": 0.5, "times_real_time": 10.0}
    assert [one["took_s"] for one in page["all"]] == took_s


def test_without_a_log_a_minute_is_generated(bench: ModuleType, tmp_path: Path) -> None:
    """From the seed, with contacts in it."""
    (tmp_path / "again").mkdir()
    path, again = bench._generated(tmp_path, 2), bench._generated(tmp_path / "again", 2)
    log = read_trajectory(path)
    assert (log.duration_s, len(log.tracks)) == (60.0, 5)
    assert contacts(log)
    assert path.read_bytes() == again.read_bytes()


def started(bench: ModuleType, monkeypatch: pytest.MonkeyPatch, code: int) -> list[list[str]]:
    """Stands in for the started program: notes its command line, writes its report, ends with a code."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> Any:
        commands.append(command)
        page = Path(command[command.index("--report") + 1])
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text('{"job_s": 1.0}')
        return SimpleNamespace(returncode=code, stdout="what it said")

    monkeypatch.setattr(bench.subprocess, "run", run)
    return commands


def test_a_replay_runs_as_people_run_it(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With alerts, on a data folder of its own; the time is that of the whole program."""
    commands = started(bench, monkeypatch, 0)
    page = bench.replayed(tmp_path / "log.csv", tmp_path / "data", "--vlm", "off")
    (command,) = commands
    assert command[1:6] == ["-m", "extension", "replay", str(tmp_path / "log.csv"), "--alerts"]
    assert command[command.index("--data-dir") + 1] == str(tmp_path / "data")
    assert command[command.index("--vlm") + 1] == "off"
    assert page["job_s"] == 1.0
    assert page["took_s"] >= 0


def test_a_replay_that_fails_ends_the_benchmark(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its code: a time of a run that failed is no figure."""
    started(bench, monkeypatch, 3)
    with pytest.raises(typer.Exit) as left:
        bench.replayed(tmp_path / "log.csv", tmp_path / "data")
    assert left.value.exit_code == 3
