"""Passwords checked and groups read in the school's directory, without a wait on the event loop."""

import asyncio
import time
from collections.abc import Callable

from schoolgate.core.people import LdapSettings, sign_in_name
from schoolgate.identity.answers import Answer, Outcome, refused, unavailable
from schoolgate.identity.background import Background, BusyError
from schoolgate.identity.ldap_client import DirectoryError, LdapClient, Person
from schoolgate.identity.remembered import RememberedPasswords

_THREADS = 4
_LONGEST_NAME = 256
_LONGEST_PASSWORD = 1024
# A server that did not answer is asked after the others for a while.
_AVOIDED_SECONDS = 30.0


class LdapDirectory:
    """The school's directory, LDAP or Active Directory; belongs to one event loop.

    Nobody is let in because it cannot be asked: then the answer is `UNAVAILABLE`.
    """

    def __init__(
        self,
        settings: LdapSettings,
        domains: tuple[str, ...] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; no server is asked yet.

        Args:
            settings: of the directory.
            domains: endings that are dropped from sign-in names.
            now: gives a steady clock in seconds.

        Raises:
            UnavailableError: when the authority or the password file cannot be read.
        """
        self._settings = settings
        self._domains = domains
        self._now = now
        self._client = LdapClient(settings)
        self._background = Background("ldap", _THREADS, settings.deadline_seconds)
        self._passwords = RememberedPasswords(settings.remember_seconds, now)
        self._avoided: dict[str, float] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    async def check(self, user: str, password: str) -> Answer:
        """Check a password, and give the person with their groups where it is right."""
        name = sign_in_name(user, self._domains)
        if not _is_plausible(name, _LONGEST_NAME) or not _is_plausible(password, _LONGEST_PASSWORD):
            return refused("no user name and password that a directory could know")
        known = self._passwords.answer(name, password)
        if known is not None:
            return known
        # A browser opens several connections at once: they must not be as many wrong tries.
        asking = self._asking.get((name, password))
        if asking is None:
            asking = asyncio.create_task(self._checked(name, password))
            self._asking[name, password] = asking
            asking.add_done_callback(lambda _: self._asking.pop((name, password), None))
        return await asyncio.shield(asking)

    def known(self, user: str, password: str) -> Answer | None:
        """Give what is remembered of a password, or None where the directory must be asked."""
        return self._passwords.answer(sign_in_name(user, self._domains), password)

    async def _checked(self, user: str, password: str) -> Answer:
        client = self._client
        answer = await self._asked(lambda server: client.authenticate(server, user, password))
        self._passwords.remember(user, password, answer)
        return answer

    async def groups(self, user: str) -> Answer:
        """Give the groups of a person whom something else proved, such as a Kerberos ticket."""
        name = sign_in_name(user, self._domains)
        if not _is_plausible(name, _LONGEST_NAME):
            return refused("no user name that a directory could know")
        client = self._client
        return await self._asked(lambda server: client.person(server, name))

    def forget(self, user: str) -> None:
        """Ask for a person's password again the next time."""
        self._passwords.forget(sign_in_name(user, self._domains))

    def close(self) -> None:
        """End the threads."""
        self._background.close()

    async def _asked(self, ask: Callable[[str], Person | None]) -> Answer:
        try:
            person = await self._background.call(lambda: self._first_answer(ask))
        except TimeoutError:
            return unavailable(f"no answer within {self._settings.deadline_seconds:g} seconds")
        except BusyError:
            return unavailable("too many wait for the directory")
        except DirectoryError as error:
            return unavailable(str(error))
        if person is None:
            return refused("the directory knows no such name and password")
        name = sign_in_name(person.name, self._domains)
        return Answer(Outcome.ACCEPTED, name, person.membership.group, person.membership.also)

    def _first_answer(self, ask: Callable[[str], Person | None]) -> Person | None:
        """Ask one server after the other until one answers; in a thread."""
        end = self._now() + self._settings.deadline_seconds
        errors: list[str] = []
        for server in sorted(self._settings.servers, key=self._is_avoided):
            if self._now() >= end:
                break
            try:
                answer = ask(server)
            except DirectoryError as error:
                self._avoided[server] = self._now() + _AVOIDED_SECONDS
                errors.append(str(error))
            else:
                self._avoided.pop(server, None)
                return answer
        raise DirectoryError("; ".join(errors) or "no server was asked in time")

    def _is_avoided(self, server: str) -> bool:
        return self._avoided.get(server, 0.0) > self._now()


def _is_plausible(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()
