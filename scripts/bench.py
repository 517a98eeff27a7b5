"""Benchmarks of the whole product, each by one command; see scripts/bench.sh. A figure is a median, or a ratio within one run."""

from __future__ import annotations

import inspect
import json
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bench_camera_quality import camera_quality
from bench_capture import capture
from bench_concurrency import concurrency
from bench_faults import faults
from bench_latency import latency
from bench_long_log import long_log
from bench_outage import outage
from bench_quality import replay_quality
from bench_replay import replay_speed
from bench_replay_job import replay
from bench_report import ReportFile, Seed, analysing, console, finish, folder_of_its_own
from bench_soak import soak
from bench_timestamps import timestamps
from bench_views import View, draw_views
from bench_vlm import tokens
from extension import settings
from extension.command.follow import Follower, Wanted
from extension.command.report import score
from extension.stack.settings import child_environment
from extension.timetravel.trajectory_csv import read_trajectory

ROOT = Path(__file__).parent.parent
MOST_JOB_PER_MEDIA, MOST_STARTUP_S, MOST_RSS_BYTES = 0.35, 15.0, 1_500_000_000
LEAST_MEAN_F1 = 0.95
FEWEST_VIEWS = 30

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

EVERY: dict[str, Callable[..., None]] = {
    "replay": replay,
    "replay-speed": replay_speed,
    "replay-quality": replay_quality,
    "long-log": long_log,
    "tokens": tokens,
    "timestamps": timestamps,
    "concurrency": concurrency,
    "faults": faults,
    "capture": capture,
    "camera-quality": camera_quality,
    "soak": soak,
    "latency": latency,
    "outage": outage,
}
for called, measure in EVERY.items():
    app.command(called)(measure)


@app.command()
def spine(
    runs: Annotated[int, typer.Option(min=1, help="How often; the median counts.")] = 5,
    report: ReportFile = None,
) -> None:
    """The main job on the 60 s sample, start to end, in a fresh folder each time."""
    pages = []
    for number in range(runs):
        with folder_of_its_own() as folder:
            page = _main_job(folder)
        pages.append(page)
        console.print(
            f"run {number + 1}: job / video {page['job_per_media']:.3f}, start-up {page['startup_s']:.1f} s, "
            f"peak memory {page['peak_rss_bytes'] / 1e6:.0f} MB"
        )
    with folder_of_its_own() as folder:
        served = _main_job(folder, page=True)
    figures = {
        "runs": runs,
        "media_s": pages[0]["media_s"],
        "job_s": _median(pages, "job_s"),
        "job_per_media": _median(pages, "job_per_media"),
        "startup_s": max(_median(pages, "startup_s"), served["startup_s"]),
        "startup_without_page_s": _median(pages, "startup_s"),
        "peak_rss_bytes": max(page["peak_rss_bytes"] for page in (*pages, served)),
        "att_f1": min(page["evaluation"]["att_f1"] for page in pages),
        "all": [{key: page[key] for key in ("job_s", "startup_s", "peak_rss_bytes")} for page in pages],
    }
    bar = {
        "job_per_media": MOST_JOB_PER_MEDIA,
        "startup_s": MOST_STARTUP_S,
        "peak_rss_bytes": MOST_RSS_BYTES,
    }
    finish("spine", figures, bar, report, holds=all(figures[name] <= most for name, most in bar.items()))


