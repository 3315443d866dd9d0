"""The audit trail as a chain: each entry carries the hash of the one before.

What is hashed holds no name and no text: people stand in it by pseudonyms, and what was written by a
commitment, the hash of it with a random salt. Names, texts and salts are kept beside it. So a lawful
erasure deletes those, and the chain can still be verified; and without the salt nobody can find out
by trying whether a text was the one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry, as it is hashed.

    Attributes:
        id: 1, 2, 3 and so on, without a gap.
        at: when, aware.
        actor: pseudonym of who did it.
        action: what was done, e.g. ``request.approved``.
        subject: pseudonym of whom or what it concerns.
        commitment: to the names and texts that are kept beside it.
        previous: hash of the entry before.
        hash: of all these.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    commitment: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What is kept beside an entry and may be erased: the salt and what it commits to."""

    salt: str
    content: Mapping[str, Any]


def commitment(beside: Beside) -> str:
    """Give the hash that stands for names and texts."""
    return _sha256([beside.salt, beside.content])


def sealed(
    number: int, at: datetime, actor: str, action: str, subject: str, committed: str, previous: str
) -> AuditEntry:
    """Give an entry with its hash; arguments as the attributes of `AuditEntry`."""
    at = at.astimezone(UTC)
    own = _sha256([number, _instant(at), actor, action, subject, committed, previous])
    return AuditEntry(number, at, actor, action, subject, committed, previous, own)


def broken_at(
    entries: Iterable[tuple[AuditEntry, Beside | None]], count: int, head: str
) -> str | None:
    """Say where a chain is broken, or None where it is whole.

    Args:
        entries: in their order, each with what is kept beside it, None where that was erased.
        count: how many there should be.
        head: hash of the last one.
    """
    previous, number = FIRST, 0
    for number, (entry, beside) in enumerate(entries, start=1):
        if entry.id != number:
            return f"entry {number} is missing"
        if entry.previous != previous:
            return f"entry {number} does not follow the one before"
        told = (entry.actor, entry.action, entry.subject, entry.commitment, entry.previous)
        if sealed(number, entry.at, *told).hash != entry.hash:
            return f"entry {number} was changed"
        if beside is not None and commitment(beside) != entry.commitment:
            return f"the names or texts of entry {number} were changed"
        previous = entry.hash
    if number != count or previous != head:
        return f"there are {number} entries, and should be {count}"
    return None


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _sha256(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
