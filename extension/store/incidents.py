"""Events and incidents, stored together with the messages that announce them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, case, func, select, update

from extension.errors import NotFound
from extension.model import Event, Incident, Message, Phase
from extension.store import rows
from extension.store.database import Part
from extension.store.tables import DELIVERIES, EVENTS, INCIDENTS, JOBS


class Incidents(Part):
    """The part of the store that keeps what was judged."""

    def commit_judgement(
        self,
        job_id: str,
        *,
        judged_chunks: int,
        events: Sequence[Event],
        incidents: Sequence[Incident],
        messages: Sequence[Message],
    ) -> None:
        """Store all of a judgement in one transaction, cursor included.

        Events and incidents of a known id take the place of the old ones; a message of a known id is left alone; an
        incident all of whose events belong to another one now is removed. The cursor never moves backwards.

        Raises:
            NotFound: when there is no such job.
        """
        with self._db.write() as connection:
            _move_cursor(connection, job_id, judged_chunks)
            self._upsert(connection, EVENTS, [rows.event_values(event) for event in events])
            self._upsert(connection, INCIDENTS, [rows.incident_values(incident) for incident in incidents])
            _remove_swallowed(connection, job_id, incidents)
            if messages:
                now = self._clock.now()
                insert = self._db.insert(DELIVERIES).on_conflict_do_nothing(index_elements=["message_id"])
                connection.execute(insert, [rows.delivery_values(job_id, m, now) for m in messages])

    def events(self, job_id: str) -> list[Event]:
        """A job's events by start, then objects."""
        query = select(EVENTS).where(EVENTS.c.job_id == job_id).order_by(EVENTS.c.start_s, EVENTS.c.id)
        with self._db.read() as connection:
            found = [rows.event(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda e: (e.span.start_s, e.objects))

    def events_by_id(self, ids: Sequence[str]) -> list[Event]:
        """Events by their ids, by start; ids that are not known are left out."""
        query = select(EVENTS).where(EVENTS.c.id.in_(ids)).order_by(EVENTS.c.start_s, EVENTS.c.id)
        with self._db.read() as connection:
            return [rows.event(row) for row in connection.execute(query).mappings()]

    def incidents(self, job_id: str | None = None, limit: int = 200) -> list[Incident]:
        """Incidents of one job, or of all with the newest job first; within a job by start."""
        query = (
            select(INCIDENTS)
            .join(JOBS, JOBS.c.id == INCIDENTS.c.job_id)
            .order_by(JOBS.c.number.desc(), INCIDENTS.c.start_s, INCIDENTS.c.id)
            .limit(limit)
        )
        if job_id is not None:
            query = query.where(INCIDENTS.c.job_id == job_id)
        with self._db.read() as connection:
            return [rows.incident(row) for row in connection.execute(query).mappings()]

    def latest_incidents(self, job_id: str, limit: int) -> list[Incident]:
        """The `limit` incidents of a job that began last, by start."""
        query = (
            select(INCIDENTS)
            .where(INCIDENTS.c.job_id == job_id)
            .order_by(INCIDENTS.c.start_s.desc(), INCIDENTS.c.id.desc())
            .limit(limit)
        )
        with self._db.read() as connection:
            return [rows.incident(row) for row in connection.execute(query).mappings()][::-1]

    def incident(self, incident_id: str) -> Incident:
        """One incident.

        Raises:
            NotFound: when there is none of that id.
        """
        with self._db.read() as connection:
            query = select(INCIDENTS).where(INCIDENTS.c.id == incident_id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"no incident has the id {incident_id}")
        return rows.incident(row)

    def open_incidents(self, job_id: str) -> list[Incident]:
        """A job's incidents that are not resolved, by start."""
        query = (
            select(INCIDENTS)
            .where(INCIDENTS.c.job_id == job_id, INCIDENTS.c.phase == Phase.OPEN.value)
            .order_by(INCIDENTS.c.start_s, INCIDENTS.c.id)
        )
        with self._db.read() as connection:
            return [rows.incident(row) for row in connection.execute(query).mappings()]

    def incidents_since(self, job_id: str, end_s: float) -> list[Incident]:
        """A job's incidents that end at a media second or later, by start."""
        query = (
            select(INCIDENTS)
            .where(INCIDENTS.c.job_id == job_id, INCIDENTS.c.end_s >= end_s)
            .order_by(INCIDENTS.c.start_s, INCIDENTS.c.id)
        )
        with self._db.read() as connection:
            return [rows.incident(row) for row in connection.execute(query).mappings()]

    def announced(self, incident_id: str) -> int:
        """Highest sequence number of an incident's messages, whatever their receiver; 0 when it has none."""
        query = select(func.max(DELIVERIES.c.sequence)).where(DELIVERIES.c.incident_id == incident_id)
        with self._db.read() as connection:
            return int(connection.scalar(query) or 0)

    def _upsert(self, connection: Connection, table: Table, values: list[rows.Values]) -> None:
        if not values:
            return
        insert = self._db.insert(table)
        changes = {name: insert.excluded[name] for name in table.c.keys() if name != "id"}  # noqa: SIM118 - column collections iterate over columns
        connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=changes), values)


def _move_cursor(connection: Connection, job_id: str, judged_chunks: int) -> None:
    further = case((JOBS.c.judged_chunks < judged_chunks, judged_chunks), else_=JOBS.c.judged_chunks)
    moved = connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(judged_chunks=further))
    if moved.rowcount == 0:
        raise NotFound(f"no job has the id {job_id}")


def _remove_swallowed(connection: Connection, job_id: str, incidents: Sequence[Incident]) -> None:
    """A job judged again may find that what looked like two incidents was one."""
    if all(len(incident.event_ids) < 2 for incident in incidents):  # noqa: PLR2004 - one event cannot swallow
        return
    stored = connection.execute(
        select(INCIDENTS.c.id, INCIDENTS.c.event_ids).where(INCIDENTS.c.job_id == job_id)
    ).all()
    swallowed = {
        incident_id
        for incident_id, event_ids in stored
        for incident in incidents
        if incident.id != incident_id and set(event_ids) <= set(incident.event_ids)
    }
    if swallowed:
        connection.execute(INCIDENTS.delete().where(INCIDENTS.c.id.in_(swallowed)))
