"""The command `timetravel eval`: scores answers against the truth and writes table, JSON and page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from extension.command.written import put
from extension.errors import BadInput

if TYPE_CHECKING:
    from extension.command.evaluation_inputs import Assigned, Wanted

Truth = Annotated[
    Path | None, typer.Option(help="Trajectory log, contacts file, collisions CSV or list of seconds.")
]
Videos = Annotated[
    Path | None, typer.Option(help="YAML: which truth, speed and start belong to which video.")
]
Given = Annotated[
    list[str], typer.Option(help="File or folder of answers, or NAME=PATH for a group; may be repeated.")
]
Tolerance = Annotated[float, typer.Option(min=0, help="Seconds of the log that a report may be off.")]
ContactCm = Annotated[
    float | None, typer.Option(min=0.1, help="Centre distance that is contact (EXT_CONTACT_CM).")
]
Zone = Annotated[str | None, typer.Option(help="Zone of timestamps and burnt-in clock (EXT_TIMEZONE).")]
Start = Annotated[
    dt.datetime | None, typer.Option(help="The log's first instant, where the truth does not tell.")
]
Speed = Annotated[
    float, typer.Option(min=0.1, max=100, help="Log seconds per video second, without --videos.")
]
Grouping = Annotated[
    Literal["model", "video", "folder", "all"], typer.Option("--group", help="What makes a group.")
]
Read = Annotated[
    Literal["raw", "intermediate", "eventlist"],
    typer.Option(help="Which of the files that one run leaves is scored."),
]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write all figures to this JSON file.")]
PageOut = Annotated[Path | None, typer.Option("--report", help="Write a page with charts to this HTML file.")]
VlmOnly = Annotated[
    bool, typer.Option("--vlm-only", help="Of run reports, leave out what the log alone told.")
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Go on without files that cannot be read; they are listed.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of resampling and permutation.")]


def evaluate(  # noqa: PLR0913 - one parameter per option of the command line
    answers: Given,
    *,
    truth: Truth = None,
    videos: Videos = None,
    tolerance: Tolerance = 1.0,
    contact_cm: ContactCm = None,
    zone: Zone = None,
    start: Start = None,
    speed: Speed = 1.0,
    group: Grouping = "model",
    read: Read = "raw",
    json_file: JsonOut = None,
    page_file: PageOut = None,
    seed: Seed = 0,
    vlm_only: VlmOnly = False,
    skip_bad: SkipBad = False,
) -> None:
    """Score answers against the truth: contacts matched one to one, when apart from who, with intervals."""
    from extension.command.evaluation_inputs import Wanted

    tz, threshold_cm = _told(zone, contact_cm)
    wanted = Wanted(
        answers=tuple(map(_named, answers)),
        threshold_cm=threshold_cm,
        tz=tz,
        tolerance_s=tolerance,
        speed=speed,
        start_at=start and (start if start.tzinfo else start.replace(tzinfo=tz)),
        grouping=group,
        read=read,
        vlm_only=vlm_only,
    )
    raise typer.Exit(_run(wanted, truth, videos, seed, (json_file, page_file), Console(), skip_bad=skip_bad))


def _run(
    wanted: Wanted,
    truth: Path | None,
    videos: Path | None,
    seed: int,
    out: tuple[Path | None, Path | None],
    console: Console,
    *,
    skip_bad: bool,
) -> int:
    from extension.command.evaluation_inputs import broken_list, gather
    from extension.command.evaluation_json import as_json
    from extension.command.evaluation_table import show
    from extension.timetravel.scoring_summary import misfits, summarise, versus

    truths = _truths(wanted, truth, videos)
    gathered = gather(wanted, truths)
    if gathered.broken and not skip_bad:
        raise BadInput(f"{broken_list(gathered.broken)} (--skip-bad goes on without)")
    if not gathered.groups:
        raise BadInput("no file of answers could be read")
    groups = [summarise(name, runs, seed=seed) for name, runs in sorted(gathered.groups.items())]
    compared = versus(groups, seed=seed)
    known = [truths] if not isinstance(truths, dict) else list(truths.values())
    notes = misfits(
        gathered.runs, list({one.truth.name: one.truth for one in known}.values()), wanted.tolerance_s
    )
    show(console, groups, compared, gathered, wanted.tolerance_s)
    for note in notes:
        console.print(f"[yellow]note: {note}[/yellow]")
    page = as_json(groups, compared, gathered, (*notes,), wanted, seed)
    _write(page, groups, out, console)
    return 0


def _write(
    page: dict[str, Any], groups: Sequence[Any], out: tuple[Path | None, Path | None], console: Console
) -> None:
    import json

    json_file, page_file = out
    if json_file is not None:
        put(json_file, json.dumps(page, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        console.print(f"figures written to {json_file}")
    if page_file is not None:
        from extension.command.evaluation_page import html

        put(page_file, html(page, groups))
        console.print(f"report written to {page_file}")


def _truths(wanted: Wanted, truth: Path | None, videos: Path | None) -> Assigned | dict[str, Assigned]:
    from extension.command.evaluation_inputs import Assigned, read_manifest
    from extension.timetravel.scoring_truth import read_truth

    if (truth is None) == (videos is None):
        raise BadInput("say either --truth (one truth for all answers) or --videos (a manifest)")
    if videos is not None:
        return read_manifest(videos, wanted)
    assert truth is not None  # noqa: S101 - one of the two is given
    one = read_truth(truth, threshold_cm=wanted.threshold_cm, tz=wanted.tz, start_at=wanted.start_at)
    return Assigned(one, wanted.speed)


def _named(text: str) -> tuple[str | None, Path]:
    """NAME=PATH, unless the whole text is a path that exists."""
    name, equals, path = text.partition("=")
    return (None, Path(text)) if not equals or Path(text).exists() else (name, Path(path))


def _told(zone: str | None, contact_cm: float | None) -> tuple[dt.tzinfo, float]:
    """Zone and contact distance: as asked for, else as the service is set."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from extension import settings

    configured = settings.load()
    name = zone or configured.timezone
    try:
        return ZoneInfo(name), contact_cm or configured.contact_cm
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise BadInput(f"{name[:40]!r} is not a time zone") from exc
