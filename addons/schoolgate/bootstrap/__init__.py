"""Puts the parts together: the only package that names the concrete classes."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schoolgate.bootstrap.accounts import Account, Accounts, members_if_any
    from schoolgate.bootstrap.backup import (
        BackedUp,
        Restored,
        back_up,
        restore,
        settings_to_restore,
    )
    from schoolgate.bootstrap.bundles import (
        centre_of,
        fetching_of,
        files_of_lists,
        files_of_policy,
        store_of,
    )
    from schoolgate.bootstrap.centre import (
        fingerprint_of_centre,
        ledger_of,
        repository_dir,
        serve_centre,
        trust_dir,
    )
    from schoolgate.bootstrap.clock import now
    from schoolgate.bootstrap.erasure import as_line, erase, kept_of, person_of
    from schoolgate.bootstrap.evidence import evidence_of, facts_of, write_evidence
    from schoolgate.bootstrap.examination import at_rest, blocked_sites
    from schoolgate.bootstrap.examination_trust import beyond
    from schoolgate.bootstrap.figures import Concern, record_of, report_of
    from schoolgate.bootstrap.gateway import Gateway, upstream_bundle
    from schoolgate.bootstrap.gathering import gather, sources_of
    from schoolgate.bootstrap.jobs import (
        journal_of_late,
        mail_faults,
        open_approvals,
        open_mailing,
    )
    from schoolgate.bootstrap.jobs_post import bundle_keeper, journal_keeper, work_of
    from schoolgate.bootstrap.journal import held_if_any, keep_journal, open_journal
    from schoolgate.bootstrap.leaving import (
        Leaving,
        Removed,
        remove_school,
        schools_of,
        take_out_school,
    )
    from schoolgate.bootstrap.list_updates import surroundings_of
    from schoolgate.bootstrap.moving import look_before_moving, move
    from schoolgate.bootstrap.occupancy import occupied, whole
    from schoolgate.bootstrap.people import client_at
    from schoolgate.bootstrap.portal import end_with_parent, serve_portal, share_portal_figures
    from schoolgate.bootstrap.regular_reports import regular_report
    from schoolgate.bootstrap.reminding import Reminding
    from schoolgate.bootstrap.rules import (
        curated_hosts,
        list_places,
        load_casebooks,
        load_engine,
        load_people_of,
        load_policy_of,
        locked_place,
    )
    from schoolgate.bootstrap.serving import Addresses, serve
    from schoolgate.bootstrap.store import (
        audit_trail_if_any,
        open_audit_trail,
        open_holds,
        open_incidents,
        open_pinning,
        open_store,
        overlay_if_any,
    )
    from schoolgate.bootstrap.trust_health import TrustHealth, health_of
    from schoolgate.bootstrap.trust_portal import admit, passwords_file
    from schoolgate.bootstrap.tunnels import DevicesAtHome
    from schoolgate.bootstrap.webhooks import webhook_keepers

__all__ = [
    "Account",
    "Accounts",
    "Addresses",
    "BackedUp",
    "Concern",
    "DevicesAtHome",
    "Gateway",
    "Leaving",
    "Reminding",
    "Removed",
    "Restored",
    "TrustHealth",
    "admit",
    "as_line",
    "at_rest",
    "audit_trail_if_any",
    "back_up",
    "beyond",
    "blocked_sites",
    "bundle_keeper",
    "centre_of",
    "client_at",
    "curated_hosts",
    "end_with_parent",
    "erase",
    "evidence_of",
    "facts_of",
    "fetching_of",
    "files_of_lists",
    "files_of_policy",
    "fingerprint_of_centre",
    "gather",
    "health_of",
    "held_if_any",
    "journal_keeper",
    "journal_of_late",
    "keep_journal",
    "kept_of",
    "ledger_of",
    "list_places",
    "load_casebooks",
    "load_engine",
    "load_people_of",
    "load_policy_of",
    "locked_place",
    "look_before_moving",
    "mail_faults",
    "members_if_any",
    "move",
    "now",
    "occupied",
    "open_approvals",
    "open_audit_trail",
    "open_holds",
    "open_incidents",
    "open_journal",
    "open_mailing",
    "open_pinning",
    "open_store",
    "overlay_if_any",
    "passwords_file",
    "person_of",
    "record_of",
    "regular_report",
    "remove_school",
    "report_of",
    "repository_dir",
    "restore",
    "schools_of",
    "serve",
    "serve_centre",
    "serve_portal",
    "settings_to_restore",
    "share_portal_figures",
    "sources_of",
    "store_of",
    "surroundings_of",
    "take_out_school",
    "trust_dir",
    "upstream_bundle",
    "webhook_keepers",
    "whole",
    "work_of",
    "write_evidence",
]

# Each part is loaded with the first of its names (PEP 562): a command must not wait for all.
_PARTS = {
    "accounts": (
        "Account",
        "Accounts",
        "members_if_any",
    ),
    "backup": (
        "BackedUp",
        "Restored",
        "back_up",
        "restore",
        "settings_to_restore",
    ),
    "bundles": (
        "centre_of",
        "fetching_of",
        "files_of_lists",
        "files_of_policy",
        "store_of",
    ),
    "centre": (
        "fingerprint_of_centre",
        "ledger_of",
        "repository_dir",
        "serve_centre",
        "trust_dir",
    ),
    "clock": ("now",),
    "erasure": ("as_line", "erase", "kept_of", "person_of"),
    "evidence": ("evidence_of", "facts_of", "write_evidence"),
    "examination": ("at_rest", "blocked_sites"),
    "examination_trust": ("beyond",),
    "figures": ("Concern", "record_of", "report_of"),
    "gateway": ("Gateway", "upstream_bundle"),
    "jobs": (
        "journal_of_late",
        "mail_faults",
        "open_approvals",
        "open_mailing",
    ),
    "jobs_post": ("bundle_keeper", "journal_keeper", "work_of"),
    "journal": ("held_if_any", "keep_journal", "open_journal"),
    "leaving": ("Leaving", "Removed", "remove_school", "schools_of", "take_out_school"),
    "list_updates": ("surroundings_of",),
    "moving": ("look_before_moving", "move"),
    "occupancy": (
        "occupied",
        "whole",
    ),
    "people": ("client_at",),
    "portal": (
        "end_with_parent",
        "serve_portal",
        "share_portal_figures",
    ),
    "reminding": ("Reminding",),
    "rules": (
        "curated_hosts",
        "list_places",
        "load_casebooks",
        "load_engine",
        "load_people_of",
        "load_policy_of",
        "locked_place",
    ),
    "serving": (
        "Addresses",
        "serve",
    ),
    "store": (
        "audit_trail_if_any",
        "open_audit_trail",
        "open_holds",
        "open_incidents",
        "open_pinning",
        "open_store",
        "overlay_if_any",
    ),
    "regular_reports": ("regular_report",),
    "gathering": ("gather", "sources_of"),
    "webhooks": ("webhook_keepers",),
    "trust_portal": ("admit", "passwords_file"),
    "trust_health": ("TrustHealth", "health_of"),
    "tunnels": ("DevicesAtHome",),
}
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PART_OF:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_PART_OF[name]}"), name)
