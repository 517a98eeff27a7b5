"""The one door to SQLAlchemy's engine: connections set up for durability, transactions, errors in our own words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, exc, make_url
from sqlalchemy.dialects import postgresql, sqlite

from extension.clock import Clock
from extension.errors import BadInput, BadSettings, ExtensionError, Unavailable
from extension.store.columns import to_json

# How long a writer waits for another one before it gives up.
BUSY_TIMEOUT_MS = 15_000
_SQLITE_FAULTS: tuple[tuple[str, type[ExtensionError], str], ...] = (
    ("database is locked", Unavailable, "is held by another program; stop it or wait"),
    ("table is locked", Unavailable, "is held by another program; stop it or wait"),
    ("disk is full", Unavailable, "cannot grow: the disk is full"),
    ("disk i/o error", Unavailable, "cannot be read or written: the disk reports an error"),
    ("not a database", BadSettings, "is not a database; move it away or name another EXT_DATABASE_URL"),
    ("malformed", BadSettings, "is damaged; restore a copy or move it away"),
    ("readonly", BadSettings, "cannot be written; give this user the right to write it and its folder"),
    ("unable to open", BadSettings, "cannot be opened; is its folder there and writable?"),
    ("already exists", BadSettings, "holds tables of another program; name another EXT_DATABASE_URL"),
)


class Database:
    """An engine for SQLite or PostgreSQL.

    Args:
        address: SQLAlchemy address. The folder of an SQLite file is made when it is missing.
        busy_timeout_ms: How long a writer waits for another one, in milliseconds (SQLite).

    Raises:
        BadSettings: when the address cannot be used.
    """

    def __init__(self, address: str, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        url = _checked(address)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.name = Path(url.database or "").name if self.is_sqlite else f"{url.host}/{url.database}"
        # An address "file:..." is SQLite's own URI form, not a path.
        if self.is_sqlite and not (url.database or "").startswith("file:"):
            _make_folder(Path(url.database or "").parent, self.name)
        self._engine = _engine(url)
        if self.is_sqlite:
            _set_up_sqlite(self._engine, busy_timeout_ms)
        self._writer = self._engine.execution_options(writes=True)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, on one consistent state."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is stored when the block ends, or nothing."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what to do about a row that is already there."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.IntegrityError as error:
            raise BadInput(f"the database {self.name} refused a row: {error.orig}") from error
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise self._fault(error) from error

    def _fault(self, error: exc.DBAPIError | exc.TimeoutError) -> ExtensionError:
        said = str(getattr(error, "orig", error))
        if self.is_sqlite:
            for part, kind, words in _SQLITE_FAULTS:
                if part in said.lower():
                    return kind(f"the database {self.name} {words}")
        return Unavailable(f"the database {self.name} does not answer as it should: {_first_line(said)}")


class Part:
    """What each part of the store works with."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except exc.ArgumentError:
        raise BadSettings("EXT_DATABASE_URL: not an address such as sqlite:////folder/file.db") from None
    backend = url.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise BadSettings(f"EXT_DATABASE_URL: {backend} is neither sqlite nor postgresql")
    if backend == "sqlite" and url.database in {None, "", ":memory:"}:
        raise BadSettings(
            "EXT_DATABASE_URL: an SQLite address must name a file, or a restart would lose alerts"
        )
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _make_folder(folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"the folder of the database {name} cannot be made: {error.strerror}") from error


def _engine(url: URL) -> Engine:
    try:
        return create_engine(url, json_serializer=to_json, pool_pre_ping=url.get_backend_name() != "sqlite")
    except (exc.NoSuchModuleError, ImportError) as error:
        raise BadSettings(
            f"EXT_DATABASE_URL: {url.drivername} needs a Python package that is missing"
        ) from error


def _set_up_sqlite(engine: Engine, busy_timeout_ms: int) -> None:
    def connected(connection: Any, _record: object) -> None:
        # A connection that fails here is not the pool's yet: nobody else would close it.
        with contextlib.ExitStack() as undo:
            undo.callback(connection.close)
            # The driver would otherwise begin and commit on its own; `began` does it.
            connection.isolation_level = None
            for pragma in (
                f"busy_timeout={busy_timeout_ms}",
                "journal_mode=WAL",
                "synchronous=FULL",  # a delivery that was struck off stays so after a power cut
                "foreign_keys=ON",
            ):
                connection.execute(f"PRAGMA {pragma}").close()
            undo.pop_all()

    def began(connection: Connection) -> None:
        # A writer takes the lock at once: one that read first and wrote later could be refused half-way.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"
