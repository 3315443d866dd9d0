"""What was last read of a store on a server, in files of this gateway: a replaced worker begins with it."""

import logging
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from schoolgate.core.approvals import Acceptance, Grant, Overlay, Suspension
from schoolgate.core.approvals.acceptances import Signed
from schoolgate.core.approvals.overlay import SiteBlock, Supervision
from schoolgate.core.bindings import Binding
from schoolgate.core.errors import StoreUnavailableError
from schoolgate.storage import (
    BindingTable,
    DecisionStore,
    is_postgresql,
    last_grant,
    open_database,
)
from schoolgate.storage.database import open_empty

logger = logging.getLogger(__name__)

_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class _Kept:
    """The fields of an overlay that are given; the others follow from them."""

    version: int
    grants: tuple[Grant, ...]
    suspensions: tuple[Suspension, ...]
    supervisions: tuple[Supervision, ...]
    blocks: tuple[SiteBlock, ...]
    acceptances: frozenset[Acceptance]
    signed: frozenset[Signed]


_OVERLAY = TypeAdapter(_Kept)
_BINDINGS = TypeAdapter(tuple[Binding, ...])


class LastState:
    """Two files, each replaced as a whole; any worker writes them, as all read the same.

    Args:
        directory: of the gateway's state.
    """

    def __init__(self, directory: Path) -> None:
        self._overlay = directory / "last-overlay.json"
        self._bindings = directory / "last-sign-ins.json"

    def keep_overlay(self, overlay: Overlay) -> None:
        """Keep grants, suspensions and what goes with them; what cannot be written is logged."""
        kept = _Kept(**{each.name: getattr(overlay, each.name) for each in fields(_Kept)})
        _write(self._overlay, _OVERLAY.dump_json(kept))

    def keep_bindings(self, bindings: Iterable[Binding]) -> None:
        """Keep who signed in on which device; what cannot be written is logged."""
        _write(self._bindings, _BINDINGS.dump_json(tuple(bindings)))

    def forget(self) -> None:
        """Remove both, as when somebody was erased; they are written again with the next change."""
        for place in (self._overlay, self._bindings):
            place.unlink(missing_ok=True)

    def overlay(self) -> Overlay | None:
        """Give what was kept; None where there is nothing that can be read."""
        kept = _read(self._overlay, _OVERLAY)
        if kept is None:
            return None
        return Overlay(**{each.name: getattr(kept, each.name) for each in fields(_Kept)})

    def bindings(self) -> tuple[Binding, ...]:
        """Give what was kept; nobody where there is nothing that can be read."""
        found: tuple[Binding, ...] | None = _read(self._bindings, _BINDINGS)
        return found or ()


@dataclass(frozen=True, slots=True)
class Opened:
    """The store as a worker begins with it.

    Attributes:
        database: opened; where the store is out of reach, nothing was asked of it yet.
        overlay: in force.
        bindings: who signed in on which device.
        last_grant: the highest number of a grant.
    """

    database: Engine
    overlay: Overlay
    bindings: tuple[Binding, ...]
    last_grant: int


def open_or_last(url: str, last: LastState, at: datetime) -> Opened:
    """Open the store; where a server is out of reach, begin with what was last read of it.

    Args:
        url: of the database.
        last: what was kept here.
        at: now, aware.

    Raises:
        UnavailableError: when it cannot be used, and it is a file, or nothing was kept.
    """
    try:
        database = open_database(url)
        return Opened(
            database,
            DecisionStore(database).overlay(at),
            tuple(BindingTable(database).since(at.timestamp())),
            last_grant(database),
        )
    except StoreUnavailableError as error:
        overlay = last.overlay() if is_postgresql(url) else None
        if overlay is None:
            raise
        logger.error("%s. What was last read of it is in force.", error)  # noqa: TRY400
        highest = max((grant.id for grant in overlay.grants), default=0)
        return Opened(open_empty(url), overlay, last.bindings(), highest)


def _write(place: Path, content: bytes) -> None:
    aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        aside.replace(place)
    except OSError as error:
        logger.error("%s is not kept: %s", place, error.strerror)  # noqa: TRY400


def _read(place: Path, kind: TypeAdapter[Any]) -> Any:
    try:
        return kind.validate_json(place.read_bytes(), strict=False)
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        logger.error("%s cannot be read", place)  # noqa: TRY400
        return None
