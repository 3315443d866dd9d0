"""Who asks: the client at an address, or signed in there, as the policy in force sees it."""

import time
from collections.abc import Callable
from dataclasses import replace

from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.identity import UNKNOWN, Claim, Identity
from schoolgate.core.policy import Policy
from schoolgate.core.prefixes import client_address
from schoolgate.identity import SignedIn

# More addresses than a school has; a client that goes through its /64 must not fill the memory.
_REMEMBERED = 65_536

# From an address, seconds since 1970 and what was proved on the connection to who is there; as
# `identity.Directory.identify`.
# A round of the self-test takes seconds; more at once than it has clients are not meant.
_SYNTHETIC_SECONDS = 300.0
_MOST_SYNTHETIC = 4_096
type Identify = Callable[[str, float, Claim | None], Identity]


def _nobody(_address: str, _at: float, _claim: Claim | None) -> Identity:
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
        self._known: dict[str | tuple[str, str], tuple[Identity, Policy, Client]] = {}
        self._synthetic: dict[str, tuple[float, Identity]] = {}

    def introduce(self, address: str, group: str, network: str) -> None:
        """Take an address for one at which the gateway itself asks, as somebody of a group would.

        Args:
            address: made up for this and told to nobody; it counts for some minutes.
            group: id of the policy's.
            network: id of the policy's; "" for none that is known.
        """
        until = self._now() + _SYNTHETIC_SECONDS
        known = self._synthetic.get(address)
        identity = Identity(group=group, network=network)
        if known is not None and known[1] == identity:
            identity = known[1]
        self._synthetic.pop(address, None)
        while len(self._synthetic) >= _MOST_SYNTHETIC:
            del self._synthetic[next(iter(self._synthetic))]
        self._synthetic[address] = until, identity

    def at(self, address: str, policy: Policy, signed_in: SignedIn | None = None) -> Client:
        """Give the client at an address; what is no address is a stranger's.

        Args:
            address: from which it comes.
            policy: in whose groups.
            signed_in: who is on its connection.
        """
        synthetic = self._synthetic.get(address) if self._synthetic else None
        if synthetic is not None and self._now() < synthetic[0]:
            return self._kept(address, synthetic[1], address, policy)
        claim = signed_in.claim if signed_in is not None else None
        identity = self._identify(address, self._now(), claim)
        key = address if claim is None else (address, claim.user)
        return self._kept(key, identity, address, policy)

    def _kept(
        self, key: str | tuple[str, str], identity: Identity, address: str, policy: Policy
    ) -> Client:
        known = self._known.get(key)
        if known is not None and known[0] is identity and known[1] is policy:
            return known[2]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        client = client_of(identity, address, policy)
        if address in self._synthetic:
            client = replace(client, is_synthetic=True)
        self._known[key] = identity, policy, client
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
