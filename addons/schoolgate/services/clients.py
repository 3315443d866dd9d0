"""Who asks: the client at an address, as the policy in force sees it."""

import time
from collections.abc import Callable

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.identity import UNKNOWN, Identity
from schoolgate.core.policy import Policy
from schoolgate.core.prefixes import client_address

# More addresses than a school has; a client that goes through its /64 must not fill the memory.
_REMEMBERED = 65_536

# From an address and seconds since 1970 to who is there; as `identity.Directory.identify`.
type Identify = Callable[[str, float], Identity]


def _nobody(_address: str, _at: float) -> Identity:
    return UNKNOWN


class Clients:
    """Gives the client at an address; belongs to one thread.

    Somebody of whom nobody says a group that the policy has is in its default group, the strictest.

    Args:
        identify: says who is where; without it everybody is a stranger.
        now: gives seconds since 1970.
    """

    def __init__(self, identify: Identify = _nobody, now: Callable[[], float] = time.time) -> None:
        self._identify = identify
        self._now = now
        self._known: dict[str, tuple[Identity, Policy, Client]] = {}

    def at(self, address: str, policy: Policy) -> Client:
        """Give the client at an address; what is no address is a stranger's."""
        identity = self._identify(address, self._now())
        known = self._known.get(address)
        if known is not None and known[0] is identity and known[1] is policy:
            return known[2]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        client = client_of(identity, address, policy)
        self._known[address] = identity, policy, client
        return client


def client_of(identity: Identity, address: str, policy: Policy) -> Client:
    """Give the client that an identity stands for in a policy."""
    try:
        plain = client_address(address)
    except BadAddressError:
        plain = ""
    known_kind = identity.device_kind in policy.devices
    return Client(
        plain,
        identity.group if identity.group in policy.groups else policy.default_group,
        identity.user,
        identity.device,
        identity.network,
        identity.device_kind if known_kind else "",
        frozenset(group for group in identity.also if group in policy.groups),
    )
