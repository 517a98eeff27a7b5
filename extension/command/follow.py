"""Submits one video to a running service and follows it to the end, with a progress bar."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from extension.client import ApiClient
from extension.clock import Clock
from extension.command.report import Outcome
from extension.errors import Unavailable
from extension.model import DeliveryState, JobStatus, Piece, VlmUse
from extension.wire import JobIn, JobOut, PieceIn

T = TypeVar("T")
_POLL_S = 0.25
_ENDED = (JobStatus.DONE, JobStatus.FAILED)
# The service may be started anew meanwhile; longer than that, something is wrong.
_SILENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A video to analyse, as the command line names it."""

    video: Path
    trajectory: Path | None
    speed: float
    prompt: str = "replay"
    vlm: VlmUse = VlmUse.ALL
    geometry: bool = True
    start_at: dt.datetime | None = None
    pieces: tuple[Piece, ...] = ()

    def job(self) -> JobIn:
        """The job to submit."""
        return JobIn(
            path=str(self.video.resolve()),
            trajectory=str(self.trajectory.resolve()) if self.trajectory else None,
            speed=self.speed,
            prompt=self.prompt,
            vlm=self.vlm.value,
            geometry=self.geometry,
            start_at=self.start_at,
            pieces=[PieceIn(media_s=piece.media_s, start_at=piece.start_at) for piece in self.pieces],
        )

    def options(self) -> dict[str, str]:
        """The same choices as fields of an upload, which cannot name pieces."""
        stated = {"start_at": self.start_at.isoformat()} if self.start_at else {}
        chosen = {"speed": str(self.speed), "prompt": self.prompt, "vlm": self.vlm.value}
        return {**chosen, "geometry": str(self.geometry).lower(), **stated}

    def is_that(self, job: JobOut) -> bool:
        """Whether a job of the service analyses this video in this way."""
        asked = (self.video.name, self.speed, self.trajectory is not None, self.vlm, self.geometry)
        return (job.name, job.speed, job.has_trajectory, job.vlm, job.geometry) == asked


class Follower:
    """Follows jobs of one service.

    Args:
        api: The service.
        console: Where the progress bar goes.
        clock: Waiting.
        settle_s: How long to wait, after the job, for its notifications to be delivered.
    """

    def __init__(self, api: ApiClient, console: Console, clock: Clock, settle_s: float) -> None:
        self._api = api
        self._console = console
        self._clock = clock
        self._settle_s = settle_s

    def run(self, wanted: Wanted, *, upload: bool = False) -> Outcome:
        """Analyse a video and wait for the end; one that is still under way from an earlier run is taken up again.

        Args:
            wanted: The video and how to look at it.
            upload: Send the video instead of naming its path, to a service that may not read it there.
        """
        job = self._patiently(lambda: self._under_way(wanted)) or self._submit(wanted, upload=upload)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as progress:
            task = progress.add_task(f"analysing {job.name}", total=1.0)
            job = self._to_end(job, progress, task)
        return self._settled(job)

    def _submit(self, wanted: Wanted, *, upload: bool) -> JobOut:
        key = str(uuid.uuid4())
        if not upload:
            return self._patiently(lambda: self._api.submit_path(wanted.job(), key))
        return self._patiently(
            lambda: self._api.submit_upload(wanted.video, wanted.trajectory, wanted.options(), key)
        )

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask the service, again while it does not answer: it may be starting anew."""
        heard_s = self._clock.monotonic_s()
        while True:
            try:
                return ask()
            except Unavailable:
                if self._clock.monotonic_s() - heard_s > _SILENCE_S:
                    raise
            self._clock.sleep(_POLL_S)

    def _under_way(self, wanted: Wanted) -> JobOut | None:
        for job in self._api.jobs():
            if job.status not in _ENDED and wanted.is_that(job):
                self._console.print(f"going on with job {job.id} from an earlier run")
                return job
        return None

    def _to_end(self, job: JobOut, progress: Progress, task: TaskID) -> JobOut:
        while job.status not in _ENDED:
            self._clock.sleep(_POLL_S)
            job = self._patiently(partial(self._api.job, job.id))
            progress.update(task, completed=job.progress)
        return job

    def _settled(self, job: JobOut) -> Outcome:
        """The job's outcome once no delivery is pending, or the time for that is over."""
        until_s = self._clock.monotonic_s() + self._settle_s
        while True:
            outcome = self._patiently(partial(self._outcome, job))
            if not outcome.delivered(DeliveryState.PENDING) or self._clock.monotonic_s() >= until_s:
                return outcome
            self._clock.sleep(_POLL_S)

    def _outcome(self, job: JobOut) -> Outcome:
        events, incidents = self._api.events(job.id), self._api.incidents(job.id)
        return Outcome(job, events, incidents, self._api.deliveries(job.id))
