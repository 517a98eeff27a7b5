"""The long-log benchmark: its logs are what they claim, its scores are honest, and its bar can fail."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory import micros
from extension.timetravel.trajectory_csv import read_trajectory

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
MINUTE_H = 1 / 60


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script as a module; scripts are no package."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("bench_long_log", SCRIPTS / "bench_long_log.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["bench_long_log"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


@pytest.fixture(scope="module")
def made(bench: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A log of six minutes, and its meetings."""
    file = tmp_path_factory.mktemp("bench") / "log.csv"
    return file, bench.write_long_log(file, 6 * MINUTE_H)


def test_a_log_is_as_long_and_as_full_as_asked(made: tuple[Path, list[Any]]) -> None:
    """Fifty objects, five times a second, without anything odd."""
    log = read_trajectory(made[0])
    assert len(log.objids) == 50
    assert log.duration_s == 360.0
    assert {len(track.at_us) for track in log.tracks.values()} == {1801}
    assert log.warnings == ()


def test_its_contacts_are_the_planned_ones(bench: ModuleType, made: tuple[Path, list[Any]]) -> None:
    """All of them, and no other."""
    file, meetings = made
    found = [
        [int(c.objects[0]), int(c.objects[1]), micros(c.start_at), micros(c.end_at)]
        for c in contacts(read_trajectory(file))
    ]
    assert len(meetings) == 4
    assert bench.score(found, meetings) == {"planned": 4, "found": 4, "unplanned": 0}


def test_objects_move_as_people_do(made: tuple[Path, list[Any]]) -> None:
    """At a walking pace, but for those on their way to a meeting."""
    log = read_trajectory(made[0])
    speeds = [np.hypot(*np.diff(track.places[:, [0, 2]], axis=0).T) / 0.2 for track in log.tracks.values()]
    assert 30 < float(np.median(np.concatenate(speeds))) < 200
    assert max(float(speed.max()) for speed in speeds) < 400


def test_the_same_seed_makes_the_same_log(bench: ModuleType, tmp_path: Path) -> None:
    """And another seed another one."""
    logs = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        bench.write_long_log(tmp_path / name, 2 * MINUTE_H, seed)
        logs.append((tmp_path / name).read_bytes())
    assert logs[0] == logs[1] != logs[2]


def test_scores_count_what_is_missing_and_what_is_too_much(bench: ModuleType) -> None:
    """A meeting is found once, by its pair and its time."""
    start_us = micros(bench.START_AT)
    meetings = [bench.Meeting(2, 1, 100), bench.Meeting(3, 4, 100)]
    hit = [1, 2, start_us + 19_000_000, start_us + 21_000_000]
    late = [3, 4, start_us + 22_000_000, start_us + 23_000_000]
    other = [1, 3, *hit[2:]]
    assert bench.score([hit], meetings) == {"planned": 2, "found": 1, "unplanned": 0}
    assert bench.score([hit, hit, late, other], meetings) == {"planned": 2, "found": 1, "unplanned": 3}


def test_every_figure_is_measured(bench: ModuleType, made: tuple[Path, list[Any]], tmp_path: Path) -> None:
    """Times, memory and rows of a real log."""
    page = bench.measure(made[0], tmp_path / "cache")
    assert page["rows"] == 50 * 1801
    for name in (
        "load_s",
        "load_cpu_s",
        "query_p50_ms",
        "query_p95_ms",
        "query_cpu_p95_ms",
        "contacts_cpu_s",
    ):
        assert page[name] > 0
    assert 10_000_000 < page["load_peak_bytes"] <= page["peak_bytes"]
    assert page["query_p50_ms"] <= page["query_p95_ms"]


def test_the_command_writes_a_report(bench: ModuleType, tmp_path: Path) -> None:
    """With the bar, how figures grow, and whether it holds."""
    app = typer.Typer()
    app.command()(bench.long_log)
    report = tmp_path / "report.json"
    hours = [str(2 * MINUTE_H), str(6 * MINUTE_H)]
    done = CliRunner().invoke(
        app, ["--hours", hours[1], "--hours", hours[0], "--report", str(report)], catch_exceptions=False
    )
    assert done.exit_code == 0
    page = json.loads(report.read_text())
    assert page["benchmark"] == "long-log"
    assert [row["hours"] for row in page["logs"]] == pytest.approx([2 * MINUTE_H, 6 * MINUTE_H])
    assert page["growth"]["hours"] == 3.0
    assert page["holds"] is bench._holds(page)
    assert set(page["bar"]) <= {*page, "growth.peak_bytes"}
    assert all(row["contacts"]["found"] == row["contacts"]["planned"] for row in page["logs"])


@pytest.mark.parametrize(
    "change",
    [
        {"query_p50_ms": 5.1},
        {"query_cpu_p95_ms": 5.1},
        {"peak_bytes": 500_000_001},
        {"contacts_cpu_s": 10.1},
        {"growth": {"peak_bytes": 1.51}},
        {"logs": [{"contacts": {"planned": 2, "found": 1, "unplanned": 0}}]},
        {"logs": [{"contacts": {"planned": 2, "found": 2, "unplanned": 1}}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_bar_can_fail(bench: ModuleType, change: dict[str, Any]) -> None:
    """By each of its figures."""
    good = {
        "query_p50_ms": 0.3,
        "query_cpu_p95_ms": 1.0,
        "peak_bytes": 300_000_000,
        "contacts_cpu_s": 1.0,
        "growth": {"peak_bytes": 1.2},
        "logs": [{"contacts": {"planned": 2, "found": 2, "unplanned": 0}}],
    }
    assert bench._holds(good)
    assert not bench._holds({**good, **change})
