"""Brings a database to the schema that this program knows, or refuses one from a newer program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from extension.errors import BadSettings
from extension.store.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the missing revisions in one transaction.

    Raises:
        BadSettings: when the database was written by a newer program, or cannot be used at all.
        Unavailable: when it is busy or out of reach.
    """
    config = _config()
    with database.write() as connection:
        _current(database, connection, config)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def standing(database: Database) -> bool:
    """Whether the database has the schema that this program knows; changes nothing.

    Raises:
        BadSettings: when the database was written by a newer program, or cannot be used at all.
        Unavailable: when it is busy or out of reach.
    """
    config = _config()
    with database.read() as connection:
        current = _current(database, connection, config)
    return current == set(ScriptDirectory.from_config(config).get_heads())


def _config() -> Config:
    config = Config()
    # Alembic reads "%" as the start of a substitution.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _current(database: Database, connection: Connection, config: Config) -> set[str]:
    """The revisions that the database is at, all of them known here."""
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := current - known:
        raise BadSettings(
            f"the database {database.name} was written by a newer version of this program "
            f"(schema {', '.join(sorted(unknown))}): start that version, or choose another EXT_DATABASE_URL"
        )
    return current
