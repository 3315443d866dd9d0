"""How what a gateway has of its trust, and the other of its pair, stand; each says who can put it right.

None of it keeps anything from being filtered, so that a trouble is a note.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from schoolgate.bundles.manifest import Manifest
from schoolgate.bundles.store import Status
from schoolgate.services.kept_requests import KeptState
from schoolgate.services.probing import Finding
from schoolgate.storage.server_state import ServerState

# The looks of a gateway are a quarter more or less apart.
_LATE_LOOKS = 3.0
# A certificate is renewed at half of its time; from here on that has failed for long.
_RENEWED_LATE = 0.75
_CENTRAL_IT = "central IT can put it right"


def bundles(
    found: Manifest | None, status: Status, every_seconds: float, now: datetime
) -> Iterator[Finding]:
    """Say which bundle is in force, how old it is, and how the last fetch ended.

    Args:
        found: the manifest of the one in force; None for none.
        status: how fetching goes.
        every_seconds: between two looks.
        now: aware.
    """
    if found is None:
        said = "none of the trust's is in force: 'schoolgate bundle fetch' says why"
        yield Finding("bundle", True, said, is_note=True)
    else:
        yield _in_force(found, now)
    if status.held:
        said = f"rolled back here: nothing is taken until something newer than version {status.held} comes"
        yield Finding("bundle", True, said, is_note=True)
    if status.failures:
        since = f"since {status.succeeded}" if status.succeeded else "and it never succeeded"
        said = (
            f"failed {status.failures} times {since}: {status.fault}; {_CENTRAL_IT} where other schools "
            "have the same, else whoever looks after this gateway (docs/monitoring.md, SchoolgateBundleFails)"
        )
        yield Finding("fetching bundles", True, said, is_note=True)
    elif _is_late(status, every_seconds, now):
        said = (
            f"nobody has since {status.tried or 'ever'}: whoever looks after this gateway starts "
            "'schoolgate run' or 'schoolgate jobs'"
        )
        yield Finding("fetching bundles", True, said, is_note=True)


def _in_force(found: Manifest, now: datetime) -> Finding:
    age = (now - found.made).days
    said = f"version {found.version} (bundle {found.bundle}) is in force, let out {age} days ago"
    if now < found.expires:
        return Finding("bundle", True, f"{said}, good for {(found.expires - now).days} more")
    said += (
        f"; it ended on {found.expires:%Y-%m-%d} and stays in force: {_CENTRAL_IT} by a newer one"
    )
    return Finding("bundle", True, said, is_note=True)


def _is_late(status: Status, every_seconds: float, now: datetime) -> bool:
    if not status.tried:
        return True
    late = timedelta(seconds=_LATE_LOOKS * every_seconds)
    return now - datetime.fromisoformat(status.tried) > late


def not_enrolled() -> Finding:
    """Say that this gateway has no identity at its trust's centre."""
    said = (
        "not enrolled: central IT makes a token ('schoolgate trust gateway token'), then run "
        "'schoolgate enrol' here"
    )
    return Finding("enrolment", True, said, is_note=True)


def certificate(begins: datetime, ends: datetime, now: datetime) -> Finding:
    """Say until when this gateway's certificate is good, and whether it is renewed in time."""
    if now >= ends:
        said = (
            f"the certificate ended on {ends:%Y-%m-%d}, and the centre knows this gateway no more: "
            "central IT makes a token, then run 'schoolgate enrol' here"
        )
        return Finding("enrolment", True, said, is_note=True)
    said = f"the certificate is good for {(ends - now).days} days"
    if now - begins > _RENEWED_LATE * (ends - begins):
        said += (
            "; it should have renewed itself long ago: whoever looks after this gateway runs "
            "'schoolgate bundle fetch', which says what keeps it from that"
        )
        return Finding("enrolment", True, said, is_note=True)
    return Finding("enrolment", True, f"{said}; it renews itself")


def centre(url: str, trouble: str) -> Finding:
    """Say whether the centre answers and knows this gateway.

    Args:
        url: of the centre.
        trouble: what came instead; empty where all is well.
    """
    if not trouble:
        return Finding("centre", True, f"{url} answers and knows this gateway")
    said = f"{trouble} {_CENTRAL_IT}, unless the school's own line is down; filtering goes on"
    return Finding("centre", True, said[0].upper() + said[1:], is_note=True)


def pair(*, is_held: bool, has_keepalived: bool) -> Finding:
    """Say whether this gateway of a pair has the shared addresses, and who moves them."""
    said = "has the shared address" if is_held else "stands by: the other has the shared address"
    if not has_keepalived:
        said = (
            f"{'has the shared address' if is_held else 'does not have the shared address'} and keepalived "
            "does not run, so that nobody moves it: 'systemctl start keepalived', by whoever looks after "
            "this gateway (docs/pair.md)"
        )
    return Finding("pair", True, f"this gateway {said}", is_note=not has_keepalived)


def leaf(name: str, messages: int, takers: int) -> Finding:
    """Say how the stream of a leaf node stands.

    Args:
        name: of the receiver.
        messages: that it keeps; what the centre has taken stays for as long as the settings say.
        takers: how many take from it: the centre is one while the line is there.
    """
    said = f"the leaf answers and keeps {messages:,} messages"
    if takers:
        return Finding(f"receiver {name}", True, f"{said}; the centre takes from it")
    said += (
        "; nobody takes from it, and they wait there: the line to the centre is down, or central IT has to "
        "name this gateway ('schoolgate trust sources')"
    )
    return Finding(f"receiver {name}", True, said, is_note=True)


def no_leaf(name: str, trouble: str) -> Finding:
    """Say that a leaf node does not answer."""
    said = (
        f"{trouble}: the journal waits on this disk; whoever looks after this gateway starts nats-server "
        "or mends its address and password (docs/trust.md)"
    )
    return Finding(f"receiver {name}", True, said, is_note=True)


def server(state: ServerState) -> Finding:
    """Say how the database server stands."""
    most = f" of {state.most}" if state.most >= 0 else ""
    said = (
        f"PostgreSQL {state.version}, schema {state.schema}, {state.connections} connections{most}"
    )
    keeper = "whoever keeps the database server"
    if state.is_copy:
        said += (
            f"; a copy that can be read alone: decisions wait until {keeper} has the first one back"
        )
    elif state.most >= 0 and state.connections > 0.9 * state.most:
        said += f"; nearly all that its role may have: {keeper} raises its limit"
    else:
        return Finding("database server", True, said)
    return Finding("database server", True, said, is_note=True)


def kept(state: KeptState, now: datetime) -> Iterator[Finding]:
    """Say which requests wait on this gateway for the store; nothing where none does."""
    if state.since is not None:
        minutes = max(0.0, now.timestamp() - state.since) / 60
        said = (
            f"{state.waiting} wait on this gateway, the oldest for {minutes:.0f} minutes: they are sent when "
            "the database is back and the portal runs"
        )
        yield Finding("kept requests", True, said, is_note=True)
    if state.unreadable:
        said = (
            f"{state.unreadable} cannot be read (kept-requests/*.unreadable in the state directory): whoever "
            "asked has to ask again"
        )
        yield Finding("kept requests", True, said, is_note=True)
