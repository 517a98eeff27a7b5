"""From a log to its alerts and its summary, drawing included: how long that takes beside the log's own duration."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer

from bench_replay import LEAST_TIMES_REAL_TIME, measured
from bench_report import ReportFile, Seed, console, finish, folder_of_its_own
from extension.clock import SystemClock
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.scenario import generate_nearly, scenario
from extension.sources.replay.style import Level
from extension.stack.settings import child_environment
from extension.timetravel.trajectory_csv import read_trajectory, write_trajectory

ROOT: Final = Path(__file__).parent.parent
MOST_JOB_PER_LOG: Final = 0.5
OBJECTS, DURATION_S = 5, 60.0


def replay(
    seed: Seed = 1,
    runs: Annotated[int, typer.Option(min=1, help="How often; the median counts.")] = 3,
    log: Annotated[
        Path | None, typer.Option(help="Log to replay; without one, a minute is generated.")
    ] = None,
    report: ReportFile = None,
) -> None:
    """`timetravel replay LOG --alerts`, start-up and drawing included, and the renderer alone at 532x280, 30 frames per second."""
    with folder_of_its_own() as folder:
        path = log or _generated(folder, seed)
        duration_s = read_trajectory(path).duration_s
        pages = [replayed(path, folder / f"run-{number}") for number in range(runs)]
        drawn = measured(read_trajectory(path), Level.ABSTRACT, duration_s / 60, runs, folder / "drawn.mp4")
    figures = {
        "seed": seed,
        "runs": runs,
        "log_s": duration_s,
        "job_per_log": round(statistics.median(page["took_s"] for page in pages) / duration_s, 4),
        "times_real_time": drawn["times_real_time"],
        "att_f1": min(page["evaluation"]["att_f1"] for page in pages),
        "seen_att_f1": min(page["evaluation"]["seen"]["att_f1"] for page in pages),
        "all": [{"took_s": page["took_s"], "job_s": page["job_s"]} for page in pages],
    }
    holds = figures["job_per_log"] <= MOST_JOB_PER_LOG and figures["times_real_time"] >= LEAST_TIMES_REAL_TIME
    bar = {"job_per_log": MOST_JOB_PER_LOG, "times_real_time": LEAST_TIMES_REAL_TIME}
    finish("replay", figures, bar, report, holds=holds)


def replayed(log: Path, data_dir: Path, *options: str) -> dict[str, Any]:
    """One replay with alerts in a process of its own: its report, and `took_s`, the processing time from start to end.

    Raises:
        typer.Exit: It did not end well.
    """
    clock, page_path = SystemClock(), data_dir / "report.json"
    command = [sys.executable, "-m", "extension", "replay", str(log), "--alerts", *options]
    command += ["--data-dir", str(data_dir), "--report", str(page_path)]
    began_s = clock.monotonic_s()
    done = subprocess.run(
        command, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, check=False, text=True
    )
    took_s = clock.monotonic_s() - began_s
    if done.returncode != 0:
        console.print(done.stdout)
        raise typer.Exit(done.returncode)
    page: dict[str, Any] = json.loads(page_path.read_text("utf-8"))
    return {**page, "took_s": round(took_s, 2)}


def _generated(folder: Path, seed: int) -> Path:
    chance = np.random.default_rng(seed)
    wanted = scenario(Difficulty.MIXED, OBJECTS, DURATION_S, chance)
    trajectory, _ = generate_nearly(wanted.plan, seed)
    path = folder / "log.csv"
    write_trajectory(trajectory, path)
    return path
