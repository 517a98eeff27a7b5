"""Jobs: what is to be analysed and how far it got."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, func, select, update

from extension.errors import BadInput, NotFound
from extension.model import Job, JobOptions, JobStatus
from extension.store import rows
from extension.store.database import Part
from extension.store.tables import CAPTIONS, JOBS


class Jobs(Part):
    """The part of the store that keeps jobs."""

    def add_job(self, job: Job) -> None:
        """Store a new job.

        Raises:
            BadInput: when its id is taken.
        """
        with self._db.write() as connection:
            connection.execute(JOBS.insert().values(rows.job_values(job)))

    def job(self, job_id: str) -> Job:
        """One job, its chunks counted from its captions.

        Raises:
            NotFound: when there is none of that id.
        """
        with self._db.read() as connection:
            return _job(connection, job_id)

    def jobs(self, limit: int = 50, before: str | None = None) -> list[Job]:
        """Jobs, newest first.

        Args:
            limit: At most so many.
            before: Id of a job; only older ones are wanted.

        Raises:
            NotFound: when `before` is no job.
        """
        query = _jobs().order_by(JOBS.c.number.desc()).limit(limit)
        with self._db.read() as connection:
            if before is not None:
                query = query.where(JOBS.c.number < _number(connection, before))
            return [rows.job(row) for row in connection.execute(query).mappings()]

    def next_job(self) -> Job | None:
        """The job to work on: one that a crash left running, else the oldest queued, which is now running."""
        with self._db.write() as connection:
            running = _oldest(connection, JobStatus.RUNNING)
            job_id = running or _oldest(connection, JobStatus.QUEUED)
            if job_id is None:
                return None
            if running is None:
                connection.execute(
                    _update(job_id).values(status=JobStatus.RUNNING.value, started_at=self._clock.now())
                )
            return _job(connection, job_id)

    def set_media(self, job_id: str, media_path: str, options: JobOptions) -> None:
        """Note the video that was drawn for a job and how it lies in the log, or how a camera's windows are numbered.

        Raises:
            NotFound: when there is no such job.
        """
        self._change_job(job_id, media_path=media_path, options=rows.option_values(options))

    def plan_job(self, job_id: str, *, media_s: float, chunk_count: int, model: str) -> None:
        """Note what a job turned out to be: length in media seconds, number of chunks, and who answers.

        Raises:
            NotFound: when there is no such job.
        """
        self._change_job(job_id, media_s=media_s, chunk_count=chunk_count, model=model)

    def finish_job(self, job_id: str, status: JobStatus, error: str | None = None) -> None:
        """End a job.

        Raises:
            NotFound: when there is no such job.
        """
        self._change_job(job_id, status=status.value, error=error, finished_at=self._clock.now())

    def requeue_job(self, job_id: str) -> None:
        """Queue a finished job again: its failed chunks are asked anew, its answers are kept.

        It is judged again from its first chunk, since a new answer may join what lies before and behind it. Events,
        incidents and messages have stable ids, so that nothing is doubled or announced twice.

        Raises:
            NotFound: when there is no such job.
            BadInput: when it is running.
        """
        with self._db.write() as connection:
            if _job(connection, job_id).status is JobStatus.RUNNING:
                raise BadInput("the job is still running")
            failed = CAPTIONS.c.failure_code.is_not(None)
            connection.execute(CAPTIONS.delete().where(CAPTIONS.c.job_id == job_id, failed))
            connection.execute(
                _update(job_id).values(
                    status=JobStatus.QUEUED.value,
                    judged_chunks=0,
                    error=None,
                    started_at=None,
                    finished_at=None,
                )
            )

    def _change_job(self, job_id: str, **values: Any) -> None:
        with self._db.write() as connection:
            if connection.execute(_update(job_id).values(**values)).rowcount == 0:
                raise _unknown(job_id)


def _jobs() -> Select[Any]:
    return select(
        JOBS,
        _count(CAPTIONS.c.verdict.is_not(None)).label("answered_chunks"),
        _count(CAPTIONS.c.failure_code.is_not(None)).label("failed_chunks"),
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    captions = select(func.count()).where(CAPTIONS.c.job_id == JOBS.c.id, condition)
    return captions.correlate(JOBS).scalar_subquery()


def _job(connection: Connection, job_id: str) -> Job:
    row = connection.execute(_jobs().where(JOBS.c.id == job_id)).mappings().first()
    if row is None:
        raise _unknown(job_id)
    return rows.job(row)


def _number(connection: Connection, job_id: str) -> int:
    number = connection.scalar(select(JOBS.c.number).where(JOBS.c.id == job_id))
    if number is None:
        raise _unknown(job_id)
    return int(number)


def _oldest(connection: Connection, status: JobStatus) -> str | None:
    query = select(JOBS.c.id).where(JOBS.c.status == status.value).order_by(JOBS.c.number).limit(1)
    return connection.scalar(query)


def _update(job_id: str) -> Update:
    return update(JOBS).where(JOBS.c.id == job_id)


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"no job has the id {job_id}")
