"""Moves the database to another place, of either kind: nothing runs meanwhile, and every row is compared."""

from sqlalchemy import Connection

from schoolgate.bootstrap.occupancy import alone
from schoolgate.core.errors import RefusedError
from schoolgate.settings import Settings
from schoolgate.storage import is_postgresql, place_of
from schoolgate.storage.connections import sqlite_path
from schoolgate.storage.database import open_empty
from schoolgate.storage.moving import (
    Copied,
    Said,
    check_empty,
    copy_all,
    held,
    look_through,
    mark_half_moved,
)

# By which the portal's tables are known.
_OF_THE_PORTAL = "django_migrations"


def look_before_moving(settings: Settings, url: str) -> list[Copied]:
    """Go through what would be moved, and see that the target is empty; changes nothing.

    Raises:
        RefusedError: when something runs, or the target is not empty.
        UnavailableError: when a database cannot be used.
    """
    _check_other(settings, url)
    with alone(settings):
        if is_postgresql(url) or sqlite_path(url).exists():
            target = open_empty(url)
            try:
                check_empty(target)
            finally:
                target.dispose()
        with held(settings.database_url) as source:
            return look_through(source)


def move(settings: Settings, url: str, say: Said) -> list[Copied]:
    """Copy the database into an empty one, compare every row, and leave the source as it is.

    Args:
        settings: of this machine; they still name the source afterwards.
        url: of the target.
        say: told of each table and its rows when it was copied.

    Raises:
        RefusedError: when something runs, the target is not empty, or something differs.
        UnavailableError: when a database cannot be used; the target is marked as half-moved then.
    """
    _check_other(settings, url)
    with alone(settings), held(settings.database_url) as source:
        return copy_into(settings, source, url, say)


def copy_into(settings: Settings, source: Connection, url: str, say: Said) -> list[Copied]:
    """Copy a database that is held into an empty one, and compare every row.

    Args:
        settings: of this machine.
        source: as `storage.moving.held` gives it.
        url: of the target.
        say: told of each table and its rows when it was copied.

    Raises:
        RefusedError: when the target is not empty, or something differs.
        UnavailableError: when a database cannot be used; the target is marked as half-moved then.
    """
    target = open_empty(url)
    try:
        mark_half_moved(target)
        if source.dialect.has_table(source, _OF_THE_PORTAL):
            _make_tables_of_portal(settings, url)
        return copy_all(source, target, say)
    finally:
        target.dispose()


def _check_other(settings: Settings, url: str) -> None:
    if place_of(url) == place_of(settings.database_url):
        raise RefusedError(f"{place_of(url)} is the database that is to be moved: name another one")


def _make_tables_of_portal(settings: Settings, url: str) -> None:
    from schoolgate.portal.application import make_tables  # noqa: PLC0415 - Django is dear to load

    make_tables(settings.model_copy(update={"database": url}))