@app.command("replay-views")
def replay_views(
    seed: Seed = 1,
    views: Annotated[int, typer.Option(min=1, help="How many.")] = FEWEST_VIEWS,
    report: ReportFile = None,
    keep: Annotated[Path | None, typer.Option(help="Keep the drawn views in this folder.")] = None,
) -> None:
    """Freshly drawn replays over everything a view may vary in, through the whole stack, scored against their logs."""
    with folder_of_its_own() as folder:
        console.print(f"drawing {views} views with seed {seed}")
        drawn = draw_views(seed, views, keep or folder / "views")
        rows = _analyse_all(drawn, drawn[0].video.parent)
    scores = [row["att_f1"] for row in rows]
    worst = min(rows, key=lambda row: float(row["att_f1"]))
    figures = {
        "seed": seed,
        "views": len(rows),
        "mean_att_f1": round(statistics.fmean(scores), 4),
        "mean_det_f1": round(statistics.fmean(row["det_f1"] for row in rows), 4),
        "mean_shown_att_f1": round(statistics.fmean(row["shown_att_f1"] for row in rows), 4),
        "perfect_views": sum(value == 1.0 for value in scores),
        "worst": worst,
        "failed_chunks": sum(row["failed_chunks"] for row in rows),
        "job_per_media": round(sum(row["job_s"] for row in rows) / sum(row["media_s"] for row in rows), 4),
        "all": rows,
    }
    console.print(_view_table(rows))
    holds = figures["mean_shown_att_f1"] >= LEAST_MEAN_F1 and len(rows) >= FEWEST_VIEWS
    bar = {"mean_shown_att_f1": LEAST_MEAN_F1, "views": FEWEST_VIEWS}
    finish("replay-views", figures, bar, report, holds=holds)


@app.command("all")
def run_all(seed: Seed = 1, report: ReportFile = None) -> None:
    """Every benchmark, one after another (hours); reports get the benchmark's name before their suffix."""
    commands: dict[str, Callable[..., None]] = {**EVERY, "spine": spine, "replay-views": replay_views}
    for name, command in commands.items():
        seeded = {"seed": seed} if "seed" in inspect.signature(command).parameters else {}
        command(report=_named(report, name), **seeded)


def _named(report: Path | None, name: str) -> Path | None:
    return report.with_name(f"{report.stem}-{name}{report.suffix}") if report else None


def _main_job(folder: Path, *, page: bool = False) -> dict[str, Any]:
    """One `timetravel run` in a process of its own, once or until its page is served; its report."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "extension", "run", *([] if page else ["--once"])]
    command += ["--data-dir", str(folder), "--report", str(report)]
    env = child_environment(EXT_PORT="0")
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if line.startswith("Open http"):
                process.send_signal(signal.SIGINT)
    if process.returncode != 0:
        console.print(f"[red]the run failed with exit code {process.returncode}[/red]")
        raise typer.Exit(process.returncode)
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return found


def _analyse_all(drawn: list[View], folder: Path) -> list[dict[str, Any]]:
    """Each view as a job of one stack, by the VLM alone; nobody is told of its incidents."""
    contact_cm = settings.load().contact_cm
    with analysing(folder) as (follower, _):
        return [_row(view, follower, contact_cm) for view in drawn]


def _row(view: View, follower: Follower, contact_cm: float) -> dict[str, Any]:
    outcome = follower.run(Wanted(view.video, view.csv, view.speed, geometry=False))
    scores = score(outcome.events, outcome.incidents, read_trajectory(view.csv), contact_cm)
    job = outcome.job
    job_s = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0
    return {
        "view": view.video.name,
        **{key: scores[key] for key in ("contacts", "att_f1", "det_f1", "att_precision", "att_recall")},
        "shown_att_f1": scores["shown"]["att_f1"],
        "predecessor_f1": scores["predecessor_f1"],
        "failed_chunks": job.failed_chunks,
        "media_s": job.media_s or 0.0,
        "job_s": round(job_s, 2),
        "traits": view.traits,
    }


def _view_table(rows: list[dict[str, Any]]) -> Table:
    table = Table("view", "contacts", "F1", "precision", "recall", "traits")
    for row in sorted(rows, key=lambda row: float(row["att_f1"])):
        traits = ", ".join(f"{name} {value}" for name, value in row["traits"].items())
        numbers = (f"{row[key]:.2f}" for key in ("att_f1", "att_precision", "att_recall"))
        table.add_row(row["view"], str(row["contacts"]), *numbers, traits)
    return table


def _median(pages: list[dict[str, Any]], key: str) -> float:
    return round(float(statistics.median(page[key] for page in pages)), 4)


if __name__ == "__main__":
    app()
