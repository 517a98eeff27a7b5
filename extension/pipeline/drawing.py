"""Draws the video of a job that has only a log: all of it, or the parts worth looking at."""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from extension.model import Job, JobOptions, Piece, VlmUse
from extension.pipeline.patience import Stopped
from extension.pipeline.selection import NEAR
from extension.sources.replay.camera import Camera, chosen_camera, close_up
from extension.sources.replay.encode import write_video
from extension.sources.replay.render import frames
from extension.sources.replay.style import Level, Style, look
from extension.timetravel.pieces import pieces
from extension.timetravel.referee import Referee
from extension.timetravel.trajectory import Micros, Trajectory, micros

T = TypeVar("T")
_SOON: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """The parts of a log that are drawn, and how.

    Attributes:
        pieces: Where each part begins, in the video and in the log.
        media_s: Length of the video.
        about: For each part the labels of those who come near each other; nobody in a part that is calm.
    """

    pieces: tuple[Piece, ...]
    media_s: float
    about: tuple[tuple[str, ...], ...]

    def instants(self, style: Style) -> Micros:
        """The log instant of every frame, microseconds since 1970 UTC; shape (frames,), int64."""
        step_us = style.speed * 1e6 / style.fps
        return np.concatenate(
            [
                micros(piece.start_at) + np.floor(np.arange(frames) * step_us).astype(np.int64)
                for piece, frames in zip(self.pieces, self._frames(style), strict=True)
            ]
        )

    def cameras(self, log: Trajectory, style: Style) -> Iterator[Camera]:
        """The camera of every frame: still throughout a part, and as near to those it is about as lets it see them all."""
        whole = chosen_camera(log, style)
        parts = np.split(self.instants(style), np.cumsum(self._frames(style))[:-1])
        for names, at_us in zip(self.about, parts, strict=True):
            objids = [objid for name in names if (objid := log.objid_of(name))]
            near = bool(objids) and style.extent is None
            yield from repeat(close_up(log, objids, at_us, style, whole) if near else whole, len(at_us))

    def _frames(self, style: Style) -> list[int]:
        """How many frames each part has."""
        ends_s = [*(piece.media_s for piece in self.pieces[1:]), self.media_s]
        return [
            round((end_s - piece.media_s) * style.fps)
            for piece, end_s in zip(self.pieces, ends_s, strict=True)
        ]


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
    cameras: Iterator[Camera] | None = None
    if job.options.vlm is not VlmUse.ALL:
        cut = cut_down(log, speed=options.speed, chunk_s=chunk_s, contact_cm=contact_cm)
        options = replace(options, pieces=cut.pieces)
        instants, cameras = cut.instants(style), cut.cameras(log, style)
    path = folder / f"{Path(job.name).stem}.mp4"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_video(_until(stop, frames(log, style, cameras=cameras, instants=instants)), style, path)
    return Drawn(path, options)


def cut_down(log: Trajectory, *, speed: float, chunk_s: int, contact_cm: float) -> Cut:
    """The parts of a log in which two objects come near each other."""
    referee = Referee(log, contact_cm)
    cut, media_s = pieces(
        referee.near(NEAR * contact_cm), log.start_at, log.end_at, speed=speed, chunk_s=chunk_s
    )
    ends_at = [*(piece.start_at for piece in cut[1:]), log.end_at + _SOON]
    encounters = deque(referee.encounters(NEAR * contact_cm))
    about: list[tuple[str, ...]] = []
    for ends in ends_at:
        names: set[str] = set()
        while encounters and encounters[0].start_at < ends:
            names |= set(encounters.popleft().objects)
        about.append(tuple(sorted(names)))
    return Cut(cut, media_s, tuple(about))


def _until(stop: threading.Event, pictures: Iterator[T]) -> Iterator[T]:
    for picture in pictures:
        if stop.is_set():
            raise Stopped
        yield picture
