"""Accepts Kerberos tickets (Negotiate): whoever is signed in to the school's domain is known.

The package `gssapi` speaks to the system's MIT Kerberos. It has no wheels for Linux, so it is an
extra (`schoolgate[kerberos]`); without it, `KerberosAcceptor` says so and nobody is let in.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schoolgate.core.errors import UnavailableError
from schoolgate.core.people import KerberosSettings, sign_in_name
from schoolgate.identity.answers import Answer, Outcome, refused, unavailable
from schoolgate.identity.background import Background, BusyError

_THREADS = 2
_DEADLINE_SECONDS = 5.0
_LONGEST_TOKEN = 64 * 1024
# 1.3.6.1.5.5.2, and Kerberos 5: nothing else may be negotiated, NTLM least of all.
_KERBEROS_OID = "1.2.840.113554.1.2.2"


class KerberosAcceptor:
    """Checks tickets for one service; belongs to one event loop.

    A ticket must be for this service, in one message, of a person (not a service) of this realm,
    and not have been shown before: MIT Kerberos keeps a replay cache, shared by all workers.
    """

    def __init__(
        self, settings: KerberosSettings, domains: tuple[str, ...], replay_cache: Path
    ) -> None:
        """Open the keytab.

        Args:
            settings: of the service.
            domains: endings that are dropped from sign-in names.
            replay_cache: a file that all workers share.

        Raises:
            UnavailableError: when the package is missing or the keytab has no key for the service.
        """
        try:
            self._gssapi: Any = importlib.import_module("gssapi")
        except ImportError as error:
            raise UnavailableError(
                "Kerberos needs the package gssapi: pip install 'schoolgate[kerberos]', which needs "
                f"libkrb5-dev and a compiler ({error})."
            ) from error
        self._settings = settings
        self._domains = domains
        self._background = Background("kerberos", _THREADS, _DEADLINE_SECONDS)
        gssapi = self._gssapi
        try:
            name = gssapi.Name(settings.service, gssapi.NameType.kerberos_principal)
            self._credentials = gssapi.Credentials(
                name=name,
                usage="accept",
                store={"keytab": f"FILE:{settings.keytab}", "rcache": f"file2:{replay_cache}"},
            )
        except gssapi.exceptions.GSSError as error:
            raise UnavailableError(
                f"The keytab {settings.keytab} cannot serve {settings.service}: {error}."
            ) from error

    async def accept(self, token: bytes) -> Answer:
        """Check a ticket, and give the person where it is good; `Answer.token` goes back to them.

        The groups are not in it: ask the directory (`LdapDirectory.groups`) or people.yaml.
        """
        if not 0 < len(token) <= _LONGEST_TOKEN:
            return refused("no ticket")
        return await self._within(lambda: self._accepted(token))

    def close(self) -> None:
        """End the threads."""
        self._background.close()

    async def _within(self, work: Callable[[], Answer]) -> Answer:
        try:
            return await self._background.call(work)
        except TimeoutError:
            return unavailable(f"the ticket was not checked within {_DEADLINE_SECONDS:g} seconds")
        except BusyError:
            return unavailable("too many tickets wait")

    def _accepted(self, token: bytes) -> Answer:
        gssapi = self._gssapi
        try:
            context = gssapi.SecurityContext(creds=self._credentials, usage="accept")
            reply = context.step(token)
            if not context.complete:
                return refused("the ticket is not a whole one (NTLM is not spoken)")
            if context.mech.dotted_form != _KERBEROS_OID:
                return refused(f"the mechanism {context.mech.dotted_form} is not Kerberos")
            principal = str(context.initiator_name)
        except gssapi.exceptions.GSSError as error:
            return refused(f"the ticket is refused: {error}")
        except UnicodeDecodeError:
            return refused("the ticket's name cannot be read")
        return self._person(principal, reply or b"")

    def _person(self, principal: str, reply: bytes) -> Answer:
        r"""Give the person of a principal; ``\`` would escape an @ or / within a name."""
        name, _, realm = principal.rpartition("@")
        if realm != self._settings.realm:
            return refused(f"{principal} is of another realm")
        if not name or any(character in name for character in "/\\@"):
            return refused(f"{principal} is no person")
        return Answer(Outcome.ACCEPTED, sign_in_name(name, self._domains), token=reply)
