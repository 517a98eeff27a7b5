"""Draws an evaluation of camera footage for a terminal, through rich: figures by set of rules, then clip by clip."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extension.command.camera_columns import Column
from extension.command.camera_scoring import Clip, Figures, figures, lost


def show(console: Console, columns: Sequence[Column], model: str, absent: Sequence[str]) -> None:
    """Print the figures of all sets of rules, and what was found in each clip."""
    clips = columns[0].clips
    sums = figures(clips)
    events = sums.rate.hits + sums.rate.missed
    console.print(
        Text(f"{model}: {len(clips)} clips, {events} events, {sums.hours:.3f} camera-hours", style="bold")
    )
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for column in columns:
        table.add_column(column.name, justify="right")
    for name, cells in rows(columns):
        table.add_row(name, *cells)
    console.print(table)
    console.print(by_clip(columns))
    for name in absent:
        console.print(Text(f"not there: {name}", style="yellow"))


def rows(columns: Sequence[Column]) -> list[tuple[str, list[str]]]:
    """The figures by name, a cell per set of rules."""
    sums = [figures(column.clips) for column in columns]
    return [
        ("precision", [share(one.rate.precision) for one in sums]),
        ("recall", [share(one.rate.recall) for one in sums]),
        ("F1", [share(one.rate.f1) for one in sums]),
        ("F1, any kind", [share(one.any_kind.f1) for one in sums]),
        ("found / missed", [f"{one.rate.hits} / {one.rate.missed}" for one in sums]),
        ("told again", [str(one.repeated) for one in sums]),
        ("false alarms (danger)", [f"{one.false} ({one.false_danger})" for one in sums]),
        ("false per camera-hour", [f"{one.false_per_hour:.1f}" for one in sums]),
        ("  at most (95 %)", [f"{one.false_per_hour_at_most:.1f}" for one in sums]),
        ("onset error, median", [seconds(one.onset_median_s) for one in sums]),
        ("  worst", [seconds(one.onset_worst_s) for one in sums]),
        ("windows", [str(one.windows.all) for one in sums]),
        ("left out by the gate", [_gated(one) for one in sums]),
        ("events lost to the gate", [_lost(column) for column in columns]),
        ("without answer", [str(one.windows.failed) for one in sums]),
        ("second looks", [_second(one) for one in sums]),
    ]


def by_clip(columns: Sequence[Column]) -> Table:
    """What was found in each clip; sets of rules that found the same share a line."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("clip", "rules", "found", "onset", "false"):
        table.add_column(name, overflow="fold")
    for place, clip in enumerate(columns[0].clips):
        told: dict[tuple[str, str, str], list[str]] = {}
        for column in columns:
            told.setdefault(in_words(column.clips[place]), []).append(column.name)
        for line, (cells, names) in enumerate(told.items()):
            shared = "all" if len(names) == len(columns) else ", ".join(names)
            table.add_row("" if line else clip.name, shared, *cells)
    return table


def in_words(clip: Clip) -> tuple[str, str, str]:
    """What was found in a clip, its onset errors and how many incidents are false."""
    found = "\n".join(f"{f.severity} {f.kind} {f.start_s:.1f}-{f.end_s:.1f} s" for f in clip.found)
    missed = "\n".join(f"missed: {one.kind} {one.start_s:.1f} s" for one in clip.score.missed)
    errors = ", ".join(f"{hit.onset_error_s:+.1f} s" for hit in clip.score.hits)
    return "\n".join(filter(None, (found, missed))) or "nothing", errors, str(len(clip.score.false) or "")


def share(value: float | None) -> str:
    """A share; a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def seconds(value: float | None) -> str:
    """Seconds; a dash where there are none."""
    return "-" if value is None else f"{value:.2f} s"


def _gated(told: Figures) -> str:
    return f"{told.windows.gated} ({told.gated_share:.0%})" if told.gated_share is not None else "-"


def _lost(column: Column) -> str:
    return "-" if column.twin is None else str(len(lost(column.twin, column.clips)))


def _second(told: Figures) -> str:
    return "\n".join(f"{count} {outcome}" for outcome, count in told.windows.second_looks.items()) or "-"
