"""The database of this machine: opened, or not made where nothing was ever kept."""

from schoolgate.bootstrap.clock import now
from schoolgate.core.approvals import Overlay
from schoolgate.settings import Settings
from schoolgate.storage import (
    AuditTrail,
    DecisionStore,
    IncidentStore,
    JournalHolds,
    PinningTable,
    is_there,
    open_database,
)


def open_store(settings: Settings) -> DecisionStore:
    """Open the store of decisions, made on first use.

    Raises:
        UnavailableError: when it cannot be used.
    """
    return DecisionStore(open_database(settings.database_url))


def open_pinning(settings: Settings) -> PinningTable:
    """Open what is known of programs that trust no certificate of the gateway's, made on first use.

    Raises:
        UnavailableError: when it cannot be used.
    """
    return PinningTable(open_database(settings.database_url))


def open_incidents(settings: Settings) -> IncidentStore:
    """Open alerts and incidents, made on first use.

    Raises:
        UnavailableError: when they cannot be used.
    """
    return IncidentStore(open_database(settings.database_url))


def open_audit_trail(settings: Settings) -> AuditTrail:
    """Open the audit trail, made on first use.

    Raises:
        UnavailableError: when it cannot be used.
    """
    return AuditTrail(open_database(settings.database_url))


def open_holds(settings: Settings) -> JournalHolds:
    """Open what of the journal is held as evidence, made on first use.

    Raises:
        UnavailableError: when it cannot be used.
    """
    return JournalHolds(open_database(settings.database_url))


def overlay_if_any(settings: Settings) -> Overlay:
    """Give grants and suspensions, or none where nothing was ever kept; makes no files.

    Raises:
        UnavailableError: when there is a store that cannot be used.
    """
    if not is_there(settings.database_url):
        return Overlay()
    return open_store(settings).overlay(now())


def audit_trail_if_any(settings: Settings) -> AuditTrail | None:
    """Give the audit trail, or None where nothing was ever kept; makes no files.

    Raises:
        UnavailableError: when there is a store that cannot be used.
    """
    if not is_there(settings.database_url):
        return None
    return AuditTrail(open_database(settings.database_url))
