"""The long-log benchmark: logs of 1, 3, 6 and 12 hours are made, read, asked and searched; each in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pv
import typer

from bench_replay_job import replayed
from bench_report import ReportFile, Seed, console, finish
from extension.clock import SystemClock
from extension.stack.settings import child_environment
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory import instant, micros
from extension.timetravel.trajectory_csv import read_trajectory

ROOT: Final = Path(__file__).parent.parent
START_AT: Final = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
OBJECTS, STEP_US = 50, 200_000
CELL_CM, ACROSS = 1_500.0, 10
"""Each object roams a square of its own and leaves it only for planned contacts: the contacts are known beforehand."""

MEETING_TICKS: Final = 150
"""Half a minute to walk over to the neighbour, or back."""

MOST_QUERY_MS, MOST_PEAK_BYTES, MOST_PEAK_GROWTH, MOST_CONTACTS_CPU_S = 5.0, 500_000_000, 1.5, 10.0
"""Bars. The slowest queries are judged by computing time: what others do on the machine is not the log's."""

_SECOND_US: Final = 1_000_000
QUERIES: Final = 2_000
_RELEASED_EVERY: Final = 10
"""Instants asked for, at random over the log, until the memory that their samples took is freed."""

Numbers = npt.NDArray[np.float64]
Hours = Annotated[
    list[float], typer.Option("--hours", help="Lengths of the logs, in hours; may be repeated.")
]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A planned contact: object `visitor` walks over to `host` (counted from 1) and touches it at a tick."""

    visitor: int
    host: int
    tick: int


def plan_meetings(hours: float, chance: np.random.Generator) -> list[Meeting]:
    """One contact in a minute, each between neighbours that have no other one near that time."""
    ticks = round(hours * 3600e6 / STEP_US)
    spacing = 2 * MEETING_TICKS
    found = []
    for tick in range(spacing, ticks - spacing, spacing):
        visitor = int(chance.integers(OBJECTS))
        host = visitor + 1 if visitor % ACROSS < ACROSS - 1 else visitor - 1
        found.append(Meeting(visitor + 1, host + 1, tick))
    return found


def write_long_log(path: Path, hours: float, seed: int = 1) -> list[Meeting]:
    """Write a log of 50 objects at 5 Hz, a few minutes at a time; the same seed gives the same log. Gives its contacts."""
    chance = np.random.default_rng(seed)
    meetings = plan_meetings(hours, chance)
    swing = chance.uniform(0.15, 0.3, (2, 2, OBJECTS))
    phase = chance.uniform(0, 2 * np.pi, (2, 2, OBJECTS))
    ticks = round(hours * 3600e6 / STEP_US) + 1
    names = pa.array([f"obj{n:03d}" for n in range(1, OBJECTS + 1)])
    with path.open("wb") as file:
        file.write(b"timestamp,objid,x,y,z\n")
        for first in range(0, ticks, 3000):
            tick = np.arange(first, min(first + 3000, ticks))
            file.write(_rows(tick, _places(tick, swing, phase, meetings), names))
    return meetings


def _places(tick: npt.NDArray[np.int64], swing: Numbers, phase: Numbers, meetings: list[Meeting]) -> Numbers:
    """Horizontal places; shape (ticks, objects, 2), centimetres."""
    second = tick[:, np.newaxis] * (STEP_US / 1e6)
    home = np.arange(OBJECTS)
    middle = CELL_CM * np.stack([home % ACROSS + 0.5, home // ACROSS + 0.5])
    reach = CELL_CM / 2 - 150.0  # half the least distance that strangers keep
    axes = [
        middle[axis]
        + reach
        * (
            np.sin(swing[axis, 0] * second + phase[axis, 0])
            + np.sin(swing[axis, 1] * second + phase[axis, 1])
        )
        / 2
        for axis in range(2)
    ]
    places = np.stack(axes, axis=2)
    for meeting in meetings:
        if tick[0] - MEETING_TICKS < meeting.tick < tick[-1] + MEETING_TICKS:
            near = np.clip(1 - np.abs(tick - meeting.tick) / MEETING_TICKS, 0, 1)[:, np.newaxis]
            share = near * near * (3 - 2 * near)
            visitor, host = meeting.visitor - 1, meeting.host - 1
            places[:, visitor] = (1 - share) * places[:, visitor] + share * (places[:, host] + (0.0, 20.0))
    return places


def _rows(tick: npt.NDArray[np.int64], places: Numbers, names: pa.Array) -> bytes:
    start_us = micros(START_AT)
    stamps = [f"{instant(start_us + int(t) * STEP_US):%Y-%m-%d %H:%M:%S.%f}"[:-3] for t in tick]
    each = np.repeat(np.arange(len(tick)), OBJECTS)
    table = pa.table(
        {
            "timestamp": pa.array(stamps).take(pa.array(each)),
            "objid": names.take(pa.array(np.tile(np.arange(OBJECTS), len(tick)))),
            "x": places[:, :, 0].round(1).ravel(),
            "y": np.full(len(each), 90.0),
            "z": places[:, :, 1].round(1).ravel(),
        }
    )
    out = pa.BufferOutputStream()
    pv.write_csv(table, out, pv.WriteOptions(include_header=False, quoting_style="none"))
    return bytes(out.getvalue())


def measure(log: Path, cache_dir: Path) -> dict[str, Any]:
    """Read a log for the first and a second time, ask where everyone was, and look for contacts."""
    clock = SystemClock()
    began, cpu_s = clock.monotonic_s(), _cpu_s()
    trajectory = read_trajectory(log, cache_dir=cache_dir)
    load_s, load_cpu_s, load_peak = clock.monotonic_s() - began, _cpu_s() - cpu_s, _peak_bytes()
    began = clock.monotonic_s()
    trajectory = read_trajectory(log, cache_dir=cache_dir)
    second_open_s = clock.monotonic_s() - began
    first_us, last_us = trajectory.span_us
    asked = np.random.default_rng(7).integers(first_us, last_us, QUERIES)
    query_ms, query_cpu_ms = [], []
    for number, at_us in enumerate(asked):
        if number % _RELEASED_EVERY == 0:
            trajectory.release()
        at = instant(int(at_us))
        began, cpu_s = clock.monotonic_s(), time.thread_time()
        trajectory.positions_at(at)
        query_ms.append((clock.monotonic_s() - began) * 1e3)
        query_cpu_ms.append((time.thread_time() - cpu_s) * 1e3)
    trajectory.release()
    cpu_s = _cpu_s()
    found = contacts(trajectory)
    contacts_cpu_s = _cpu_s() - cpu_s
    return {
        "rows": sum(len(track.at_us) for track in trajectory.tracks.values()),
        "load_s": round(load_s, 3),
        "load_cpu_s": round(load_cpu_s, 3),
        "load_peak_bytes": load_peak,
        "second_open_s": round(second_open_s, 4),
        "query_p50_ms": round(statistics.median(query_ms), 3),
        "query_p95_ms": round(statistics.quantiles(query_ms, n=20)[-1], 3),
        "query_cpu_p95_ms": round(statistics.quantiles(query_cpu_ms, n=20)[-1], 3),
        "contacts_cpu_s": round(contacts_cpu_s, 3),
        "peak_bytes": _peak_bytes(),
        "found": [[*map(int, c.objects), micros(c.start_at), micros(c.end_at)] for c in found],
        "warnings": list(trajectory.warnings),
    }


def score(found: list[list[int]], meetings: list[Meeting]) -> dict[str, int]:
    """How many planned contacts were found, at most a second off, and how many were found that nobody planned."""
    left = {(*sorted((m.visitor, m.host)), micros(START_AT) + m.tick * STEP_US) for m in meetings}
    hits = 0
    for one, other, start_us, end_us in found:
        match = next(
            (
                m
                for m in left
                if m[:2] == (one, other) and start_us - _SECOND_US <= m[2] <= end_us + _SECOND_US
            ),
            None,
        )
        if match is not None:
            left.discard(match)
            hits += 1
    return {"planned": len(meetings), "found": hits, "unplanned": len(found) - hits}


def long_log(
    seed: Seed = 1,
    hours: Hours = [1.0, 3.0, 6.0, 12.0],  # noqa: B006 - typer reads its defaults from here and changes nothing
    report: ReportFile = None,
    *,
    summary: Annotated[
        bool, typer.Option(help="Replay the first and the last with their alerts, up to their summary.")
    ] = True,
) -> None:
    """Logs of 1 to 12 hours (50 objects, 5 Hz): time to read, memory, time to answer, contacts, summary, and how each grows."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-long-log-") as folder:
        for length in sorted(hours):
            whole = summary and length in {min(hours), max(hours)}
            row = _one(Path(folder), length, seed, whole=whole)
            rows.append(row)
            console.print({key: value for key, value in row.items() if key != "warnings"})
    figures = {
        "seed": seed,
        "objects": OBJECTS,
        "rate_hz": 1e6 / STEP_US,
        "query_p50_ms": max(row["query_p50_ms"] for row in rows),
        "query_p95_ms": max(row["query_p95_ms"] for row in rows),
        "query_cpu_p95_ms": max(row["query_cpu_p95_ms"] for row in rows),
        "peak_bytes": max(row["peak_bytes"] for row in rows),
        "contacts_cpu_s": max(row["contacts_cpu_s"] for row in rows),
        "growth": _growth(rows[0], rows[-1]),
        "logs": rows,
    }
    bar = {
        "query_p50_ms": MOST_QUERY_MS,
        "query_cpu_p95_ms": MOST_QUERY_MS,
        "peak_bytes": MOST_PEAK_BYTES,
        "contacts_cpu_s": MOST_CONTACTS_CPU_S,
        "growth.peak_bytes": MOST_PEAK_GROWTH,
    }
    finish("long-log", figures, bar, report, holds=_holds(figures))


