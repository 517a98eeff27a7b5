"""The renderer's benchmark: what it measures is measured, and its bar is the promised one."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from extension.sources.replay.style import Level, look

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with logs of some seconds; scripts are no package."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("bench_replay")
    monkeypatch.setattr(module, "MINUTES", (0.17, 0.2))
    monkeypatch.setattr(module, "_STILL_FRAMES", 60)
    return module


def test_the_bar_is_ten_times_real_time(bench: ModuleType) -> None:
    """At the size and rate of the issue."""
    style = look(Level.ABSTRACT)
    assert (style.width, style.height, style.fps) == (532, 280, 30)
    assert bench.LEAST_TIMES_REAL_TIME == 10.0


def test_a_log_is_as_long_as_asked_for(bench: ModuleType) -> None:
    """And comes again from its seed."""
    log, again = (bench.log_of(0.2, 3) for _ in range(2))
    assert log.duration_s == 12.0
    assert (log.tracks["obj001"].places == again.tracks["obj001"].places).all()


def test_drawing_and_bare_encoding_are_timed(bench: ModuleType, tmp_path: Path) -> None:
    """By both clocks, for as many frames as there are."""
    log = bench.log_of(0.2, 1)
    drawn = bench.timed(log, look(Level.FULL), tmp_path / "a.mp4")
    still = bench.bare(log, look(Level.FULL), tmp_path / "b.mp4")
    assert (drawn.frames, drawn.media_s) == (360, 12.0)
    assert (still.frames, still.media_s) == (60, 2.0)
    for one in (drawn, still):
        assert one.wall_s > 0
        assert one.cpu_s > 0
        assert one.bytes > 1000
    assert (tmp_path / "a.mp4").stat().st_size == drawn.bytes


def run(bench: ModuleType, tmp_path: Path) -> dict[str, Any]:
    """The benchmark's report."""
    bench.replay_speed(runs=1, seed=2, report=tmp_path / "report.json")
    page = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert isinstance(page, dict)
    return page


def test_the_report_has_every_level_and_length_and_its_worst_counts(
    bench: ModuleType, tmp_path: Path
) -> None:
    """With the bar, and whether it holds."""
    page = run(bench, tmp_path)
    assert [(row["level"], row["minutes"]) for row in page["all"]] == [
        (level.value, minutes) for minutes in (0.17, 0.2) for level in Level
    ]
    assert page["times_real_time"] == min(row["times_real_time"] for row in page["all"])
    assert page["of_bare_encoding"] == max(row["of_bare_encoding"] for row in page["all"])
    assert page["bar"] == {"times_real_time": 10.0}
    assert page["holds"] == (page["times_real_time"] >= 10.0)


def test_a_bar_that_is_missed_does_not_hold(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast the machine."""
    monkeypatch.setattr(bench, "LEAST_TIMES_REAL_TIME", 1e9)
    monkeypatch.setattr(bench, "MINUTES", (0.17,))
    assert run(bench, tmp_path)["holds"] is False
