"""Opens the database: makes its file private to schoolgate and brings it to the newest schema."""

import os
from pathlib import Path

from sqlalchemy import Engine

from schoolgate.storage.connections import explained, is_postgresql, sqlite_engine, sqlite_path
from schoolgate.storage.migrations import upgrade
from schoolgate.storage.postgresql import postgresql_engine

_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700


def open_database(url: str) -> Engine:
    """Open the database of a URL, creating directory, file and tables where they are missing.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path`` or
            ``postgresql://user@host/name``, where the database is there and empty at first.

    Returns:
        An engine that the caller disposes of.

    Raises:
        UnavailableError: when it cannot be used; the sentence names the path and what to do.
    """
    engine = open_empty(url)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_empty(url: str) -> Engine:
    """Open a database without its tables, creating directory and file where they are missing.

    Raises:
        UnavailableError: when that fails.
    """
    return postgresql_engine(url) if is_postgresql(url) else _open_file(sqlite_path(url))


def _open_file(path: Path) -> Engine:
    with explained(path):
        _create_directory(path.parent)
        _create_file(path)
    return sqlite_engine(path)


def _create_directory(path: Path) -> None:
    if path.is_dir():
        return
    _create_directory(path.parent)
    # Another process may make it in between; then it is theirs and its mode stays.
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        path.chmod(_PRIVATE_DIRECTORY)


def _create_file(path: Path) -> None:
    # Made here because SQLite would give it the mode that the umask allows, and gives its
    # companions (-wal, -shm) the mode of the file. An existing file is not opened: closing any
    # descriptor of it would drop the locks that this process holds on it (POSIX advisory locks).
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE_FILE)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, _PRIVATE_FILE)
    finally:
        os.close(descriptor)
