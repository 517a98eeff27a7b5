"""The command `timetravel eval-cameras`: watches labelled clips as if they were live and scores what was found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from extension import settings
from extension.command.written import put

Labels = Annotated[
    Path,
    typer.Argument(help="YAML: clips: [{file, events: [{kind, start_s, end_s}]}]; see docs/backtest.md."),
]
Footage = Annotated[Path | None, typer.Option(help="Folder of the clips; else the folder of the label file.")]
RuleFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        help="YAML with rules to evaluate; may be repeated. Else with and without gate and second look.",
    ),
]
Tolerance = Annotated[
    float, typer.Option(min=0, help="Seconds by which incident and event may be apart in time.")
]
SkipAbsent = Annotated[
    bool, typer.Option("--skip-absent", help="Go on without clips that are not there; they are listed.")
]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write all figures to this JSON file.")]
PageOut = Annotated[Path | None, typer.Option("--report", help="Write a page to this HTML file.")]


def evaluate_cameras(
    labels: Labels,
    footage: Footage = None,
    *,
    rules: RuleFiles = None,
    tolerance: Tolerance = 2.0,
    skip_absent: SkipAbsent = False,
    json_file: JsonOut = None,
    page_file: PageOut = None,
) -> None:
    """Score a VLM on labelled camera footage: precision, recall, onset error, false alarms per camera-hour, cost of the gate."""
    from extension.command.camera_columns import Clips, named_rules, sorted_out, watched
    from extension.command.camera_evaluation_json import as_json
    from extension.command.camera_evaluation_page import page
    from extension.command.camera_evaluation_table import show
    from extension.command.camera_labels import read_labels

    console = Console()
    folder = footage or labels.parent
    wanted = read_labels(labels).clips
    present, absent = sorted_out(wanted, folder, skip_absent=skip_absent)
    sets = named_rules(rules or ())
    model, columns = watched(settings.load(), Clips(folder, present), sets, tolerance, console)
    show(console, columns, model, absent)
    if json_file is not None:
        told = as_json(columns, model, absent, tolerance)
        put(json_file, json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        console.print(f"figures written to {json_file}")
    if page_file is not None:
        put(page_file, page(columns, model, absent, tolerance))
        console.print(f"report written to {page_file}")
