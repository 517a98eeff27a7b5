"""A store that keeps everything in memory and writes down who asked for what."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from extension.clock import Clock
from extension.errors import NotFound
from extension.model import (
    Caption,
    Delivery,
    DeliveryState,
    Event,
    Incident,
    Job,
    JobStatus,
    Message,
)


class MemoryShelf:
    """What the API and these tests use of the store, with the same words and the same errors."""

    def __init__(self, clock: Clock) -> None:
        self.requeued: list[str] = []
        self.kept: dict[str, Job] = {}
        self._clock = clock
        self._captions: dict[str, dict[int, Caption]] = {}
        self._events: dict[str, Event] = {}
        self._incidents: dict[str, Incident] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._lock = threading.Lock()

    def add_job(self, job: Job) -> None:
        """Store a new job."""
        with self._lock:
            if job.id in self.kept:
                raise AssertionError("one job was stored twice")
            self.kept[job.id] = job

    def job(self, job_id: str) -> Job:
        """One job, chunks counted."""
        if job_id not in self.kept:
            raise NotFound(f"There is no job {job_id!r}.")
        captions = self._captions.get(job_id, {}).values()
        failed = sum(caption.failure is not None for caption in captions)
        return replace(self.kept[job_id], answered_chunks=len(captions) - failed, failed_chunks=failed)

    def jobs(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Newest first."""
        ids = list(reversed(self.kept))
        if before is not None:
            ids = ids[ids.index(self.job(before).id) + 1 :]
        return [self.job(job_id) for job_id in ids[:limit]]

    def requeue_job(self, job_id: str) -> None:
        """Failed captions go, the job waits again."""
        self.requeued.append(job_id)
        self.kept[job_id] = replace(self.job(job_id), status=JobStatus.QUEUED, finished_at=None)
        kept = self._captions.get(job_id, {})
        self._captions[job_id] = {i: c for i, c in kept.items() if c.failure is None}

    def next_job(self) -> Job | None:
        """Take the oldest waiting job up."""
        waiting = [job for job in self.kept.values() if job.status is JobStatus.QUEUED]
        if not waiting:
            return None
        self.kept[waiting[0].id] = replace(waiting[0], status=JobStatus.RUNNING, started_at=self._clock.now())
        return self.job(waiting[0].id)

    def plan_job(self, job_id: str, *, media_s: float, chunk_count: int, model: str) -> None:
        """What the worker learned when it opened the video."""
        self.kept[job_id] = replace(self.job(job_id), media_s=media_s, chunk_count=chunk_count, model=model)

    def finish_job(self, job_id: str, status: JobStatus, error: str | None = None) -> None:
        """The job is over."""
        now = self._clock.now()
        self.kept[job_id] = replace(self.job(job_id), status=status, error=error, finished_at=now)

    def save_captions(self, job_id: str, captions: Sequence[Caption]) -> None:
        """Keep captions by chunk."""
        self._captions.setdefault(job_id, {}).update({c.chunk.index: c for c in captions})

    def captions(self, job_id: str, first: int = 0, limit: int | None = None) -> list[Caption]:
        """In chunk order."""
        kept = self._captions.get(job_id, {})
        return [kept[i] for i in sorted(kept) if i >= first][:limit]

    def commit_judgement(
        self,
        job_id: str,
        *,
        judged_chunks: int,
        events: Sequence[Event],
        incidents: Sequence[Incident],
        messages: Sequence[Message],
    ) -> None:
        """Everything that a judgement brings."""
        now = self._clock.now()
        self._events.update({event.id: event for event in events})
        self._incidents.update({incident.id: incident for incident in incidents})
        for message in messages:
            self._deliveries.setdefault(message.id, Delivery(message, DeliveryState.PENDING, 0, now, now))
        self.kept[job_id] = replace(self.job(job_id), judged_chunks=judged_chunks)

    def events(self, job_id: str) -> list[Event]:
        """By media time."""
        kept = [event for event in self._events.values() if event.job_id == job_id]
        return sorted(kept, key=lambda event: (event.span.start_s, event.objects))

    def latest_incidents(self, job_id: str, limit: int) -> list[Incident]:
        """Those that began last, by start."""
        return sorted(self.incidents(job_id, limit=10**6), key=lambda i: i.span.start_s)[-limit:]

    def incidents(self, job_id: str | None = None, limit: int = 200) -> list[Incident]:
        """Of one job, or all."""
        kept = self._incidents.values()
        return [i for i in kept if job_id is None or i.job_id == job_id][:limit]

    def incident(self, incident_id: str) -> Incident:
        """One incident."""
        if incident_id not in self._incidents:
            raise NotFound(f"There is no incident {incident_id!r}.")
        return self._incidents[incident_id]

    def deliveries(self, job_id: str | None = None, limit: int = 200) -> list[Delivery]:
        """Of one job, or all."""
        wanted = {incident.id for incident in self.incidents(job_id, limit=10**6)}
        return [d for d in self._deliveries.values() if d.message.incident_id in wanted][:limit]

    def delivery(self, message_id: str) -> Delivery:
        """One delivery."""
        if message_id not in self._deliveries:
            raise NotFound(f"There is no delivery {message_id!r}.")
        return self._deliveries[message_id]

    def delivery_counts(self, job_id: str | None = None) -> dict[DeliveryState, int]:
        """By state."""
        return dict(Counter(d.state for d in self.deliveries(job_id, limit=10**6)))

    def mark_failed(self, message_id: str, error: str) -> None:
        """Give a delivery up."""
        kept = self.delivery(message_id)
        self._deliveries[message_id] = replace(
            kept, state=DeliveryState.FAILED, attempts=kept.attempts + 1, last_error=error
        )

    def mark_sent(self, message_id: str, at: dt.datetime) -> None:
        """Strike a delivery off."""
        kept = self.delivery(message_id)
        self._deliveries[message_id] = replace(
            kept, state=DeliveryState.SENT, attempts=kept.attempts + 1, sent_at=at
        )

    def redeliver(self, message_id: str, at: dt.datetime) -> None:
        """Make it due again."""
        self._deliveries[message_id] = replace(
            self.delivery(message_id), state=DeliveryState.PENDING, next_attempt_at=at
        )

    def close(self) -> None:
        """Nothing to close."""
