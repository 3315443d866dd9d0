"""Whom something that was decided by hand concerns."""

from dataclasses import dataclass
from enum import StrEnum

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.prefixes import client_address


class SubjectKind(StrEnum):
    """What a grant or a suspension is about."""

    EVERYONE = "everyone"
    GROUP = "group"
    USER = "user"
    DEVICE = "device"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a grant or a suspension concerns: ``group:staff``, ``user:abc``, ``client:10.0.0.7``."""

    kind: SubjectKind
    id: str = ""

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """Read ``everyone``, ``kind:id`` or a bare IP address.

        Raises:
            RefusedError: when it names nobody.
        """
        kind, colon, name = text.partition(":")
        if text == SubjectKind.EVERYONE:
            return cls(SubjectKind.EVERYONE)
        address = _address(text)
        if address:
            return cls(SubjectKind.CLIENT, address)
        kinds = [k.value for k in SubjectKind if k is not SubjectKind.EVERYONE]
        if not colon or kind not in kinds or not name:
            raise RefusedError(
                f"{text!r} names nobody: write everyone, an IP address, or one of "
                + ", ".join(f"{k}:ID" for k in kinds)
            )
        subject = SubjectKind(kind)
        if subject is SubjectKind.CLIENT:
            address = _address(name)
            if not address:
                raise RefusedError(f"{name!r} is not an IP address")
            name = address
        return cls(subject, name)

    @classmethod
    def nearest(cls, client: Client) -> "Subject":
        """Give the person of a client; where nobody is known the device, and else the address."""
        if client.user:
            return cls(SubjectKind.USER, client.user)
        if client.device:
            return cls(SubjectKind.DEVICE, client.device)
        return cls(SubjectKind.CLIENT, client.address)

    def __str__(self) -> str:
        """Give the form that `parse` reads."""
        return f"{self.kind}:{self.id}" if self.id else self.kind.value

    def concerns(self, client: Client, groups: frozenset[str]) -> bool:
        """Ask whether a client is meant; ``groups`` are all it is in, with those around them."""
        match self.kind:
            case SubjectKind.EVERYONE:
                return True
            case SubjectKind.GROUP:
                return self.id in groups
            case SubjectKind.USER:
                return self.id == client.user != ""
            case SubjectKind.DEVICE:
                return self.id == client.device != ""
            case SubjectKind.CLIENT:
                return self.id == client.address


def _address(text: str) -> str:
    """Give an address as clients are known by it, or nothing."""
    try:
        return client_address(text)
    except BadAddressError:
        return ""
