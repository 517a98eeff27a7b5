"""The options of `timetravel backtest`, and how what people write in them is read."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Annotated, Literal

import typer

from extension.errors import BadInput

Word = Literal["on", "off"]

What = Annotated[
    list[str] | None,
    typer.Argument(
        help="A job (id, or its beginning) or a camera's name: stored answers. Or videos to watch."
    ),
]
CameraName = Annotated[
    str | None, typer.Option("--camera", help="Watch what the ring still holds of this camera.")
]
From = Annotated[
    str | None,
    typer.Option("--from", help="From here on: an instant (2026-05-04T10:00, EXT_TIMEZONE) or seconds."),
]
To = Annotated[str | None, typer.Option("--to", help="Until here; written as --from is.")]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="YAML with the present rules of footage; else the usual ones.")
]
AgainstFile = Annotated[
    Path | None, typer.Option("--against", help="YAML with the rules to compare them with.")
]
WindowS = Annotated[float | None, typer.Option(help="Change: length of a window, seconds (footage).")]
StrideS = Annotated[float | None, typer.Option(help="Change: a window begins this often, seconds (footage).")]
PromptName = Annotated[str | None, typer.Option("--prompt", help="Change: what to look for (footage).")]
Language = Annotated[
    Literal["en", "ko"] | None, typer.Option(help="Change: language of prompt and answers (footage).")
]
Frames = Annotated[int | None, typer.Option(help="Change: frames per window (footage).")]
Gate = Annotated[Word | None, typer.Option(help="Change: leave out windows in which nothing moves.")]
ForcedLookS = Annotated[
    float | None, typer.Option(help="Change: with the gate, look this often in any case, seconds (footage).")
]
SecondLook = Annotated[Word | None, typer.Option(help="Change: check verdicts of danger again.")]
MergeGapS = Annotated[
    float | None, typer.Option(help="Change: what happens again within this is one incident, seconds.")
]
Least = Annotated[
    Literal["warn", "danger", "extreme"] | None,
    typer.Option("--least-severity", help="Change: milder claims are no events."),
]
JsonOut = Annotated[Path | None, typer.Option("--json", help="Write all of it to this JSON file.")]
PageOut = Annotated[Path | None, typer.Option("--report", help="Write a page to this HTML file.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of database and ring (EXT_DATA_DIR).")]


def instant(text: str, start_at: dt.datetime | None, tz: dt.tzinfo) -> float:
    """Media seconds of what is written: seconds, or an instant where the wall clock at media second 0 is known.

    Raises:
        BadInput: It is neither, or no wall clock is known.
    """
    seconds = _number(text)
    if seconds is not None:
        return seconds
    if start_at is None:
        raise BadInput(f"{text[:40]!r}: no wall clock is known here; write seconds, such as 12.5")
    return (moment(text, tz) - start_at).total_seconds()


def moment(text: str, tz: dt.tzinfo) -> dt.datetime:
    """The instant that is written; without a zone it is of the zone `tz`.

    Raises:
        BadInput: It is none.
    """
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError as exc:
        raise BadInput(f"{text[:40]!r} is no instant such as 2026-05-04T10:00:00") from exc
    try:
        return (at if at.tzinfo else at.replace(tzinfo=tz)).astimezone(dt.UTC)
    except OverflowError as exc:
        raise BadInput(f"{text[:40]!r} lies outside of the calendar") from exc


def on(word: Word | None) -> bool | None:
    """Whether a switch is on; None where nothing was said."""
    return None if word is None else word == "on"


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not math.isfinite(seconds):
        raise BadInput(f"{text[:40]!r} is no number of seconds")
    return seconds
