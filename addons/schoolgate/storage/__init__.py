"""Keeps what people decided; knows core and the database, nothing else."""

from schoolgate.storage.approvals import ApprovalStore, Happening, Reading, Writing
from schoolgate.storage.audit import AuditTrail, TrailState
from schoolgate.storage.connections import is_there
from schoolgate.storage.database import open_database
from schoolgate.storage.decisions import DecisionStore
from schoolgate.storage.migrations import upgrade
from schoolgate.storage.outbox import Outbox, Waiting
from schoolgate.storage.watch import OverlayWatch

__all__ = [
    "ApprovalStore",
    "AuditTrail",
    "DecisionStore",
    "Happening",
    "Outbox",
    "OverlayWatch",
    "Reading",
    "TrailState",
    "Waiting",
    "Writing",
    "is_there",
    "open_database",
    "upgrade",
]
