"""`timetravel replay`: draws a trajectory log as a video, or plays it as a stream. What the log means is judged elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from extension import settings
from extension.clock import Clock as WallClock
from extension.clock import SystemClock
from extension.command.replay_options import (
    Across,
    Alerts,
    Bitrate,
    ClockDate,
    ClockMillis,
    Crf,
    Dark,
    DataDir,
    EncoderName,
    ExtentText,
    FloorExtent,
    FloorFile,
    Follow,
    Fps,
    From,
    Geometry,
    LevelName,
    LogFile,
    NoClock,
    NoNumbers,
    Out,
    ReportFile,
    Size,
    Speed,
    StreamAt,
    To,
    Trail,
    Vlm,
    extent_of,
    part_of,
    styled,
)
from extension.errors import BadInput
from extension.model import VlmUse
from extension.sources.replay.style import Clock, Encoder, FloorPlan, Level, Style, look
from extension.timetravel.timeline import Timeline

if TYPE_CHECKING:  # NumPy and OpenCV are loaded when something is drawn
    from extension.pipeline.drawing import Cut
    from extension.sources.replay.camera import Camera
    from extension.sources.replay.glyphs import Picture
    from extension.sources.replay.paint import Tally
    from extension.timetravel.trajectory import Micros, Trajectory

T = TypeVar("T")

_KBPS: Final = 1000


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw of a log, and how.

    Attributes:
        style: Of the picture and its encoding.
        follow: Labels or ids of objects that the camera follows; none keeps it where the style has it.
        across_cm: Ground around those to show at least, both ways.
    """

    style: Style
    follow: tuple[str, ...] = ()
    across_cm: float = 1200.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A video that was drawn.

    Attributes:
        path: The file.
        timeline: Maps its media seconds to the log's instants and back.
        frames: How many.
        media_s: Its length.
        took_s: Processing time it took.
        unseen: How often an object of a frame was outside the picture.
    """

    path: Path
    timeline: Timeline
    frames: int
    media_s: float
    took_s: float
    unseen: int

    @property
    def times_real_time(self) -> float:
        """How much faster than real time it was drawn."""
        return self.media_s / max(self.took_s, 1e-9)


def replay(  # noqa: PLR0913 - a command's options are its arguments
    log: LogFile,
    out: Out = None,
    *,
    level: LevelName = Level.ABSTRACT,
    dark: Dark = False,
    floor_plan: FloorFile = None,
    floor_extent: FloorExtent = None,
    extent: ExtentText = None,
    follow: Follow = None,
    across: Across = 1200.0,
    trail: Trail = None,
    speed: Speed = 1.0,
    fps: Fps = 30,
    size: Size = "532x280",
    encoder: EncoderName = Encoder.LIBX264,
    crf: Crf = 20,
    bitrate: Bitrate = None,
    no_clock: NoClock = False,
    clock_date: ClockDate = False,
    clock_millis: ClockMillis = False,
    no_numbers: NoNumbers = False,
    start: From = None,
    end: To = None,
    stream: StreamAt = None,
    alerts: Alerts = False,
    vlm: Vlm = VlmUse.ALL,
    geometry: Geometry = True,
    report: ReportFile = None,
    data_dir: DataDir = None,
) -> None:
    """Draw a trajectory log as a bird's-eye video, or play it as a stream; with --alerts, find what happened in it and tell."""
    from extension.timetravel.trajectory_csv import read_trajectory

    console = Console()
    plan = FloorPlan(floor_plan, extent_of(floor_extent or extent)) if floor_plan else None
    style = styled(
        look(level, dark=dark),
        floor=plan,
        extent=extent_of(extent),
        trail_s=trail,
        speed=speed,
        fps=fps,
        size=size,
        encoder=encoder,
        crf=crf,
        bitrate_bps=bitrate * _KBPS if bitrate else None,
        clock=None if no_clock else Clock(date=clock_date, millis=clock_millis),
        numbers=not no_numbers,
    )
    drawing = Drawing(style, tuple(name for name in (follow or "").split(",") if name.strip()), across)
    changes: dict[str, Any] = {"data_dir": data_dir} if data_dir else {}
    configured = settings.load(**(changes | {"port": 0} if alerts else changes))
    trajectory = part_of(read_trajectory(log, ZoneInfo(configured.timezone)), start, end)
    for warning in trajectory.warnings:
        console.print(f"[yellow]{log.name}: {warning}[/yellow]")
    if alerts:
        from extension.command.replay_alerts import Analysis, replay_with_alerts

        analysis = Analysis(vlm, geometry, report)
        raise typer.Exit(
            replay_with_alerts(log, trajectory, drawing, out, analysis, configured, console, SystemClock())
        )
    if stream:
        play_stream(trajectory, drawing, stream, console, SystemClock())
    else:
        draw(trajectory, drawing, out or Path(f"{log.stem}.mp4"), console, SystemClock())


