"""The register of declarations: who signs, who has signed, and who has not yet (W-8, H-11.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schoolgate.core.approvals import Signature
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import Membership, People, sign_in_name
from schoolgate.core.policy import Declaration, Policy, with_groups_around


class Register(Protocol):
    """Where signatures are kept, each with its audit entry in one transaction."""

    def sign(self, person: str, version: str, actor: str, *, now: datetime) -> Signature:
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

    Raises:
        RefusedError: when the policy has no declaration, or the person has signed already.
    """
    wanted = version or declaration_of(policy).version
    return register.sign(known_person(person, people), wanted, actor, now=now)


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


def standing(policy: Policy, people: People, signatures: Iterable[Signature]) -> Iterator[Line]:
    """Give the register, and then those of people.yaml who are to sign and have not.

    Whom only a directory or RADIUS names is not known here before the first signature.
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
    for person in sorted(_who_signs(policy, declaration, people) - signed):
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


def _who_signs(policy: Policy, declaration: Declaration, people: People) -> set[str]:
    named: list[tuple[str, Membership]] = [
        *people.people.items(),
        *((device.user, device.membership) for device in people.devices),
        *((peer.user, peer.membership) for peer in people.wireguard),
    ]
    return {
        person
        for person, belongs in named
        if person
        and not declaration.groups.isdisjoint(
            with_groups_around(policy.groups, (belongs.group, *belongs.also))
        )
    }
