"""Sending mail from the outbox: at least once, with growing pauses, given up at last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.notify import Letter, compose
from schoolgate.storage import Digests, Outbox, Waiting
from schoolgate.storage.digests import AUDIENCE
from schoolgate.storage.regular_reports import ABOUT

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1
# One mail at a time: the slowest server takes less than this for it.
_LEASE = timedelta(minutes=10)
# What has one page for all of its kind.
_PAGES = {
    "account": "people",
    "declaration": "declaration",
    "list": "lists",
    "suspension": "known",
}
# Safeguarding does not wait for the end of a day, and a report has no page to lead to.
_NEVER_LATER = ("accident:", "alert:", "incident:", f"{ABOUT}:")


@dataclass(frozen=True, slots=True)
class Round:
    """What came of a round; all 0 where nothing was due.

    Attributes:
        sent: mails that were handed over.
        waiting: that are tried again.
        gave_up: that are not.
    """

    sent: int = 0
    waiting: int = 0
    gave_up: int = 0


class Mailing:
    """Sends what is due.

    Args:
        outbox: where it waits.
        send: hands a mail over; as `notify.MailServer.send`.
        addresses: mail addresses of an audience, ``role:headteacher`` or ``account:abc``.
        sender: address that mail is from.
        school: its name.
        public_url: of the portal.
        digests: who wants one mail a day; without it nobody does.
        reports: gives the text of a report by its number.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[EmailMessage], None],
        addresses: Callable[[str], tuple[str, ...]],
        sender: str,
        school: str,
        public_url: str,
        digests: Digests | None = None,
        reports: Callable[[int], str] = str,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._addresses = addresses
        self._sender = sender
        self._school = school
        self._public_url = public_url.rstrip("/")
        self._digests = digests
        self._reports = reports

    def round(self, now: datetime) -> Round:
        """Send the mail that is due first, if one is.

        Raises:
            UnavailableError: when the database fails.
        """
        counts = {"sent": 0, "waiting": 0, "gave_up": 0}
        for waiting in self._outbox.take(now, 1, _LEASE):
            counts[self._one(waiting, now)] += 1
        return Round(**counts)

    def _one(self, waiting: Waiting, now: datetime) -> str:
        try:
            recipients = self._at_once(waiting)
            if recipients:
                self._send(compose(self._letter(waiting), self._sender, recipients))
        except RefusedError as error:
            self._outbox.gave_up(waiting.id, str(error), now)
            return "gave_up"
        except UnavailableError as error:
            if now - waiting.created_at >= GIVE_UP_AFTER:
                self._outbox.gave_up(waiting.id, str(error), now)
                return "gave_up"
            self._outbox.failed(waiting.id, str(error), now + pause_after(waiting.attempts))
            return "waiting"
        self._outbox.sent(waiting.id, now)
        return "sent"

    def _at_once(self, waiting: Waiting) -> tuple[str, ...]:
        """Give who is told at once; for the others it is kept for their digest."""
        kind, _, name = waiting.audience.partition(":")
        if kind == AUDIENCE:
            return (name,)
        found = self._addresses(waiting.audience)
        if not found:
            raise UnavailableError(f"nobody's address is known for {waiting.audience}")
        if self._digests is None or waiting.about.startswith(_NEVER_LATER):
            return found
        readers = self._digests.readers()
        later = [address for address in found if address.lower() in readers]
        if later:
            self._digests.put(waiting.id, later)
        return tuple(address for address in found if address not in later)

    def _letter(self, waiting: Waiting) -> Letter:
        kind, _, number = waiting.about.partition(":")
        text = self._reports(int(number)) if kind == ABOUT else ""
        link = self._link(waiting.about)
        items: tuple[tuple[str, str], ...] = ()
        if self._digests is not None and waiting.audience.startswith(f"{AUDIENCE}:"):
            link = f"{self._public_url}/account/mail/"
            items = tuple(
                (one.subject, self._link(one.about)) for one in self._digests.lines(waiting.id)
            )
        return Letter(
            waiting.id, waiting.subject, link, waiting.created_at, self._school, items, text
        )

    def _link(self, about: str) -> str:
        kind, _, number = about.partition(":")
        if kind in _PAGES:
            return f"{self._public_url}/{_PAGES[kind]}/"
        return f"{self._public_url}/{kind}s/{number}" if number else f"{self._public_url}/"


def pause_after(attempts: int) -> timedelta:
    """Give how long to wait after so many attempts: twice as long each time."""
    doublings = min(attempts - 1, 16)  # far above the longest
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