def draw(
    trajectory: Trajectory,
    drawing: Drawing,
    path: Path,
    console: Console,
    clock: WallClock,
    *,
    cut: Cut | None = None,
) -> Drawn:
    """Draw a log, or some parts of it, into a video file, with a progress bar and a closing line.

    Raises:
        BadInput: The floor plan cannot be read, an object to follow is unknown, the encoder cannot be used here or the file
            cannot be written; nothing is left then.
    """
    from extension.sources.replay.encode import write_video
    from extension.sources.replay.paint import Tally
    from extension.sources.replay.render import frame_instants_us

    began_s, tally, style = clock.monotonic_s(), Tally(), drawing.style
    at_us = cut.instants(style) if cut else frame_instants_us(trajectory, style)
    cameras = cut.cameras(trajectory, style) if cut else None
    shown = _followed(_pictures(trajectory, drawing, tally, at_us, cameras), len(at_us), path.name, console)
    count = write_video(shown, style, path)
    drawn = Drawn(
        path=path,
        timeline=Timeline(trajectory.start_at, style.speed),
        frames=count,
        media_s=count / style.fps,
        took_s=clock.monotonic_s() - began_s,
        unseen=tally.unseen,
    )
    console.print(
        f"{drawn.frames} frames, {drawn.media_s:.1f} s of video in {drawn.took_s:.1f} s: "
        f"{drawn.times_real_time:.1f} times faster than real time. Written to {path}",
        soft_wrap=True,
    )
    if cut is None:  # a part shows those it is about
        _say_unseen(tally.unseen, console)
    return drawn


def play_stream(
    trajectory: Trajectory, drawing: Drawing, url: str, console: Console, clock: WallClock
) -> None:
    """Play a log in real time at an address until it ends.

    Raises:
        BadInput: The address, the floor plan or an object to follow cannot be used.
        Unavailable: The address cannot be listened on.
    """
    from extension.sources.replay.live import address_of, play
    from extension.sources.replay.paint import Tally
    from extension.sources.replay.render import frame_instants_us

    tally = Tally()
    address, at_us = address_of(url), frame_instants_us(trajectory, drawing.style)
    pictures, media_s = _pictures(trajectory, drawing, tally, at_us), len(at_us) / drawing.style.fps
    say: Callable[[str], None] = lambda at: console.print(  # noqa: E731 - one line that is handed on
        f"Playing {media_s:.1f} s at [bold]{at}[/bold] (Ctrl-C stops)", soft_wrap=True
    )
    streamed = play(pictures, drawing.style, address, clock, say)
    console.print(f"{streamed.frames} frames played, {streamed.late} of them late")
    _say_unseen(tally.unseen, console)


def _pictures(
    trajectory: Trajectory,
    drawing: Drawing,
    tally: Tally,
    at_us: Micros,
    cameras: Iterator[Camera] | None = None,
) -> Iterator[Picture]:
    """The frames, seen from where the drawing wants them seen, else from the cameras given."""
    from extension.sources.replay.camera import follow
    from extension.sources.replay.render import frames

    style = drawing.style
    if drawing.follow:
        found = {name: trajectory.objid_of(name.strip()) for name in drawing.follow}
        if unknown := [name for name, objid in found.items() if objid is None]:
            raise BadInput(
                f"the log has no object {', '.join(unknown)}; it has {', '.join(trajectory.labels.values())}"
            )
        objids = [objid for objid in found.values() if objid]
        cameras = follow(trajectory, objids, at_us, drawing.across_cm, style)
    return frames(trajectory, style, cameras=cameras, instants=at_us, tally=tally)


def _followed(pictures: Iterable[T], total: int, name: str, console: Console) -> Iterator[T]:
    """Pictures as they are taken, with a bar that says how far they are."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        yield from progress.track(pictures, total=total, description=f"drawing {name}")


def _say_unseen(unseen: int, console: Console) -> None:
    if unseen:
        console.print(f"[yellow]Objects were outside the picture {unseen} times.[/yellow]")
