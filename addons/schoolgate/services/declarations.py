"""The register of declarations: who signs, who has signed, and who has not yet (W-8, H-11.3)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from schoolgate.core.approvals import Signature
from schoolgate.core.approvals.requests import LONGEST_LINE, checked_text
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import Membership, People, sign_in_name
from schoolgate.core.policy import Declaration, Policy, with_groups_around


class Register(Protocol):
    """Where signatures are kept, each with its audit entry in one transaction."""

    def sign(
        self,
        person: str,
        version: str,
        actor: str,
        *,
        now: datetime,
        words: Mapping[str, str] | None = None,
    ) -> Signature:
        """Keep that somebody has signed."""

    def withdraw_signature(
        self, person: str, version: str, actor: str, reason: str, *, now: datetime
    ) -> None:
        """Keep that a signature does not count."""


@dataclass(frozen=True, slots=True)
class Line:
    """A person of the register, or one who is missing in it.

    Attributes:
        person: sign-in name.
        version: that was signed; that is to be signed where none was.
        signed_at: when; None where nothing was signed.
        state: in words.
    """

    person: str
    version: str
    signed_at: datetime | None
    state: str


def declaration_of(policy: Policy) -> Declaration:
    """Give the declaration of a policy.

    Raises:
        RefusedError: when it has none.
    """
    if policy.declaration is None:
        raise RefusedError(f"the policy {policy.id} asks for no declaration: see 'declaration:'")
    return policy.declaration


def sign(
    register: Register,
    policy: Policy,
    people: People,
    person: str,
    version: str | None,
    *,
    actor: str,
    now: datetime,
    signature: str = "",
) -> Signature:
    """Put down that somebody has signed.

    Args:
        register: where it is kept.
        policy: whose declaration.
        people: how names are spelt here.
        person: sign-in name.
        version: None for the one in force.
        actor: who puts it down.
        now: when, aware.
        signature: the name that the person typed below it; empty where it was signed on paper. The
            audit trail keeps it, and of what the person saw a hash.

    Raises:
        RefusedError: when the policy has no declaration, the person has signed already, or what was
            typed is no name.
    """
    wanted = version or declaration_of(policy).version
    words = {}
    if signature:
        seen = hashlib.sha256("\n".join(wording(policy)).encode()).hexdigest()
        words = {"signature": checked_text(signature, "your name", LONGEST_LINE), "text": seen}
    return register.sign(known_person(person, people), wanted, actor, now=now, words=words)


def wording(policy: Policy) -> tuple[str, ...]:
    """Give what is signed, in paragraphs.

    Raises:
        RefusedError: when the policy has no declaration.
    """
    usual = (
        f"I have read the policy of {policy.school} ({policy.document}) and what the school filters "
        "and monitors, and I will keep to it."
    )
    return declaration_of(policy).text or (usual,)


def withdraw(
    register: Register,
    policy: Policy,
    people: People,
    person: str,
    version: str | None,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Put down that a signature does not count; arguments as `sign`.

    Raises:
        RefusedError: when there is none, or no reason.
    """
    wanted = version or declaration_of(policy).version
    register.withdraw_signature(known_person(person, people), wanted, actor, reason, now=now)


def standing(
    policy: Policy,
    people: People,
    signatures: Iterable[Signature],
    others: Mapping[str, Membership] = MappingProxyType({}),
) -> Iterator[Line]:
    """Give the register, and then those who are to sign and have not.

    Whom only a directory or RADIUS names is not known here before the first signature.

    Args:
        policy: whose declaration.
        people: whom people.yaml names.
        signatures: that were given.
        others: sign-in name → groups of those who have an account.
    """
    declaration = declaration_of(policy)
    signed: set[str] = set()
    for each in signatures:
        counts = each.withdrawn_at is None
        is_current = each.version == declaration.version
        if counts and is_current:
            signed.add(each.person)
        state = "signed" if is_current else "signed an earlier one"
        yield Line(each.person, each.version, each.signed_at, state if counts else "withdrawn")
    for person in sorted(_who_signs(policy, people, others) - signed):
        yield Line(person, declaration.version, None, "not signed")


def known_person(name: str, people: People) -> str:
    """Give a sign-in name in the form in which clients are known by it.

    Raises:
        RefusedError: when nothing is left of it.
    """
    person = sign_in_name(name, people.sign_in.domains)
    if not person:
        raise RefusedError("name the person by their sign-in name")
    return person


def is_asked(policy: Policy, belongs: Membership) -> bool:
    """Ask whether somebody of these groups is to sign."""
    around = with_groups_around(policy.groups, (belongs.group, *belongs.also))
    return not declaration_of(policy).groups.isdisjoint(around)


def _who_signs(policy: Policy, people: People, others: Mapping[str, Membership]) -> set[str]:
    named: list[tuple[str, Membership]] = [
        *others.items(),
        *people.people.items(),
        *((device.user, device.membership) for device in people.devices),
        *((peer.user, peer.membership) for peer in people.wireguard),
    ]
    return {person for person, belongs in named if person and is_asked(policy, belongs)}
