"""Opening the database: private files, and one sentence for whatever is wrong."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.core.errors import UnavailableError
from schoolgate.storage import DecisionStore, open_database
from schoolgate.storage.connections import writing


@pytest.fixture(params=[0o000, 0o022, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_what_is_created_is_private_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deep" / "schoolgate.db"
    engine = open_database(f"sqlite:///{path}")
    try:
        with writing(engine):
            files = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        engine.dispose()
    names = ("schoolgate.db", "schoolgate.db-wal", "schoolgate.db-shm")
    assert files == dict.fromkeys(names, 0o600)
    assert mode(path.parent) == mode(path.parent.parent) == 0o700


def test_modes_that_somebody_chose_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2770)
    path = folder / "schoolgate.db"
    path.touch()
    path.chmod(0o660)
    open_database(f"sqlite:///{path}").dispose()
    assert (mode(folder), mode(path)) == (0o2770, 0o660)


def test_decisions_outlive_the_process(engine: Engine, url: str) -> None:
    assert DecisionStore(engine).record_version("policy", "2026-09") == 1
    again = open_database(url)
    assert DecisionStore(again).recorded_label("policy") == "2026-09"
    again.dispose()


def a_text_file(path: Path) -> None:
    path.write_text("grants:\n  - example.com\n" * 100, encoding="utf-8")


def a_directory(path: Path) -> None:
    path.mkdir()


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere" / "schoolgate.db")


def a_damaged_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


@pytest.mark.parametrize(
    ("make", "want"),
    [
        (a_text_file, "move that file away"),
        (a_directory, "read and write access"),
        (a_dangling_link, "read and write access"),
        (a_damaged_database, "restore it from a back-up"),
    ],
)
def test_a_file_that_cannot_serve(tmp_path: Path, make: Callable[[Path], None], want: str) -> None:
    path = tmp_path / "schoolgate.db"
    make(path)
    with pytest.raises(UnavailableError) as failure:
        open_database(f"sqlite:///{path}")
    assert f"the database {path} cannot be used (" in str(failure.value)
    assert want in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("below", ["schoolgate.db", "state/schoolgate.db"])
def test_a_directory_that_is_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "var").write_text("not a directory")
    with pytest.raises(UnavailableError, match="check the setting `database`"):
        open_database(f"sqlite:///{tmp_path}/var/{below}")
