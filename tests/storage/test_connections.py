"""Which URLs are taken, how connections are set up, and what a failing database is called."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import (
    explained,
    reading,
    sqlite_engine,
    sqlite_path,
    writing,
)


@pytest.mark.parametrize(
    ("url", "want"),
    [
        (
            "postgresql://clerk:secret@db/school",
            "postgresql://clerk:***@db/school is not supported",
        ),
        ("sqlite+aiosqlite:///x.db", "is not supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "is not supported"),
        ("sqlite:///file:x.db?uri=true", "is not supported"),
        ("schoolgate.db", "is no database URL"),
    ],
)
def test_a_url_that_cannot_serve_is_refused(url: str, want: str) -> None:
    with pytest.raises(UnavailableError) as refusal:
        sqlite_path(url)
    assert want in str(refusal.value)


def test_a_relative_path_is_fixed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sqlite_path("sqlite:///var/schoolgate.db") == tmp_path / "var" / "schoolgate.db"


@pytest.mark.parametrize(
    ("pragma", "want"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5000), ("foreign_keys", 1)],
)
def test_every_connection_is_durable_and_patient(
    engine: Engine, pragma: str, want: str | int
) -> None:
    with reading(engine) as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == want


def test_a_failed_change_leaves_nothing_behind_not_even_a_table(engine: Engine) -> None:
    with suppress(KeyError), writing(engine) as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise KeyError
    with reading(engine) as connection:
        query = text("SELECT count(*) FROM sqlite_master WHERE name = 'half'")
        assert connection.execute(query).scalar_one() == 0


def test_a_writer_keeps_other_writers_out_and_readers_in(engine: Engine, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0)
    try:
        with writing(engine):
            assert other.execute("SELECT count(*) FROM grants").fetchone() == (0,)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


def test_a_file_that_is_absent_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "gone.db"
    with (
        pytest.raises(UnavailableError, match="read and write access"),
        reading(sqlite_engine(path)),
    ):
        pass
    assert not path.exists()


def test_a_path_of_odd_characters_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "100% sûr?#.db"
    path.touch()
    engine = sqlite_engine(path)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (id INTEGER)"))
    engine.dispose()
    assert path.stat().st_size > 0


@pytest.mark.parametrize(
    ("code", "want"),
    [
        (sqlite3.SQLITE_BUSY, "another process keeps it locked"),
        (sqlite3.SQLITE_CANTOPEN, "read and write access"),
        (sqlite3.SQLITE_CORRUPT, "from a back-up"),
        (sqlite3.SQLITE_FULL, "free some space"),
        (sqlite3.SQLITE_IOERR, "check the setting"),
        (sqlite3.SQLITE_NOTADB, "move that file away"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "write access"),
    ],
)
def test_a_failure_says_what_to_do(code: int, want: str) -> None:
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    path = Path("var/schoolgate.db")
    with pytest.raises(UnavailableError) as failure, explained(path):
        raise error
    assert str(failure.value).startswith(f"the database {path} cannot be used (it failed): ")
    assert want in str(failure.value)


def test_the_switch_to_the_log_waits_for_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "schoolgate.db"
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("time.sleep", lambda _seconds: holder.rollback())
    engine = sqlite_engine(path)
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
    holder.close()


def test_a_lock_that_is_never_let_go_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "schoolgate.db"
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(UnavailableError, match="keeps it locked"), reading(sqlite_engine(path)):
        pass
    holder.close()