def _one(folder: Path, hours: float, seed: int, *, whole: bool) -> dict[str, Any]:
    log = folder / "log.csv"
    meetings = write_long_log(log, hours, seed)
    command = [sys.executable, str(Path(__file__).resolve()), str(log), str(folder / "cache")]
    env = child_environment(PYTHONPATH=str(ROOT))
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True, text=True)
    page: dict[str, Any] = json.loads(done.stdout)
    scores = score(page.pop("found"), meetings)
    row = {"hours": hours, "file_bytes": log.stat().st_size, **page, "contacts": scores}
    if whole:
        done_page = replayed(log, folder / "data", "--vlm", "candidates", "--speed", "3")
        row |= {"summary_s": done_page["took_s"], "att_f1": done_page["evaluation"]["att_f1"]}
        row["video_s"] = done_page["media_s"]
        shutil.rmtree(folder / "data")
    log.unlink()
    return row


def _growth(first: dict[str, Any], last: dict[str, Any]) -> dict[str, float]:
    """How many times larger each figure is for the longest log than for the shortest."""
    names = (
        "hours",
        "load_cpu_s",
        "second_open_s",
        "query_p50_ms",
        "query_p95_ms",
        "contacts_cpu_s",
        "peak_bytes",
    )
    told = ("summary_s", "video_s") if "summary_s" in first else ()
    return {name: round(last[name] / max(first[name], 1e-9), 2) for name in (*names, *told)}


def _holds(figures: dict[str, Any]) -> bool:
    exact = all(
        row["contacts"]["found"] == row["contacts"]["planned"] and row["contacts"]["unplanned"] == 0
        for row in figures["logs"]
    )
    return bool(
        exact
        and figures["query_p50_ms"] < MOST_QUERY_MS
        and figures["query_cpu_p95_ms"] < MOST_QUERY_MS
        and figures["peak_bytes"] <= MOST_PEAK_BYTES
        and figures["contacts_cpu_s"] <= MOST_CONTACTS_CPU_S
        and figures["growth"]["peak_bytes"] <= MOST_PEAK_GROWTH
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_bytes() -> int:
    """Peak resident size of this program alone; getrusage would remember the one it was forked from."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
