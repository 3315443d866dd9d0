"""Who signed in on which device: what the sign-in page makes, the store keeps and workers follow."""

from dataclasses import dataclass
from enum import StrEnum


class BindingState(StrEnum):
    """What became of a binding."""

    IN_FORCE = "in force"
    ENDED = "ended"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Binding:
    """That a person is at an address or device for a while.

    Attributes:
        id: of the binding.
        user: sign-in name in its one form.
        group: id of the primary policy group.
        also: further groups.
        address: from which the person signed in, in its one form.
        mac: of the device there, when it was known; then the binding is the device's.
        since: seconds since 1970.
        until: seconds since 1970.
        state: ended and banned ones are kept for the record.
    """

    id: str
    user: str
    group: str
    also: frozenset[str]
    address: str
    mac: str
    since: float
    until: float
    state: BindingState = BindingState.IN_FORCE
