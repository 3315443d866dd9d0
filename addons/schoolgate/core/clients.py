"""Who asks: the client as the policy sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """A person's device at the moment of a request; what is not known is empty.

    Attributes:
        address: IP address, normalised text.
        group: id of the policy group that counts and is recorded, e.g. ``year-4``.
        user: sign-in name.
        device: id of a known device.
        network: id of a known network.
        device_kind: what the device is, e.g. ``school-mobile``.
        also: further groups, such as classes.
        is_synthetic: it is nobody: the gateway itself asks, to see whether it filters.
    """

    address: str
    group: str
    user: str = ""
    device: str = ""
    network: str = ""
    device_kind: str = ""
    also: frozenset[str] = frozenset()
    is_synthetic: bool = False
