"""Keeps what people decided; knows core and the database, nothing else."""

from schoolgate.storage.approvals import ApprovalStore, Happening, Reading, Writing
from schoolgate.storage.audit import AuditTrail, TrailState
from schoolgate.storage.bindings import BindingTable
from schoolgate.storage.connections import is_postgresql, is_there, place_of, sqlite_path
from schoolgate.storage.database import open_database
from schoolgate.storage.decisions import DecisionStore
from schoolgate.storage.digests import Digests
from schoolgate.storage.figures import Figures, granted_after, last_grant
from schoolgate.storage.incidents import Audience, IncidentStore
from schoolgate.storage.journal_holds import JournalHold, JournalHolds
from schoolgate.storage.migrations import upgrade
from schoolgate.storage.outbox import Outbox, OutboxState, Waiting
from schoolgate.storage.pinning import PinningTable
from schoolgate.storage.stream_accounts import StreamAccounts
from schoolgate.storage.watch import BindingWatch, OverlayWatch

__all__ = [
    "ApprovalStore",
    "Audience",
    "AuditTrail",
    "BindingTable",
    "BindingWatch",
    "DecisionStore",
    "Digests",
    "Figures",
    "Happening",
    "IncidentStore",
    "JournalHold",
    "JournalHolds",
    "Outbox",
    "OutboxState",
    "OverlayWatch",
    "PinningTable",
    "Reading",
    "StreamAccounts",
    "TrailState",
    "Waiting",
    "Writing",
    "granted_after",
    "is_postgresql",
    "is_there",
    "last_grant",
    "open_database",
    "place_of",
    "sqlite_path",
    "upgrade",
]
