"""What a block page says to the form behind its link: signed, so that nobody makes one up."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schoolgate.core.errors import RefusedError
from schoolgate.core.urls import Url

# For which the key that signs is derived.
PURPOSE = "tickets of block pages"
VALID_FOR = timedelta(days=1)
# The link must fit into the first line of a request, which the portal reads to 4,094 bytes.
LONGEST_URL = 2_000
LONGEST_TICKET = 3_800


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was blocked.

    Attributes:
        url: in full; of a very long one the site alone.
        rule: id of the rule that blocked it.
        clause: of the policy.
        group: of whoever asked for it.
        at: when, aware, to the second.
    """

    url: str
    rule: str
    clause: str
    group: str
    at: datetime


class Tickets:
    """Signs tickets and reads them.

    Args:
        secret: the same for who signs and who reads.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, ticket: Ticket) -> str:
        """Give the text of a ticket, fit for a query."""
        at = int(ticket.at.timestamp())
        said = [ticket.url, ticket.rule, ticket.clause, ticket.group, at]
        body = json.dumps(said, separators=(",", ":")).encode()
        return f"{_text(body)}.{_text(self._sign(body))}"

    def read(self, text: str, now: datetime) -> Ticket:
        """Read a ticket.

        Raises:
            RefusedError: when it was not signed here, or is older than a day.
        """
        body, _, signature = text[:LONGEST_TICKET].partition(".")
        try:
            said, given = _bytes(body), _bytes(signature)
        except ValueError as error:
            raise RefusedError(_NOT_OURS) from error
        if not hmac.compare_digest(self._sign(said), given):
            raise RefusedError(_NOT_OURS)
        # What we signed we wrote.
        url, rule, clause, group, seconds = json.loads(said)
        at = datetime.fromtimestamp(seconds, UTC)
        if now - at > VALID_FOR:
            raise RefusedError("The link is more than a day old: fill the form in yourself")
        return Ticket(url, rule, clause, group, at)

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)


def address_for(url: Url) -> str:
    """Give the address that a ticket holds; of one that is too long the site alone."""
    path = url.path or "/"
    whole = f"{url.origin_text}{path}?{url.query}" if url.query else f"{url.origin_text}{path}"
    return whole if len(json.dumps(whole)) <= LONGEST_URL else f"{url.origin_text}/"


_NOT_OURS = "The link was not made by this school's filter: fill the form in yourself"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Read what `_text` wrote.

    Raises:
        ValueError: when it is none.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
