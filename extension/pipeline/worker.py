"""Takes jobs from the store one after another, for as long as the service runs."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Protocol

import structlog

from extension.model import Job, JobStatus
from extension.pipeline.patience import Stopped
from extension.store import Store

_LOG = structlog.get_logger(__name__)
_IDLE_S = 2.0
# A job that breaks the worker this often is at fault itself.
_CRASHES = 3


class RunsJobs(Protocol):
    """What the worker needs of a runner."""

    def run(self, job: Job) -> None:
        """Bring a job to its end."""
        ...


class Worker:
    """The loop over jobs; a job that keeps breaking it is failed, so that the others get their turn."""

    def __init__(self, store: Store, runner: RunsJobs, stop: threading.Event) -> None:
        self._store = store
        self._runner = runner
        self._stop = stop
        self._wake = threading.Event()
        self._current: Job | None = None
        self._broken: Counter[str] = Counter()

    def wake(self) -> None:
        """There may be a new job."""
        self._wake.set()

    def run(self) -> None:
        """Work until the service stops."""
        while not self._stop.is_set():
            self._wake.clear()
            job = self._store.next_job()
            if job is None:
                self._wake.wait(_IDLE_S)
                continue
            self._current = job
            try:
                self._runner.run(job)
            except Stopped:
                _LOG.info("job_waits_for_next_start", job=job.id)
                return
            self._current = None

    def broke(self, reason: str) -> None:
        """Note that the current job broke the worker."""
        job = self._current
        if job is None:
            return
        self._broken[job.id] += 1
        if self._broken[job.id] >= _CRASHES:
            self._store.finish_job(job.id, JobStatus.FAILED, f"internal error: {reason}; see the log")
