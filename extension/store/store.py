"""The store as one object: everything that must survive a restart."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from extension.clock import Clock
from extension.store.captions import Captions
from extension.store.database import BUSY_TIMEOUT_MS, Database
from extension.store.incidents import Incidents
from extension.store.jobs import Jobs
from extension.store.migrate import migrate
from extension.store.outbox import Outbox


class Store(Jobs, Captions, Incidents, Outbox):
    """All that must survive a restart. Safe to use from several threads; each call is one transaction.

    Any call may raise Unavailable (busy or unreachable database) or BadSettings (a damaged or read-only one).
    """

    @classmethod
    def open(cls, url: str, clock: Clock, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Self:
        """Open the database, made and brought to the current schema where needed.

        Args:
            url: SQLAlchemy address of an SQLite file or a PostgreSQL database.
            clock: Says when jobs start and end and messages are made.
            busy_timeout_ms: How long a writer waits for another one (SQLite), in milliseconds.

        Raises:
            BadSettings: when the address or the database cannot be used, or a newer program wrote it.
            Unavailable: when it is busy or out of reach.
        """
        database = Database(url, busy_timeout_ms)
        with ExitStack() as undo:
            undo.callback(database.close)
            migrate(database)
            undo.pop_all()
        return cls(database, clock)

    def close(self) -> None:
        """Close every connection; nothing is lost."""
        self._db.close()
