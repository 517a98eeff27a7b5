"""Draws an evaluation for a terminal, through rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extension.command.evaluation_inputs import Gathered
from extension.command.evaluation_json import warnings
from extension.timetravel.evaluation import Occurrence
from extension.timetravel.scoring_stats import Interval
from extension.timetravel.scoring_summary import Figures, Group, RunScore, Versus

_NAME: Final = 32
"""What is left of eighty columns for a file's name."""

_LISTED: Final = 12
"""Misses and false alarms shown in the terminal; the report lists all."""


def show(
    console: Console,
    groups: Sequence[Group],
    compared: Sequence[Versus],
    gathered: Gathered,
    tolerance_s: float,
) -> None:
    """Print the figures of all groups, the comparisons, and what went wrong where."""
    for group in groups:
        console.print(_figures(group, tolerance_s))
        _beside(console, group)
    for one in compared:
        console.print(Text(_versus(one)))
    _wrong(console, [run for group in groups for run in group.runs])
    said = warnings(gathered.runs)
    for warning in said[:_LISTED]:
        console.print(Text(f"note: {warning}", style="yellow"))
    if len(said) > _LISTED:
        console.print(f"  and {len(said) - _LISTED} more notes; --json has them all")
    if gathered.left_out:
        console.print(f"{gathered.left_out} further files of the same runs are left out (see --read)")
    for text in gathered.broken:
        console.print(Text(f"not read: {text}", style="red"))


def _figures(group: Group, tolerance_s: float) -> Table:
    runs = "1 run" if len(group.runs) == 1 else f"{len(group.runs)} runs"
    contacts = sum(len(run.truth.contacts) for run in group.runs)
    table = Table(
        title=f"{group.name}: {runs}, {contacts} true contacts",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in ("scored by", "hit", "false", "miss", "P", "R", "F1", "95 %", "per run"):
        table.add_column(column, no_wrap=True, justify="left" if column == "scored by" else "right")
    rows = (
        (f"when+who {tolerance_s:g} s", group.att),
        (f"when {tolerance_s:g} s", group.det),
        ("when+who 0 s", group.strict_att),
        ("when 0 s", group.strict_det),
    )
    for name, figures in rows:
        table.add_row(name, *_cells(figures))
    old = group.predecessor
    table.add_row(
        Text("old rule", style="dim"),
        str(old.matched),
        str(old.false_alarms),
        str(old.missed),
        f"{old.precision:.2f}",
        f"{old.recall:.2f}",
        f"{old.f1:.2f}",
        "",
        f"{group.predecessor_published_f1:.2f}",
    )
    return table


def _cells(figures: Figures) -> tuple[str, ...]:
    score, runs = figures.score, figures.f1_runs
    per_run = f"{runs.mean:.2f}" + (f" ± {runs.deviation:.2f}" if runs.deviation is not None else "")
    return (
        str(score.matched),
        str(score.false_alarms),
        str(score.missed),
        f"{score.precision:.2f}",
        f"{score.recall:.2f}",
        f"{score.f1:.2f}",
        interval(figures.f1_ci),
        per_run,
    )


def interval(ci: Interval | None) -> str:
    """A confidence interval; nothing where there is none."""
    return f"{ci.low:.2f}-{ci.high:.2f}" if ci else ""


def _beside(console: Console, group: Group) -> None:
    if onset := group.onset:
        console.print(
            f"Onset: off by {onset.median_size_s:.2f} s (median), {onset.p95_size_s:.2f} s (p95); "
            f"median error {onset.median_error_s:+.2f} s"
        )
    if (log := group.per_log_hour) and (media := group.per_media_hour):
        console.print(
            f"False alarms: {log.per_hour:.1f} per hour of log (95 %: at most {log.bound_per_hour:.1f}, "
            f"{log.hours:.2f} h seen), {media.per_hour:.1f} per hour of video (at most {media.bound_per_hour:.1f})"
        )
    answers = f" of {group.answered}" if group.answered else ""
    console.print(
        Text(f"Answers that could not be used: {group.failed}{answers}", style="red" if group.failed else "")
    )
    if (taken := group.latency.run_s) and group.latency.per_media_s is not None:
        console.print(
            f"Time: {taken.mean:.1f} s per run, {group.latency.per_media_s:.2f} of the video's length"
        )


def _versus(one: Versus) -> str:
    if one.p is None or one.p_holm is None:
        return f"{one.one} against {one.other}: no video in common, not compared"
    videos = "1 video" if one.videos == 1 else f"{one.videos} videos"
    return (
        f"{one.one} against {one.other}: F1 {one.difference:+.3f} over {videos}, "
        f"p {one.p:.4f} (permutation), {one.p_holm:.4f} after Holm"
    )


def _wrong(console: Console, runs: Sequence[RunScore]) -> None:
    lines = [
        Text(f"  {kind:<12}{moment(one)}  {' + '.join(one.objects):<10} {_ending(run.answers.name)}")
        for run in runs
        for kind, found in (("missed", run.att.missed), ("false alarm", run.att.false_alarms))
        for one in found
    ]
    for line in lines[:_LISTED]:
        console.print(line, overflow="ellipsis", no_wrap=True)
    if len(lines) > _LISTED:
        console.print(f"  and {len(lines) - _LISTED} more; --report lists them all")


def _ending(name: str) -> str:
    """The end of a file's name, which tells runs apart."""
    return name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"


def moment(one: Occurrence) -> str:
    """When an occurrence was, in seconds of the log."""
    return f"{one.start_s:8.2f}-{one.end_s:<8.2f}s"
