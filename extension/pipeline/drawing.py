"""Draws the video of a job that has only a log: all of it, or the parts worth looking at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from extension.model import Job, JobOptions, Piece, VlmUse
from extension.pipeline.patience import Stopped
from extension.pipeline.selection import NEAR
from extension.sources.replay.encode import write_video
from extension.sources.replay.render import frames
from extension.sources.replay.style import Level, Style, look
from extension.timetravel.pieces import pieces
from extension.timetravel.referee import Referee
from extension.timetravel.trajectory import Micros, Trajectory, micros

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Drawn:
    """The video of a job, and the options that say how it lies in the log."""

    path: Path
    options: JobOptions


def draw(
    job: Job, log: Trajectory, folder: Path, stop: threading.Event, *, chunk_s: int, contact_cm: float
) -> Drawn:
    """Draw the video of a job; a job whose VLM is asked about candidates, or not at all, gets the candidates only.

    A video that an earlier run of the job finished is taken as it is.

    Args:
        job: The job; its options name the level and the speed.
        log: Its log.
        folder: Where the video goes.
        stop: Set when the service stops.
        chunk_s: Length of a chunk in media seconds.
        contact_cm: Horizontal distance below which two objects of the log are in contact.

    Raises:
        BadInput: when it cannot be written.
        Stopped: when the service stops meanwhile; nothing is left then.
    """
    style = replace(look(Level(job.options.level)), speed=job.options.speed)
    options = replace(job.options, start_at=log.start_at)
    instants: Micros | None = None
    if job.options.vlm is not VlmUse.ALL:
        cut, media_s = cut_down(log, speed=options.speed, chunk_s=chunk_s, contact_cm=contact_cm)
        options = replace(options, pieces=cut)
        instants = instants_of(cut, media_s, style)
    path = folder / f"{Path(job.name).stem}.mp4"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_video(_until(stop, frames(log, style, instants=instants)), style, path)
    return Drawn(path, options)


def cut_down(
    log: Trajectory, *, speed: float, chunk_s: int, contact_cm: float
) -> tuple[tuple[Piece, ...], float]:
    """The parts of a log in which two objects come near each other, and the length of a video of them in media seconds."""
    moments = Referee(log, contact_cm).near(NEAR * contact_cm)
    return pieces(moments, log.start_at, log.end_at, speed=speed, chunk_s=chunk_s)


def instants_of(cut: tuple[Piece, ...], media_s: float, style: Style) -> Micros:
    """The log instant of every frame of a video in pieces, microseconds since 1970 UTC; shape (frames,), int64."""
    ends = [*(piece.media_s for piece in cut[1:]), media_s]
    step_us = style.speed * 1e6 / style.fps
    return np.concatenate(
        [
            micros(piece.start_at)
            + np.floor(np.arange(round((end_s - piece.media_s) * style.fps)) * step_us).astype(np.int64)
            for piece, end_s in zip(cut, ends, strict=True)
        ]
    )


def _until(stop: threading.Event, pictures: Iterator[T]) -> Iterator[T]:
    for picture in pictures:
        if stop.is_set():
            raise Stopped
        yield picture
