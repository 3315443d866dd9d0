"""Sending mail from the outbox: at least once, with growing pauses, given up at last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.notify import Letter, compose
from schoolgate.storage import Outbox, Waiting

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
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[EmailMessage], None],
        addresses: Callable[[str], tuple[str, ...]],
        sender: str,
        school: str,
        public_url: str,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._addresses = addresses
        self._sender = sender
        self._school = school
        self._public_url = public_url.rstrip("/")

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
            recipients = self._recipients(waiting.audience)
            letter = Letter(
                waiting.id,
                waiting.subject,
                self._link(waiting.about),
                waiting.created_at,
                self._school,
            )
            self._send(compose(letter, self._sender, recipients))
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

    def _recipients(self, audience: str) -> tuple[str, ...]:
        found = self._addresses(audience)
        if not found:
            raise UnavailableError(f"nobody's address is known for {audience}")
        return found

    def _link(self, about: str) -> str:
        kind, _, number = about.partition(":")
        if kind in _PAGES:
            return f"{self._public_url}/{_PAGES[kind]}/"
        return f"{self._public_url}/{kind}s/{number}" if number else f"{self._public_url}/"


def pause_after(attempts: int) -> timedelta:
    """Give how long to wait after so many attempts: twice as long each time."""
    doublings = min(attempts - 1, 16)  # far above the longest
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
