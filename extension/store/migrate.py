"""Brings a database to the schema that this program knows, or refuses one from a newer program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from extension.errors import BadSettings
from extension.store.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run the missing revisions in one transaction.

    Raises:
        BadSettings: when the database was written by a newer program, or cannot be used at all.
        Unavailable: when it is busy or out of reach.
    """
    config = Config()
    # Alembic reads "%" as the start of a substitution.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.write() as connection:
        unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
        if unknown:
            raise BadSettings(
                f"the database {database.name} was written by a newer version of this program "
                f"(schema {', '.join(sorted(unknown))}): start that version, or choose another EXT_DATABASE_URL"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
