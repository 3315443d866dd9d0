"""Binds a device to a person for a while: what the sign-in page does once it knows who it is."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hardware import mac_or_nothing
from schoolgate.core.prefixes import client_address
from schoolgate.identity.answers import Answer

_SHORTEST_SECONDS = 60.0


class BindingStore(Protocol):
    """Where bindings are kept; each call is one transaction."""

    def put(self, binding: Binding) -> None:
        """Keep a new binding, or the new state of one with the same id."""

    def get(self, binding_id: str) -> Binding | None:
        """Give one, in whatever state."""

    def since(self, at: float) -> Sequence[Binding]:
        """Give every binding that ends after some time, in whatever state."""


class SignIns:
    """Makes, prolongs, ends and lists bindings."""

    def __init__(
        self, store: BindingStore, longest_seconds: float, now: Callable[[], float]
    ) -> None:
        """Keep them in a store; ``now`` gives seconds since 1970."""
        self._store = store
        self.longest_seconds = longest_seconds
        self._now = now

    def create(self, who: Answer, address: str, mac: str = "", seconds: float = 0) -> Binding:
        """Bind the device at an address to a person who has just proved who they are.

        Whoever was bound there before is signed out: a device has one person at a time.

        Args:
            who: an accepted answer.
            address: from which the person signed in.
            mac: of the device there (`Directory.hardware`), when it is known: then the binding
                follows the device through all its addresses.
            seconds: how long; the longest allowed when it is 0 or more than that.

        Raises:
            RefusedError: when nobody was proved, the address is none, or the device is banned.
        """
        if not who.accepted or not who.user:
            raise RefusedError("Nobody has signed in.")
        try:
            place = client_address(address)
        except BadAddressError as error:
            raise RefusedError("The address of this device is not known.") from error
        now = self._now()
        hardware = mac_or_nothing(mac)
        for other in self._at(place, hardware, now):
            if other.state is BindingState.BANNED:
                raise RefusedError("Signing in on this device is not allowed at present.")
            self._store.put(replace(other, state=BindingState.ENDED, until=now))
        binding = Binding(
            id=secrets.token_hex(8),
            user=who.user,
            group=who.group,
            also=who.also,
            address=place,
            mac=hardware,
            since=now,
            until=now + self._bounded(seconds),
        )
        self._store.put(binding)
        return binding

    def extend(self, binding_id: str, seconds: float = 0) -> Binding:
        """Let a binding last longer, counted from now.

        Raises:
            RefusedError: when it is not in force.
        """
        binding = self._in_force(binding_id)
        longer = replace(binding, until=self._now() + self._bounded(seconds))
        self._store.put(longer)
        return longer

    def end(self, binding_id: str) -> None:
        """Sign out.

        Raises:
            RefusedError: when it is not in force.
        """
        binding = self._in_force(binding_id)
        self._store.put(replace(binding, state=BindingState.ENDED, until=self._now()))

    def ban(self, binding_id: str, until: float) -> Binding:
        """Take away what a binding gives, and refuse another on the device until then.

        Raises:
            RefusedError: when it is not in force, or the time has passed.
        """
        binding = self._in_force(binding_id)
        if until <= self._now():
            raise RefusedError("The end of a ban lies in the future.")
        banned = replace(binding, state=BindingState.BANNED, until=until)
        self._store.put(banned)
        return banned

    def current(self) -> tuple[Binding, ...]:
        """Give every binding that counts at this moment, the banned ones too."""
        now = self._now()
        return tuple(
            binding
            for binding in self._store.since(now)
            if binding.state is not BindingState.ENDED and binding.until > now
        )

    def _at(self, address: str, mac: str, now: float) -> list[Binding]:
        """Give what is bound to a device, or to its address where the device is not known."""
        return [
            binding
            for binding in self._store.since(now)
            if binding.state is not BindingState.ENDED
            and binding.until > now
            and (binding.mac == mac if mac and binding.mac else binding.address == address)
        ]

    def _in_force(self, binding_id: str) -> Binding:
        binding = self._store.get(binding_id)
        if binding is None or binding.until <= self._now():
            raise RefusedError("This sign-in has ended.")
        if binding.state is not BindingState.IN_FORCE:
            raise RefusedError(f"This sign-in is {binding.state}.")
        return binding

    def _bounded(self, seconds: float) -> float:
        wanted = seconds if seconds > 0 else self.longest_seconds
        return min(max(wanted, _SHORTEST_SECONDS), self.longest_seconds)
