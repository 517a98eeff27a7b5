"""Opening makes or mends the schema and says clearly what is wrong with a database that cannot be used."""

from __future__ import annotations

import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, create_mock_engine
from sqlalchemy.dialects import postgresql

from extension.errors import BadSettings, ExtensionError, Unavailable
from extension.model import JobStatus
from extension.settings import load
from extension.store import Store
from extension.store.tables import METADATA
from tests.store import values
from tests.store.values import SetClock


def _statements(database: Path) -> set[str]:
    with sqlite3.connect(database) as connection:
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    connection.close()
    return {re.sub(r"\s+", " ", sql).replace('"', "") for (sql,) in found if "alembic_version" not in sql}


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    """Columns, keys, checks and indices are those of the metadata, to the letter."""
    values.open_store(tmp_path).close()
    migrated = tmp_path / "alerts.db"
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    METADATA.create_all(engine)
    engine.dispose()
    assert _statements(migrated) == _statements(tmp_path / "made.db")
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


@pytest.mark.parametrize("name", ["a?b", "50%41", "한 글", "a#b+c", "a;b&c"])
def test_the_database_lies_in_the_data_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    """Signs that mean something in an address mean nothing in a folder's name."""
    folder = tmp_path / name
    Store.open(load(None, data_dir=folder).database, SetClock()).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (folder / "timetravel.db").is_file()


def test_the_tables_can_be_made_on_postgresql() -> None:
    """Its dialect has a word for every column."""
    made: list[str] = []
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy left it so
    engine = create_mock_engine(
        "postgresql+psycopg2://", lambda sql, *_, **__: made.append(str(sql.compile(dialect=dialect)))
    )
    METADATA.create_all(engine, checkfirst=False)
    assert sum("CREATE TABLE" in sql for sql in made) == 5
    assert any("TIMESTAMP WITH TIME ZONE" in sql for sql in made)


def test_opening_makes_folder_and_file_and_keeps_what_is_there(tmp_path: Path) -> None:
    """A second opening finds the job of the first."""
    folder = tmp_path / "new" / "100% data"
    store = values.open_store(folder)
    store.add_job(values.job())
    store.close()
    again = values.open_store(folder)
    assert [job.id for job in again.jobs()] == ["job-1"]
    again.close()


def test_a_commit_reaches_the_disk(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys: what the promise to lose nothing rests on."""
    store = values.open_store(tmp_path)
    with store._db.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    store.close()
    assert found == ["wal", 2, 1, 15_000]


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """The sentence names the file and the schema, and nothing is changed."""
    values.open_store(tmp_path).close()
    with sqlite3.connect(tmp_path / "alerts.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(BadSettings, match=r"alerts\.db was written by a newer version.*9999"):
        values.open_store(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"This is a letter, not a database. " * 40, "is not a database", id="text"),
        pytest.param(
            b"SQLite format 3\x00" + b"\xff" * 4096,
            "not a database|damaged",
            id="garbage-behind-the-right-name",
        ),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes, words: str) -> None:
    """The sentence names the file only, not its folder."""
    file = tmp_path / "alerts.db"
    file.write_bytes(content)
    with pytest.raises(BadSettings, match=words) as caught:
        values.open_store(tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert file.read_bytes() == content


def test_a_damaged_database_says_so(tmp_path: Path) -> None:
    """Pages overwritten behind its back are noticed, not read as an empty outbox."""
    store = values.open_store(tmp_path)
    for number in range(200):
        store.add_job(values.job(f"job-{number}"))
    store.close()
    file = tmp_path / "alerts.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(ExtensionError, match=r"alerts\.db"):
        values.open_store(tmp_path)


def test_the_tables_of_another_program_are_left_alone(tmp_path: Path) -> None:
    """A database that has a table of one of our names but not our schema is refused."""
    with sqlite3.connect(tmp_path / "alerts.db") as connection:
        connection.execute("CREATE TABLE captions (mine TEXT)")
    connection.close()
    with pytest.raises(BadSettings, match="another program"):
        values.open_store(tmp_path)
    assert _statements(tmp_path / "alerts.db") == {"CREATE TABLE captions (mine TEXT)"}


def test_a_file_in_place_of_the_folder_is_a_bad_setting(tmp_path: Path) -> None:
    """The folder cannot be made."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadSettings, match=r"folder of the database alerts\.db cannot be made"):
        values.open_store(tmp_path / "file")


def test_a_folder_in_place_of_the_file_is_a_bad_setting(tmp_path: Path) -> None:
    """It cannot be opened."""
    (tmp_path / "alerts.db").mkdir()
    with pytest.raises(BadSettings, match=r"alerts\.db cannot be opened"):
        values.open_store(tmp_path)


def test_a_read_only_database_is_a_bad_setting(tmp_path: Path) -> None:
    """SQLite's own read-only mode stands in for the file's rights, which root does not feel."""
    values.open_store(tmp_path).close()
    with pytest.raises(BadSettings, match=r"cannot be written"):
        Store.open(f"sqlite:///file:{tmp_path / 'alerts.db'}?mode=ro&uri=true", SetClock()).add_job(
            values.job()
        )


def test_a_database_held_by_another_program_is_unavailable(tmp_path: Path) -> None:
    """The caller may try again; nothing is half-written."""
    store = values.open_store(tmp_path, busy_timeout_ms=10)
    holder = sqlite3.connect(tmp_path / "alerts.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"alerts\.db is held by another program"):
        store.add_job(values.job())
    assert store.jobs() == []
    holder.execute("ROLLBACK")
    holder.close()
    store.add_job(values.job())
    store.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("not an address", "not an address", id="no-address"),
        pytest.param("mysql://host/db", "neither sqlite nor postgresql", id="another-engine"),
        pytest.param("sqlite://", "must name a file", id="memory"),
        pytest.param("sqlite:///:memory:", "must name a file", id="memory-by-name"),
        pytest.param("postgresql+nonsense://host/db", "package that is missing", id="unknown-driver"),
    ],
)
def test_an_address_that_cannot_work_is_a_bad_setting(url: str, words: str) -> None:
    """The sentence names the knob."""
    with pytest.raises(BadSettings, match=f"EXT_DATABASE_URL: .*{words}"):
        Store.open(url, SetClock())


def test_threads_share_the_store(tmp_path: Path) -> None:
    """Writers and readers at once lose nothing and see no half of anything."""
    store = values.open_store(tmp_path)
    start = threading.Barrier(6)

    def write(worker: int) -> None:
        start.wait()
        for number in range(10):
            job_id = f"{worker}-{number}"
            store.add_job(values.job(job_id))
            store.save_captions(job_id, [values.caption(0)])
            store.finish_job(job_id, JobStatus.DONE)

    def read() -> None:
        start.wait()
        for _ in range(20):
            assert all(job.answered_chunks == 1 for job in store.jobs() if job.status is JobStatus.DONE)

    with ThreadPoolExecutor(6) as pool:
        tasks = [pool.submit(write, worker) for worker in range(4)] + [pool.submit(read) for _ in range(2)]
    for task in tasks:
        task.result()
    assert len(store.jobs(limit=100)) == 40
    store.close()


def test_two_programs_opening_at_once_make_one_schema(tmp_path: Path) -> None:
    """The second waits for the first and finds its work done."""
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(lambda _: values.open_store(tmp_path), range(4)):
            assert store.jobs() == []
            store.close()
