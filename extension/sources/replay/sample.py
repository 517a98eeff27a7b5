"""The sample to start with: a minute of five objects, drawn at first run and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from extension.sources.replay.generate import generate
from extension.sources.replay.plan import Plan
from extension.sources.replay.render import render
from extension.sources.replay.style import Style
from extension.timetravel.trajectory_csv import write_trajectory

SAMPLE: Final = Plan(objects=5, duration_s=60.0, contacts=7, near_misses=4, again_s=8.0)
STYLE: Final = Style()


def ensure_sample(folder: Path, seed: int = 7) -> tuple[Path, Path]:
    """The sample's video and trajectory log, drawn now unless they are there from before.

    Each file appears only when it is complete; the video comes last, so a sample that was interrupted is drawn again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    video, log = folder / f"sample_{seed}.mp4", folder / f"sample_{seed}.csv"
    if not (video.is_file() and log.is_file()):
        trajectory = generate(SAMPLE, seed)
        write_trajectory(trajectory, log)
        render(trajectory, STYLE, video)
    return video, log
