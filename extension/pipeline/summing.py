"""Writes the event-based summary of a job at its end. What cannot be made is logged and fails nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from extension.model import Caption, Incident, Job
from extension.pipeline.world import World
from extension.playback.film import Film
from extension.playback.write import write_summary
from extension.timetravel.summary_making import summarize

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """What summaries should hold: how the video looks (None makes none), and how many moments it shows at most."""

    film: Film | None
    most_moments: int


def write(
    folder: Path,
    job: Job,
    incidents: list[Incident],
    captions: list[Caption],
    world: World,
    wish: Wish,
    keep_going: Callable[[], bool],
) -> None:
    """Write words, pictures and the video of the moments into a job's folder of outputs.

    Args:
        folder: Where to.
        job: The job.
        incidents: All it came to.
        captions: The answers for all its chunks.
        world: The recorded world.
        wish: What to make.
        keep_going: Asked for each frame of the video; false gives it up.
    """
    summary = summarize(
        job,
        incidents,
        captions,
        trajectory=world.trajectory,
        timeline=world.timeline,
        tz=world.tz,
        most_in_video=wish.most_moments,
        ended=True,
    )
    try:
        made = write_summary(folder, summary, Path(job.media_path), world.trajectory, wish.film, keep_going)
    except OSError as exc:
        _LOG.warning("summary_not_written", job=job.id, reason=exc.strerror)
        return
    for missing in made.missing:
        _LOG.warning("summary_incomplete", job=job.id, file=missing.name, reason=missing.reason)
