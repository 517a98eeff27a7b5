"""Writes generated logs with everything that belongs to them: clean log, spoiled log, truth, collisions, video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from extension.sources.replay.render import render
from extension.sources.replay.scenario import Scenario, generate_nearly, spoils
from extension.sources.replay.spoil import spoiled
from extension.sources.replay.style import Style
from extension.sources.replay.truth import truth, write_collisions, write_truth
from extension.timetravel.contacts import THRESHOLD_CM, contacts
from extension.timetravel.trajectory_csv import write_trajectory


@dataclass(frozen=True, slots=True)
class Case:
    """The files of one generated log, and what is in it.

    Attributes:
        log: Clean trajectory CSV.
        spoiled: What a poor tracker would have written; None where nothing was done to it.
        truth: What happened, JSON.
        collisions: The predecessors' collisions CSV.
        video: The replay, of the spoiled log where there is one; None where none was drawn.
        contacts: How many.
        near_misses: How many.
        shown: The log that the video shows: the spoiled one where there is one.
    """

    log: Path
    spoiled: Path | None
    truth: Path
    collisions: Path
    video: Path | None
    contacts: int
    near_misses: int

    @property
    def shown(self) -> Path:
        """The log that the video shows: the spoiled one where there is one."""
        return self.spoiled or self.log


def draw_case(
    wanted: Scenario,
    seed: int,
    folder: Path,
    stem: str,
    *,
    style: Style | None = None,
    threshold_cm: float = THRESHOLD_CM,
) -> Case:
    """Draw a scenario into files `STEM.csv`, `STEM.spoiled.csv`, `STEM.truth.json`, `STEM.collisions.csv` and `STEM.mp4` of a folder.

    The same scenario and seed give the same files. The truth always comes from the clean coordinates.

    Args:
        wanted: What to draw and what to do to it.
        seed: Of everything that falls by chance.
        folder: Must be there.
        stem: Of the files' names.
        style: Of the video; None draws none.
        threshold_cm: Centre distance below which two objects touch.

    Raises:
        BadInput: Not even one meeting fits into the scenario, or the video cannot be drawn.
    """
    trajectory, plan = generate_nearly(wanted.plan, seed)
    met = contacts(trajectory, threshold_cm)
    chance = np.random.default_rng([seed, 1])
    done = spoils(wanted, trajectory, met, chance)
    shown = spoiled(trajectory, done, chance) if done.any else trajectory
    page = truth(trajectory, met, plan, done, threshold_cm)
    files = {kind: folder / f"{stem}{kind}" for kind in (".csv", ".spoiled.csv", ".collisions.csv", ".mp4")}
    write_trajectory(trajectory, files[".csv"])
    if done.any:
        write_trajectory(shown, files[".spoiled.csv"])
    write_collisions(trajectory, met, plan, files[".collisions.csv"])
    if style is not None:
        render(shown, style, files[".mp4"])
    case = Case(
        log=files[".csv"],
        spoiled=files[".spoiled.csv"] if done.any else None,
        truth=folder / f"{stem}.truth.json",
        collisions=files[".collisions.csv"],
        video=files[".mp4"] if style else None,
        contacts=len(met),
        near_misses=len(page["near_misses"]),
    )
    names = {name: path.name if path else None for name, path in _paths(case).items()}
    speed = style.speed if style else None
    write_truth({**page, "seed": seed, "files": names, "video_speed": speed}, case.truth)
    return case


def _paths(case: Case) -> dict[str, Path | None]:
    return {
        "log": case.log,
        "spoiled": case.spoiled,
        "collisions": case.collisions,
        "video": case.video,
    }
