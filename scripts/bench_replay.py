"""Measures the replay renderer alone: how much faster than real time it draws and encodes, against bare encoding of still frames.

`python scripts/bench_replay.py [--report FILE]`; the benchmark of the whole way from log to alerts is scripts/bench.sh replay.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench_report import ReportFile, Seed, console, finish
from extension.sources.replay.encode import write_video
from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.render import frames, render
from extension.sources.replay.style import Level, Style, look
from extension.timetravel.trajectory import Trajectory

LEAST_TIMES_REAL_TIME: Final = 10.0
MINUTES: Final = (1.0, 10.0)
OBJECTS: Final = 5
_STILL_FRAMES: Final = 1800


@dataclass(frozen=True)
class Timing:
    """What drawing one log took.

    Attributes:
        media_s: Length of the video.
        wall_s: By the wall clock.
        cpu_s: By the processor's, all threads together.
        frames: How many.
        bytes: Size of the file.
    """

    media_s: float
    wall_s: float
    cpu_s: float
    frames: int
    bytes: int


def replay_speed(
    runs: Annotated[int, typer.Option(min=1, help="How often; the median counts.")] = 3,
    seed: Seed = 1,
    report: ReportFile = None,
) -> None:
    """The renderer alone at 532x280 and 30 frames a second, encoding included, for each level and two lengths of log."""
    logs = {minutes: log_of(minutes, seed) for minutes in MINUTES}
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measured(log, level, minutes, runs, Path(folder) / "replay.mp4")
            for minutes, log in logs.items()
            for level in Level
        ]
    figures = {
        "seed": seed,
        "runs": runs,
        "objects": OBJECTS,
        "times_real_time": min(row["times_real_time"] for row in rows),
        "times_real_time_by_cpu": min(row["times_real_time_by_cpu"] for row in rows),
        "of_bare_encoding": max(row["of_bare_encoding"] for row in rows),
        "all": rows,
    }
    bar = {"times_real_time": LEAST_TIMES_REAL_TIME}
    finish("replay-speed", figures, bar, report, holds=figures["times_real_time"] >= LEAST_TIMES_REAL_TIME)


def log_of(minutes: float, seed: int) -> Trajectory:
    """A log of that length with about as many meetings as the sample has."""
    each = max(1, round(4 * minutes))
    return generate(
        Plan(objects=OBJECTS, duration_s=60 * minutes, contacts=each, near_misses=each // 2 + 1), seed
    )


def measured(log: Trajectory, level: Level, minutes: float, runs: int, path: Path) -> dict[str, Any]:
    """Draw a log several times, each followed by bare encoding of its first frame; medians, and the ratio of the two."""
    style = look(level)
    drawn = [(timed(log, style, path), bare(log, style, path)) for _ in range(runs)]
    wall_s = statistics.median(one.wall_s for one, _ in drawn)
    row = {
        "level": level.value,
        "minutes": minutes,
        "frames": drawn[0][0].frames,
        "bytes": drawn[0][0].bytes,
        "wall_s": round(wall_s, 3),
        "times_real_time": round(drawn[0][0].media_s / wall_s, 1),
        "times_real_time_by_cpu": round(
            drawn[0][0].media_s / statistics.median(one.cpu_s for one, _ in drawn), 1
        ),
        "of_bare_encoding": round(
            statistics.median(
                (one.cpu_s / one.frames) / (still.cpu_s / still.frames) for one, still in drawn
            ),
            2,
        ),
    }
    console.print(
        f"{level:>10} {minutes:>4g} min: {row['times_real_time']:>5} times real time "
        f"({row['times_real_time_by_cpu']} by processor time), {row['of_bare_encoding']} of bare encoding"
    )
    return row


def timed(log: Trajectory, style: Style, path: Path) -> Timing:
    """Draw and encode a log once."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    rendered = render(log, style, path)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return Timing(rendered.media_s, wall_s, cpu_s, rendered.frames, path.stat().st_size)


def bare(log: Trajectory, style: Style, path: Path) -> Timing:
    """Encode the first frame of a log over and over: the least that a video of this size costs here and now."""
    still = next(frames(log, style))
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    count = write_video(repeat(still, _STILL_FRAMES), style, path)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    return Timing(count / style.fps, wall_s, cpu_s, count, path.stat().st_size)


if __name__ == "__main__":
    typer.run(replay_speed)
