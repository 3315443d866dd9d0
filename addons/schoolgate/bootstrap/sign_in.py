"""Signing in to the proxy, in one process: what checks passwords and tickets, by people.yaml."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.people import LdapSettings, People, SignInSettings
from schoolgate.identity import KerberosAcceptor, ProxyAuthentication
from schoolgate.settings import Settings

if TYPE_CHECKING:
    from schoolgate.identity.ldap import LdapDirectory


class SignIn:
    """One way in which people sign in to the proxy; another takes its place when it is written otherwise.

    Args:
        settings: of this machine.
        people: with ``sign_in``.
        told: called with each fault.

    Raises:
        ConfigurationError: when a key, certificate or password file cannot be used.
    """

    def __init__(self, settings: Settings, people: People, told: Callable[[str], None]) -> None:
        sign_in = people.sign_in
        self._terms = terms_of(sign_in)
        self._directory: LdapDirectory | None = None
        self._acceptor: KerberosAcceptor | None = None
        try:
            if sign_in.ldap is not None:
                self._directory = _directory(sign_in.ldap, sign_in.domains)
            if sign_in.kerberos is not None:
                replays = settings.state_dir / "kerberos.replays"
                self._acceptor = KerberosAcceptor(sign_in.kerberos, sign_in.domains, replays)
        except UnavailableError as error:
            self._close()
            raise ConfigurationError([Fault(str(settings.people), 0, str(error), "")]) from error
        made = ProxyAuthentication(people, self._directory, self._acceptor, time.time, told)
        self._authentication = made

    @property
    def authentication(self) -> ProxyAuthentication | None:
        """What checks whoever comes; None where nobody can sign in."""
        return self._authentication if self._authentication.offered else None

    def takes(self, people: People) -> bool:
        """Place people by another people.yaml; False where they are to sign in otherwise now."""
        if terms_of(people.sign_in) != self._terms:
            return False
        self._authentication.put_people(people)
        return True

    def end(self) -> None:
        """Have everybody sign in again, elsewhere."""
        self._authentication.end()
        self._close()

    def _close(self) -> None:
        for part in (self._directory, self._acceptor):
            if part is not None:
                part.close()


def _directory(settings: LdapSettings, domains: tuple[str, ...]) -> "LdapDirectory":
    # What it speaks LDAP with takes longer to load than all the rest.
    from schoolgate.identity.ldap import LdapDirectory  # noqa: PLC0415

    return LdapDirectory(settings, domains)


def terms_of(sign_in: SignInSettings) -> SignInSettings:
    """Give what of the settings is about the proxy itself."""
    return replace(sign_in, radius=None, longest_seconds=0.0)
