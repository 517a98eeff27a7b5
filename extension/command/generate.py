"""`timetravel generate`: draws trajectory logs by seeded chance, with their truth and, where wanted, their videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from extension.command.replay_options import Dark, Fps, LevelName, Size, Speed, styled
from extension.errors import BadInput
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.style import Level, Style, look

if TYPE_CHECKING:  # NumPy and OpenCV are loaded when something is drawn
    from extension.sources.replay.cases import Case


_OBJECTS = (2, 8)

Folder = Annotated[Path, typer.Option("--out", help="Folder for the files; made where it is missing.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of everything that falls by chance.")]
Count = Annotated[int, typer.Option(min=1, help="How many logs.")]
Objects = Annotated[
    int | None, typer.Option(min=2, max=999, help="In each log; else 2 to 8, another number for each log.")
]
Minutes = Annotated[float, typer.Option(min=0.2, max=1440, help="Length of each log.")]
DifficultyOption = Annotated[Difficulty, typer.Option(help="How much there is to be mistaken.")]
Noise = Annotated[float, typer.Option(min=0, help="Standard deviation of every coordinate's error, cm.")]
Rate = Annotated[
    float | None, typer.Option(min=0.01, max=5, help="Samples per second of the spoiled log; else 5.")
]
Occlusions = Annotated[
    int | None, typer.Option(min=0, help="Times that an object's rows are missing; else by difficulty.")
]
Swaps = Annotated[
    int | None, typer.Option(min=0, help="Times that two objects exchange ids; else by difficulty.")
]
Video = Annotated[bool, typer.Option("--video", help="Draw each log, the spoiled one where there is one.")]


def generate(  # noqa: PLR0913 - a command's options are its arguments
    out: Folder,
    *,
    seed: SeedOption = 1,
    count: Count = 1,
    objects: Objects = None,
    minutes: Minutes = 1.0,
    difficulty: DifficultyOption = Difficulty.MIXED,
    noise_cm: Noise = 0.0,
    rate_hz: Rate = None,
    occlusions: Occlusions = None,
    swaps: Swaps = None,
    video: Video = False,
    level: LevelName = Level.ABSTRACT,
    dark: Dark = False,
    speed: Speed = 1.0,
    fps: Fps = 30,
    size: Size = "532x280",
) -> None:
    """Draw trajectory logs by chance, each with its truth: contacts, near misses, stops, crossings, and what a poor tracker made of it."""
    console = Console()
    style = styled(look(level, dark=dark), size=size, speed=speed, fps=fps) if video else None
    recipe = Recipe(seed, objects, minutes * 60, difficulty, noise_cm, rate_hz, occlusions, swaps)
    cases = [
        draw(recipe, number, out, style)
        for number in track(
            range(count), "drawing logs", console=console, transient=True, disable=not console.is_terminal
        )
    ]
    console.print(_summary(cases, out), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What logs to draw.

    Attributes:
        seed: Of everything that falls by chance; every log has its own chance from it.
        objects: In each log; None draws 2 to 8.
        duration_s: Of each log.
        difficulty: How much there is to be mistaken.
        noise_cm: Standard deviation of every coordinate's error.
        rate_hz: Samples per second of the spoiled log; None keeps 5.
        occlusions: Times that an object's rows are missing; None takes the difficulty's.
        swaps: Times that two objects exchange ids; None takes the difficulty's.
    """

    seed: int
    objects: int | None = None
    duration_s: float = 60.0
    difficulty: Difficulty = Difficulty.MIXED
    noise_cm: float = 0.0
    rate_hz: float | None = None
    occlusions: int | None = None
    swaps: int | None = None


def draw(recipe: Recipe, number: int, folder: Path, style: Style | None = None) -> Case:
    """Draw log number so-and-so of a recipe into a folder, which is made where it is missing; the same recipe gives the same files.

    Raises:
        BadInput: The folder cannot be written, or not even one meeting fits into the log.
    """
    import numpy as np

    from extension.sources.replay.cases import draw_case
    from extension.sources.replay.scenario import scenario

    chance = np.random.default_rng([recipe.seed, number])
    objects = recipe.objects or int(chance.integers(*_OBJECTS, endpoint=True))
    wanted = scenario(recipe.difficulty, objects, recipe.duration_s, chance)
    wanted = replace(
        wanted,
        noise_cm=recipe.noise_cm,
        rate_hz=recipe.rate_hz,
        occlusions=wanted.occlusions if recipe.occlusions is None else recipe.occlusions,
        swaps=wanted.swaps if recipe.swaps is None else recipe.swaps,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return draw_case(wanted, int(chance.integers(2**31)), folder, f"log-{number:03d}", style=style)
    except OSError as exc:
        raise BadInput(f"{folder.name}: cannot be written ({exc.strerror or 'unknown reason'})") from exc


def _summary(cases: Sequence[Case], folder: Path) -> str:
    """What was drawn, in one line."""
    contacts, misses = sum(case.contacts for case in cases), sum(case.near_misses for case in cases)
    spoiled, videos = (
        sum(case.spoiled is not None for case in cases),
        sum(case.video is not None for case in cases),
    )
    return (
        f"{len(cases)} logs ({spoiled} spoiled) with {contacts} contacts and {misses} near misses, "
        f"{videos} videos. Written to {folder}"
    )
