"""The options of `timetravel replay`, and how what people write in them is read."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from extension.errors import BadInput
from extension.model import VlmUse
from extension.sources.replay.style import Encoder, Extent, Level, Style

if TYPE_CHECKING:  # NumPy is loaded when something is drawn
    from extension.timetravel.trajectory import Trajectory

_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_INSTANT: Final = re.compile(
    r"(?:(?P<day>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)", re.ASCII
)

LogFile = Annotated[Path, typer.Argument(help="Trajectory log (timestamp,objid,x,y,z).")]
Out = Annotated[
    Path | None, typer.Option(help="Video file; without one, the log's name with .mp4, in this folder.")
]
LevelName = Annotated[Level, typer.Option(help="How much of the place is drawn around the objects.")]
Dark = Annotated[bool, typer.Option("--dark", help="Dark ground.")]
FloorFile = Annotated[
    Path | None, typer.Option("--floor-plan", help="Picture that lies underneath at the level full.")
]
FloorExtent = Annotated[
    str | None,
    typer.Option(
        help="Ground that the floor plan covers: X_MIN,Z_MIN,X_MAX,Z_MAX in cm; else that of --extent."
    ),
]
ExtentText = Annotated[
    str | None, typer.Option(help="Ground to show: X_MIN,Z_MIN,X_MAX,Z_MAX in cm; else what the objects use.")
]
Follow = Annotated[str | None, typer.Option(help="Numbers of objects to keep in the middle, such as 1,3.")]
Across = Annotated[float, typer.Option(min=100, help="Ground around those to show at least, cm.")]
Trail = Annotated[
    float | None, typer.Option(min=0, help="Log seconds that trails reach back; else the level's own.")
]
Speed = Annotated[float, typer.Option(min=0.1, max=100, help="Log seconds per video second.")]
Fps = Annotated[int, typer.Option(min=1, max=240, help="Frames per video second.")]
Size = Annotated[str, typer.Option(help="Of the picture, WIDTHxHEIGHT, even numbers.")]
EncoderName = Annotated[Encoder, typer.Option(help="Which encoder to use.")]
Crf = Annotated[int, typer.Option(min=0, max=51, help="Quality: 0 is best, 51 is smallest.")]
Bitrate = Annotated[int | None, typer.Option(min=1, help="Kilobits per video second, in place of --crf.")]
NoClock = Annotated[bool, typer.Option("--no-clock", help="Burn no clock in.")]
ClockDate = Annotated[bool, typer.Option("--clock-date", help="The clock shows the date too.")]
ClockMillis = Annotated[bool, typer.Option("--clock-millis", help="The clock shows milliseconds too.")]
NoNumbers = Annotated[bool, typer.Option("--no-numbers", help="Draw no numbers on the objects.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="Begin here: HH:MM:SS of the log's first day, or with YYYY-MM-DD."),
]
To = Annotated[str | None, typer.Option("--to", help="End here; written as --from is.")]
StreamAt = Annotated[
    str | None,
    typer.Option("--stream", help="Play in real time at http://HOST:PORT or rtsp://HOST:PORT/NAME."),
]

Alerts = Annotated[
    bool,
    typer.Option("--alerts", help="Analyse the video, deliver the alerts, and score them against the log."),
]
Vlm = Annotated[
    VlmUse, typer.Option(help="With --alerts: parts of the log that are drawn and shown to the VLM.")
]
Geometry = Annotated[
    bool,
    typer.Option("--geometry/--no-geometry", help="With --alerts: weigh what the VLM says against the log."),
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", help="With --alerts: write what came of it to this JSON file.")
]
DataDir = Annotated[
    Path | None, typer.Option(help="With --alerts: folder of database and outputs (EXT_DATA_DIR).")
]


def styled(style: Style, *, size: str, **choices: object) -> Style:
    """A style with a size written "WIDTHxHEIGHT" and other choices by the names of its attributes.

    Raises:
        BadInput: They cannot be drawn.
    """
    sides = _SIZE.fullmatch(size.strip())
    if sides is None:
        raise BadInput(f"the size {size[:20]!r} is not WIDTHxHEIGHT, such as 532x280")
    try:
        return replace(style, width=int(sides[1]), height=int(sides[2]), **choices)  # type: ignore[arg-type] # checked by the style
    except ValueError as exc:
        raise BadInput(str(exc)) from exc


def extent_of(text: str | None) -> Extent | None:
    """A rectangle of ground written "X_MIN,Z_MIN,X_MAX,Z_MAX" in centimetres; None for None.

    Raises:
        BadInput: It is not one.
    """
    if text is None:
        return None
    try:
        x_min, z_min, x_max, z_max = map(float, text.split(","))
        return Extent(x_min, z_min, x_max, z_max)
    except ValueError as exc:
        raise BadInput(
            f"the extent {text[:60]!r} is not X_MIN,Z_MIN,X_MAX,Z_MAX in centimetres, each MIN below its MAX"
        ) from exc


def part_of(trajectory: Trajectory, start: str | None, end: str | None) -> Trajectory:
    """The part of a log from one instant to another, each "HH:MM[:SS[.fff]]" of the log's first day, or with "YYYY-MM-DD" before.

    Raises:
        BadInput: An instant cannot be read, or nothing was recorded then.
    """
    if start is None and end is None:
        return trajectory
    start_at = instant_of(start, trajectory) if start else trajectory.start_at
    end_at = instant_of(end, trajectory) if end else trajectory.end_at
    return trajectory.between(start_at, end_at)


def instant_of(text: str, trajectory: Trajectory) -> dt.datetime:
    """An instant as people write it, in the log's zone.

    Raises:
        BadInput: It cannot be read.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found:
        day = found["day"] or f"{trajectory.start_at.astimezone(trajectory.tz):%Y-%m-%d}"
        try:
            return dt.datetime.fromisoformat(f"{day} {found['time']}").replace(tzinfo=trajectory.tz)
        except ValueError:
            pass  # such as 25:00:00
    raise BadInput(f"{text[:40]!r} is not a time HH:MM:SS, nor one with YYYY-MM-DD before it")
