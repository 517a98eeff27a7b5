"""Looks at the database without changing it, for those who want to know before they start."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from extension.store.database import Database
from extension.store.migrate import standing

_BUSY_MS = 2_000


def describe(address: str) -> str:
    """What there is at a SQLAlchemy address, in a few words.

    Raises:
        BadSettings: when the address or the database cannot be used, or a newer program wrote it.
        Unavailable: when it is busy or out of reach.
    """
    url = make_url(address) if "://" in address else None
    if url is not None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return "SQLite, made at the first start"
    database = Database(address, _BUSY_MS)
    try:
        current = standing(database)
    finally:
        database.close()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    return f"{kind}, {'answers' if current else 'brought up to date at the next start'}"
