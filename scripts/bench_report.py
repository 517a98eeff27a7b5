"""What every benchmark ends with: its figures, the bar and whether it holds, for people and in a file."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from extension import settings
from extension.client import ApiClient
from extension.clock import SystemClock
from extension.command.follow import Follower
from extension.stack.embedded import EmbeddedStack

console = Console()
Seed = Annotated[int, typer.Option(help="Seed of what is drawn.")]
ReportFile = Annotated[Path | None, typer.Option(help="Write figures, bar and `holds` to this JSON file.")]


def finish(
    name: str, figures: dict[str, Any], bar: dict[str, Any], report: Path | None, *, holds: bool
) -> None:
    """Print the figures and write the report; a figure is a median, or a ratio within one run.

    Args:
        name: Of the benchmark, as the command line has it.
        figures: What was measured; `all` holds single runs and is not printed.
        bar: The figures that were promised, under the names they have in `figures`.
        report: Where the report goes; None writes none.
        holds: Whether every bar is kept.
    """
    page = {
        "benchmark": name,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "measured_at": SystemClock().now().isoformat(timespec="seconds"),
        **figures,
        "bar": bar,
        "holds": holds,
    }
    console.print({key: value for key, value in page.items() if key not in {"all", "machine"}})
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(page, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        console.print(f"report written to {report}")
    if not holds:
        console.print(f"[red]{name}: the bar does not hold[/red]")


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    """A fresh folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def analysing(media: Path) -> Iterator[tuple[Follower, ApiClient]]:
    """The whole stack, which may read videos of a folder and keeps its data beside them.

    Nobody is told of incidents, and neither summary videos nor evidence are made.
    """
    clock = SystemClock()
    os.environ |= {"EXT_SUMMARY_VIDEO": "false", "EXT_EVIDENCE_INCIDENTS": "0"}
    stack = EmbeddedStack(
        settings.load(data_dir=media / "data", port=0),
        media_dirs=(media,),
        webhook=None,
        page=False,
        clock=clock,
        say=lambda text: console.print(f"[dim]{text}[/dim]"),
    )
    with stack:
        api = ApiClient(stack.service_url)
        yield Follower(api, Console(quiet=True), clock, settle_s=0.0), api
