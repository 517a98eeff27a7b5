"""Quality of time travel over many generated logs: what the VLM alone, the log alone and both together find, clean and with noise."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.table import Table

from bench_report import ReportFile, Seed, analysing, console, finish, folder_of_its_own
from extension.captions import parse
from extension.client import ApiClient
from extension.command.follow import Follower, Wanted
from extension.model import Caption, Chunk, Incident, Job, JobOptions, JobStatus, Kind, Span, VlmUse
from extension.pipeline.again import judged_again
from extension.pipeline.world import World
from extension.sources.replay.difficulty import Difficulty
from extension.sources.replay.render import render
from extension.sources.replay.scenario import generate_nearly, scenario
from extension.sources.replay.spoil import with_noise
from extension.sources.replay.style import Level, look
from extension.timetravel.contacts import contacts
from extension.timetravel.evaluation import Occurrence, Score, evaluate, occurrences_of
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import write_trajectory

LOGS: Final = 100
NOISE_CM: Final = 25.0
SPEEDS: Final = (1.0, 3.0)
WAYS: Final = {
    "vlm alone": JobOptions(geometry=False),
    "log alone": JobOptions(vlm=VlmUse.OFF),
    "both": JobOptions(),
}
_TOLERANCES_S: Final = (1.0, 0.0)
_DURATION_S: Final = (14.0, 22.0)
_MERGE_GAP_S: Final = 0.5
_CLOSE: Final = 0.005
"""F1 that counts as equal: half a hundredth, less than one contact in a row of the table."""

Tally = dict[tuple[str, float, str], list[Score]]


@dataclass(frozen=True)
class Shot:
    """A drawn replay: the log it shows, and what truly happened."""

    name: str
    level: Level
    speed: float
    noise_cm: float
    shown: Trajectory
    truth: tuple[Occurrence, ...]
    video: Path
    log: Path

    @property
    def row(self) -> tuple[float, str, float]:
        """The row of the table that it belongs to."""
        return self.noise_cm, self.level.value, self.speed


def replay_quality(
    seed: Seed = 1,
    logs: Annotated[int, typer.Option(min=1, help="How many logs.")] = LOGS,
    report: ReportFile = None,
) -> None:
    """Generated logs of mixed difficulty at 1x and 3x, in each level of abstraction, clean and with 25 cm of noise."""
    tallies: dict[tuple[float, str, float], Tally] = defaultdict(lambda: defaultdict(list))
    failed = 0
    with folder_of_its_own() as folder, analysing(folder) as (follower, api):
        for number in range(logs):
            for shot in _shots(seed, number, folder):
                captions = _captions(shot, follower, api)
                failed += sum(caption.failure is not None for caption in captions)
                for way, options in WAYS.items():
                    _score(shot, captions, way, options, tallies[shot.row])
                shot.video.unlink()
            console.print(f"log {number + 1} of {logs}", style="dim")
    rows = [_row(key, tally) for key, tally in sorted(tallies.items())]
    sums = [_row((noise_cm, "all", 0.0), _sum(tallies, noise_cm)) for noise_cm in (0.0, NOISE_CM)]
    console.print(_table([*rows, *sums]))
    holds = logs >= LOGS and all(row["both_not_worse"] for row in sums)
    figures = {"seed": seed, "logs": logs, "failed_chunks": failed, "sums": sums, "all": rows}
    finish("replay-quality", figures, {"both_not_worse": True, "logs": LOGS}, report, holds=holds)


def _shots(seed: int, number: int, folder: Path) -> Iterator[Shot]:
    """The replays of one log, drawn one by one."""
    chance = np.random.default_rng([seed, number])
    duration_s = float(np.round(chance.uniform(*_DURATION_S)))
    wanted = scenario(Difficulty.MIXED, int(chance.integers(2, 11)), duration_s, chance)
    clean, _ = generate_nearly(wanted.plan, int(chance.integers(2**31)))
    truth = occurrences_of(contacts(clean), clean.start_at)
    for noise_cm in (0.0, NOISE_CM):
        shown = with_noise(clean, noise_cm, chance) if noise_cm else clean
        log = folder / f"log-{number}-{noise_cm:.0f}.csv"
        write_trajectory(shown, log)
        # Every log in every level, at one speed clean and at the other with noise; the next log the other way round.
        speed = SPEEDS[(number + bool(noise_cm)) % len(SPEEDS)]
        for level in Level:
            name = f"log-{number}-{noise_cm:.0f}-{level}-{speed:g}x"
            video = folder / f"{name}.mp4"
            render(shown, replace(look(level), speed=speed), video)
            yield Shot(name, level, speed, noise_cm, shown, truth, video, log)


def _captions(shot: Shot, follower: Follower, api: ApiClient) -> list[Caption]:
    """What the VLM answers, by the whole stack."""
    prompt = "simple_view" if shot.level is Level.ABSTRACT else "twin_view"
    wanted = Wanted(shot.video, shot.log, shot.speed, prompt, geometry=False, start_at=shot.shown.start_at)
    job = follower.run(wanted).job
    return [
        parse.read(said.text, Chunk(said.chunk_index, Span(said.start_s, said.end_s)), said.stats)
        for said in api.captions(job.id)
    ]


def _score(shot: Shot, captions: list[Caption], way: str, options: JobOptions, tally: Tally) -> None:
    start_at = shot.shown.start_at
    options = replace(options, speed=shot.speed, start_at=start_at)
    job = Job(
        shot.name, shot.video.name, "", None, options, JobStatus.RUNNING, start_at, chunk_count=len(captions)
    )
    if options.vlm is VlmUse.OFF:
        captions = [Caption(c.chunk, "", None, c.failure, {"asked": False}) for c in captions]
    world = World(options, shot.shown, dt.UTC)
    _, incidents = judged_again(job, captions, world, _MERGE_GAP_S)
    said = tuple(_occurrences(incidents, start_at))
    for tolerance_s in _TOLERANCES_S:
        found = evaluate(said, shot.truth, tolerance_s)
        tally[way, tolerance_s, "att"].append(found.att)
        tally[way, tolerance_s, "det"].append(found.det)


def _occurrences(incidents: list[Incident], start_at: dt.datetime) -> Iterator[Occurrence]:
    for incident in incidents:
        if incident.kind is Kind.COLLISION and incident.start_at and incident.end_at:
            yield Occurrence(
                (incident.start_at - start_at).total_seconds(),
                (incident.end_at - start_at).total_seconds(),
                incident.objects,
            )


def _sum(tallies: dict[tuple[float, str, float], Tally], noise_cm: float) -> Tally:
    """All rows of one noise together."""
    whole: Tally = defaultdict(list)
    for key, tally in tallies.items():
        if key[0] == noise_cm:
            for column, scores in tally.items():
                whole[column] += scores
    return whole


def _row(key: tuple[float, str, float], tally: Tally) -> dict[str, Any]:
    """F1 of counts summed over all logs, per way, tolerance and unit."""
    noise_cm, level, speed = key
    figures = {
        f"{unit}_f1_{tolerance_s:g}s": {
            way: round(_whole(tally[way, tolerance_s, unit]).f1, 4) for way in WAYS
        }
        for unit, tolerance_s in itertools.product(("att", "det"), _TOLERANCES_S)
    }
    counts = _whole(tally["both", 1.0, "att"])
    return {
        "noise_cm": noise_cm,
        "level": level,
        "speed": speed,
        "contacts": counts.matched + counts.missed,
        **figures,
        "both_not_worse": all(
            figure["both"] >= max(figure.values()) - _CLOSE
            for name, figure in figures.items()
            if name.endswith("_1s")
        ),
    }


def _whole(scores: list[Score]) -> Score:
    return Score(
        matched=sum(score.matched for score in scores),
        false_alarms=sum(score.false_alarms for score in scores),
        missed=sum(score.missed for score in scores),
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    heads = ("att F1, 1 s", "det F1, 1 s", "att F1, 0 s")
    table = Table("noise", "level", "speed", "contacts", *heads, caption="VLM alone / log alone / both")
    for row in rows:
        speed = f"{row['speed']:g}x" if row["speed"] else "all"
        figures = (row[name] for name in ("att_f1_1s", "det_f1_1s", "att_f1_0s"))
        shown = (" / ".join(f"{figure[way]:.3f}" for way in WAYS) for figure in figures)
        table.add_row(f"{row['noise_cm']:.0f} cm", row["level"], speed, str(row["contacts"]), *shown)
    return table
