"""The incident of recordings that cannot be written. All cameras share one disk: it is one incident, on a job of its own.

The job is made when it is needed for the first time; its alerts name `recordings` as their source.
"""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from extension.clock import Clock
from extension.errors import NotFound
from extension.incidents import revise
from extension.model import Basis, Event, Incident, Job, JobOptions, JobStatus, Kind, Severity, Span
from extension.pipeline.judging import Announce, Judge
from extension.pipeline.live.register import Register
from extension.pipeline.world import World
from extension.sources.camera.reports import StorageDown, StorageUp
from extension.store import Store

NAME: Final = "recordings"
_NAMESPACE: Final = uuid.UUID("8f0c5c8e-5a4c-5a53-9d6a-2b7f5a1f0d11")
JOB_ID: Final = str(uuid.uuid5(_NAMESPACE, f"service/{NAME}"))
_HOLD_S: Final = 30.0
"""A disk that is nearly full takes small segments and refuses large ones: it works only when none was refused for so long."""


@dataclass
class Desk:
    """The job of the recordings, as a camera's lane is one of a camera."""

    job_id: str
    judge: Judge
    epoch_at: dt.datetime
    lock: threading.Lock = field(default_factory=threading.Lock)

    def media_s(self, at: dt.datetime) -> float:
        """Seconds from the beginning of the job."""
        return (at - self.epoch_at).total_seconds()


class Recordings:
    """Tells when recordings cannot be written, and when they can again; belongs to one thread.

    Args:
        store: What must survive a restart.
        register: Where judgements go.
        announce: Makes the messages of an announcement.
        clock: The wall clock.
    """

    def __init__(self, store: Store, register: Register, announce: Announce, clock: Clock) -> None:
        self._store = store
        self._register = register
        self._announce = announce
        self._clock = clock
        self._down = False
        self._desk = self._opened() if self._is_known() else None

    def down(self, report: StorageDown) -> None:
        """Recordings cannot be written; while that is known already, it goes on."""
        self._down = True
        self._desk = self._desk or self._opened()
        event = _unwritten(self._desk, report)
        self._register.enter(self._desk, lambda judge: judge.tell((event,)))

    def up(self, report: StorageUp) -> None:
        """They can be written again; it is over when that lasts."""
        if self._desk is not None:
            until_s = self._desk.media_s(report.at)
            lengthen = partial(revise.lengthened, end_s=until_s, end_at=report.at)
            self._register.revise(self._desk, lengthen)
        self._down = False

    def written(self, until_at: dt.datetime) -> None:
        """Some camera is recorded up to that instant."""
        if self._desk is None or self._down:
            return
        self._register.revise(
            self._desk, partial(revise.ended, good_until_s=self._desk.media_s(until_at), hold_s=_HOLD_S)
        )

    @property
    def open(self) -> tuple[Incident, ...]:
        """What is not over."""
        return self._desk.judge.open if self._desk else ()

    def _is_known(self) -> bool:
        try:
            self._store.job(JOB_ID)
        except NotFound:
            return False
        return True

    def _opened(self) -> Desk:
        if not self._is_known():
            now_at = self._clock.now()
            options = JobOptions(prompt="camera", start_at=now_at.replace(microsecond=0))
            self._store.add_job(Job(JOB_ID, NAME, "", None, options, JobStatus.LIVE, now_at))
        job = self._store.job(JOB_ID)
        still_open = self._store.open_incidents(JOB_ID)
        announced = {incident.id: self._store.announced(incident.id) for incident in still_open}
        world = World(job.options, None, dt.UTC)
        judge = Judge(job, world, still_open, announced, _HOLD_S, self._announce)
        return Desk(JOB_ID, judge, job.options.start_at or job.created_at)


def _unwritten(desk: Desk, report: StorageDown) -> Event:
    """Nothing is recorded, so nothing is looked at: nobody can say that all is well anywhere."""
    at_s = desk.media_s(report.at)
    return Event(
        id=str(uuid.uuid5(_NAMESPACE, f"{JOB_ID}/down/{report.at.isoformat()}")),
        job_id=JOB_ID,
        chunk_index=-1,
        kind=Kind.OTHER,
        span=Span(at_s, at_s),
        severity=Severity.DANGER,
        objects=(NAME,),
        description=f"No camera is recorded or watched: {report.message}",
        start_at=report.at,
        end_at=report.at,
        basis=Basis.CAPTURE,
    )
