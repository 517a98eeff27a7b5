"""What must survive a restart: jobs, captions, events, incidents and the outbox, in SQLite or PostgreSQL.

It stores what it is told and decides nothing about videos or receivers.
"""

from extension.store.store import Store

__all__ = ["Store"]
