"""The database is looked at and left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from extension.errors import BadSettings, Unavailable
from extension.store import checkup
from extension.store.database import Database
from extension.store.migrate import standing
from tests.store import values


def test_a_database_that_is_still_to_be_made_is_not_made(tmp_path: Path) -> None:
    """Looking leaves no file behind."""
    assert "made at the first start" in checkup.describe(values.store_url(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_use_answers(tmp_path: Path) -> None:
    """While the service has it open, too."""
    store = values.open_store(tmp_path)
    assert checkup.describe(values.store_url(tmp_path)) == "SQLite, answers"
    store.close()


def test_an_older_schema_is_told_and_left_alone(tmp_path: Path) -> None:
    """The next start brings it up to date."""
    Database(values.store_url(tmp_path)).close()
    with sqlite3.connect(tmp_path / "alerts.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.close()
    for _ in range(2):
        assert "at the next start" in checkup.describe(values.store_url(tmp_path))


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """With the words that the start would use."""
    values.open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "alerts.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BadSettings, match="newer version"):
        checkup.describe(values.store_url(tmp_path))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://db/x", "neither sqlite nor postgresql"),
        ("nonsense", "not an address"),
        ("sqlite://", "must name a file"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(address: str, said: str) -> None:
    """Before anything is opened."""
    with pytest.raises(BadSettings, match=said):
        checkup.describe(address)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A text where the database should be."""
    (tmp_path / "alerts.db").write_text("this is no database at all, but long enough to be read as one" * 20)
    with pytest.raises((BadSettings, Unavailable), match="not a database"):
        checkup.describe(values.store_url(tmp_path))


def test_standing_tells_the_known_schema(tmp_path: Path) -> None:
    """True as soon as the store was opened once."""
    values.open_store(tmp_path).close()
    database = Database(values.store_url(tmp_path))
    assert standing(database)
    database.close()
