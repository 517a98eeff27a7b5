"""The other half of `timetravel replay`: the drawn replay is analysed, its alerts are delivered, and what came of it is scored."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from extension.clock import Clock
from extension.command.replay import Drawing, draw
from extension.command.run import MainJob, RunPlan
from extension.model import VlmUse
from extension.pipeline.drawing import Cut, cut_down
from extension.settings import Settings
from extension.sources.replay.style import Level

if TYPE_CHECKING:  # NumPy is loaded when something is drawn
    from extension.timetravel.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class Analysis:
    """How a drawn replay is to be analysed; see the options of `timetravel run`."""

    vlm: VlmUse
    geometry: bool
    report: Path | None


def replay_with_alerts(
    log: Path,
    shown: Trajectory,
    drawing: Drawing,
    out: Path | None,
    analysis: Analysis,
    settings: Settings,
    console: Console,
    clock: Clock,
) -> int:
    """Draw a log, analyse the video and deliver the alerts; returns the exit code.

    When the VLM is to be asked about candidates, or not at all, only those parts of the log are drawn.

    Args:
        log: The file that the log was read from.
        shown: The log, or the part of it to draw.
        drawing: How to draw it.
        out: The video file; None puts it into the data folder.
        analysis: How to analyse it.
        settings: What is configured.
        console: Where people look.
        clock: Wall clock, processing time and waiting.

    Raises:
        BadInput: It cannot be drawn.
        Unavailable: A program does not come up.
    """
    folder = settings.data_dir / "media" / "replays"
    folder.mkdir(parents=True, exist_ok=True)
    video = out or folder / f"{log.stem}.mp4"
    cut = _cut(shown, drawing, analysis, settings)
    drawn = draw(shown, drawing, video, console, clock, cut=cut)
    plan = RunPlan(
        video=drawn.path,
        trajectory=_beside(log, folder) if cut else log,
        speed=drawing.style.speed,
        prompt="simple_view" if drawing.style.level is Level.ABSTRACT else "twin_view",
        once=True,
        report=analysis.report,
        vlm=analysis.vlm,
        geometry=analysis.geometry,
        start_at=shown.start_at,
        pieces=cut.pieces if cut else (),
    )
    return MainJob(settings, console, clock).run_here_or_there(plan)


def _cut(shown: Trajectory, drawing: Drawing, analysis: Analysis, settings: Settings) -> Cut | None:
    """The parts to draw; None for all of the log."""
    if analysis.vlm is VlmUse.ALL:
        return None
    return cut_down(
        shown, speed=drawing.style.speed, chunk_s=settings.chunk_s, contact_cm=settings.contact_cm
    )


def _beside(log: Path, folder: Path) -> Path:
    """The log where a service that already runs on the data folder may read it."""
    copy = folder / log.name
    if copy.resolve() != log.resolve():
        shutil.copyfile(log, copy)
    return copy
