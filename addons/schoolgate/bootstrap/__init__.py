"""Puts the parts together: the only package that names the concrete classes."""

from schoolgate.bootstrap.accounts import Account, Accounts
from schoolgate.bootstrap.gateway import (
    Gateway,
    audit_trail_if_any,
    open_store,
    overlay_if_any,
    upstream_bundle,
)
from schoolgate.bootstrap.jobs import (
    journal_of_late,
    open_approvals,
    open_mailing,
    open_reminding,
    work_through,
)
from schoolgate.bootstrap.people import client_at
from schoolgate.bootstrap.portal import end_with_parent, serve_portal
from schoolgate.bootstrap.rules import (
    curated_hosts,
    list_places,
    load_casebooks,
    load_engine,
    load_people_of,
    now,
)
from schoolgate.bootstrap.serving import Addresses, serve

__all__ = [
    "Account",
    "Accounts",
    "Addresses",
    "Gateway",
    "audit_trail_if_any",
    "client_at",
    "curated_hosts",
    "end_with_parent",
    "journal_of_late",
    "list_places",
    "load_casebooks",
    "load_engine",
    "load_people_of",
    "now",
    "open_approvals",
    "open_mailing",
    "open_reminding",
    "open_store",
    "overlay_if_any",
    "serve",
    "serve_portal",
    "upstream_bundle",
    "work_through",
]
