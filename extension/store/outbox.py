"""The outbox: messages that must reach their receivers, and how far each got."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update

from extension.errors import NotFound
from extension.model import Delivery, DeliveryState
from extension.store import rows
from extension.store.database import Part
from extension.store.tables import DELIVERIES

_EARLIER = DELIVERIES.alias("earlier")


class Outbox(Part):
    """The part of the store that keeps deliveries.

    A message waits while an earlier one about the same incident to the same receiver is pending: nobody hears that an
    incident is over before hearing that it began.
    """

    def due(self, now: dt.datetime, limit: int = 20, receiver: str | None = None) -> list[Delivery]:
        """Deliveries to attempt now, longest due first; those of one receiver where it is named."""
        query = (
            select(DELIVERIES)
            .where(_ready(), DELIVERIES.c.next_attempt_at <= now)
            .order_by(DELIVERIES.c.next_attempt_at, DELIVERIES.c.number)
            .limit(limit)
        )
        if receiver is not None:
            query = query.where(DELIVERIES.c.receiver == receiver)
        with self._db.read() as connection:
            return [rows.delivery(row) for row in connection.execute(query).mappings()]

    def receivers_due(self, now: dt.datetime) -> set[str]:
        """Names of the receivers for which something is due."""
        query = select(DELIVERIES.c.receiver).where(_ready(), DELIVERIES.c.next_attempt_at <= now).distinct()
        with self._db.read() as connection:
            return set(connection.scalars(query))

    def next_due_at(self, without: Collection[str] = ()) -> dt.datetime | None:
        """When the next delivery is due, those of the receivers named in `without` left aside; None for never."""
        query = select(func.min(DELIVERIES.c.next_attempt_at)).where(
            _ready(), DELIVERIES.c.receiver.not_in(sorted(without))
        )
        with self._db.read() as connection:
            at: dt.datetime | None = connection.scalar(query)
        return at

    def mark_sent(self, message_id: str, at: dt.datetime) -> None:
        """Strike off a delivery that the receiver accepted.

        Raises:
            NotFound: when there is no such delivery; so do the other marks.
        """
        self._mark(message_id, state=DeliveryState.SENT.value, sent_at=at, last_error=None)

    def mark_retry(self, message_id: str, *, error: str, next_attempt_at: dt.datetime) -> None:
        """Note a failed attempt that is to be repeated."""
        self._mark(message_id, last_error=error, next_attempt_at=next_attempt_at)

    def mark_failed(self, message_id: str, error: str) -> None:
        """Give a delivery up."""
        self._mark(message_id, state=DeliveryState.FAILED.value, last_error=error)

    def redeliver(self, message_id: str, at: dt.datetime) -> None:
        """Send again, at the operator's word, with a fresh schedule and the same message id."""
        self._change(
            message_id,
            state=DeliveryState.PENDING.value,
            attempts=0,
            next_attempt_at=at,
            sent_at=None,
        )

    def deliveries(self, job_id: str | None = None, limit: int = 200) -> list[Delivery]:
        """Deliveries of one job or of all, newest first."""
        query = select(DELIVERIES).order_by(DELIVERIES.c.number.desc()).limit(limit)
        if job_id is not None:
            query = query.where(DELIVERIES.c.job_id == job_id)
        with self._db.read() as connection:
            return [rows.delivery(row) for row in connection.execute(query).mappings()]

    def delivery(self, message_id: str) -> Delivery:
        """One delivery.

        Raises:
            NotFound: when there is no such message.
        """
        with self._db.read() as connection:
            query = select(DELIVERIES).where(DELIVERIES.c.message_id == message_id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise _unknown(message_id)
        return rows.delivery(row)

    def delivery_counts(self, job_id: str | None = None) -> dict[DeliveryState, int]:
        """How many deliveries are in each state, zeros included."""
        query = select(DELIVERIES.c.state, func.count()).group_by(DELIVERIES.c.state)
        if job_id is not None:
            query = query.where(DELIVERIES.c.job_id == job_id)
        with self._db.read() as connection:
            found = {DeliveryState(state): count for state, count in connection.execute(query)}
        return {state: found.get(state, 0) for state in DeliveryState}

    def _mark(self, message_id: str, **values: Any) -> None:
        self._change(message_id, attempts=DELIVERIES.c.attempts + 1, **values)

    def _change(self, message_id: str, **values: Any) -> None:
        change = update(DELIVERIES).where(DELIVERIES.c.message_id == message_id).values(**values)
        with self._db.write() as connection:
            if connection.execute(change).rowcount == 0:
                raise _unknown(message_id)


def _ready() -> ColumnElement[bool]:
    """Pending, and first in line among its incident's messages to its receiver."""
    pending = DeliveryState.PENDING.value
    blocked = exists().where(
        _EARLIER.c.incident_id == DELIVERIES.c.incident_id,
        _EARLIER.c.receiver == DELIVERIES.c.receiver,
        _EARLIER.c.state == pending,
        _EARLIER.c.number < DELIVERIES.c.number,
    )
    return (DELIVERIES.c.state == pending) & ~blocked


def _unknown(message_id: str) -> NotFound:
    return NotFound(f"no delivery has the id {message_id}")
