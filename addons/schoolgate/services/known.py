"""Who and what is known: all that people.yaml names, and who is signed in, as rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.people import Membership, People
from schoolgate.core.policy import Policy


class Kind(StrEnum):
    """What a row is about."""

    NETWORK = "network"
    PERSON = "person"
    DEVICE = "device"
    PEER = "WireGuard peer"
    SIGN_IN = "signed in"


@dataclass(frozen=True, slots=True)
class Known:
    """One that is known.

    Attributes:
        kind: what it is.
        name: by which it is known.
        said: what else is known of it.
        groups: titles of those it belongs to, the primary one first; empty for the strictest.
        subject: as a suspension names it; empty where it cannot be suspended.
        until: seconds since 1970 of a sign-in; None for what people.yaml says.
    """

    kind: Kind
    name: str
    said: str
    groups: tuple[str, ...]
    subject: str = ""
    until: float | None = None

    def holds(self, words: str) -> bool:
        """Ask whether some words stand in it, in whatever case."""
        text = " ".join((self.kind, self.name, self.said, *self.groups)).casefold()
        return all(word in text for word in words.casefold().split())


def known(policy: Policy, people: People, bindings: Iterable[Binding]) -> Iterator[Known]:
    """Give all that is known, sign-ins first.

    Args:
        policy: in whose groups.
        people: what people.yaml says.
        bindings: who is signed in on which device.
    """

    def groups(belongs: Membership) -> tuple[str, ...]:
        ids = [*([belongs.group] if belongs.group else []), *sorted(belongs.also)]
        return tuple(policy.groups[id_].title if id_ in policy.groups else id_ for id_ in ids)

    for binding in sorted(bindings, key=lambda binding: binding.user):
        where = " ".join(filter(None, (binding.address, binding.mac)))
        banned = ", banned" if binding.state is BindingState.BANNED else ""
        belongs = Membership(binding.group, binding.also)
        subject = f"user:{binding.user}"
        yield Known(
            Kind.SIGN_IN, binding.user, where + banned, groups(belongs), subject, binding.until
        )
    for name, belongs in sorted(people.people.items()):
        yield Known(Kind.PERSON, name, "", groups(belongs), f"user:{name}")
    for device in sorted(people.devices, key=lambda device: device.id):
        parts = (
            device.kind,
            *sorted(device.macs),
            *map(str, device.addresses),
            device.hostname,
            f"of {device.user}" if device.user else "",
        )
        said = ", ".join(filter(None, parts))
        yield Known(Kind.DEVICE, device.id, said, groups(device.membership), f"device:{device.id}")
    for peer in people.wireguard:
        name = peer.device or peer.user or peer.public_key
        parts = (
            peer.device_kind,
            *map(str, peer.allowed_ips),
            f"of {peer.user}" if peer.user else "",
        )
        subject = (
            f"device:{peer.device}" if peer.device else f"user:{peer.user}" if peer.user else ""
        )
        said = ", ".join(filter(None, parts))
        yield Known(Kind.PEER, name, said, groups(peer.membership), subject)
    for network in people.networks:
        said = ", ".join(map(str, network.ranges))
        yield Known(Kind.NETWORK, network.id, said, groups(network.membership))
