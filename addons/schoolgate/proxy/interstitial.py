"""Warn and continue: a page that a person clicks through, once a day for each rule."""

import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from schoolgate.core.policy import Decision, WebRequest

CONTINUE_PATH = "/.well-known/schoolgate/continue"
_LONDON = ZoneInfo("Europe/London")

type _Key = tuple[str, str, str]


class Warnings:
    """Remembers who has clicked through what today; a restart asks once more.

    A link is signed for the client, the site, the rule and the day, so it cannot be forged or passed on.
    What is accepted is the rule: the parts of a page that lie on other hosts of it come with the page.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._accepted: set[_Key] = set()

    def is_accepted(self, request: WebRequest, decision: Decision, now: datetime) -> bool:
        """Ask whether this client has clicked through this warning today."""
        return _key(request, decision, now) in self._accepted

    def link(self, request: WebRequest, decision: Decision, now: datetime) -> str:
        """Give the address, on the site itself, that the page's button posts to."""
        url = request.url
        to = "/" + url.path.lstrip("/\\") + (f"?{url.query}" if url.query else "")
        signature = self._sign(_key(request, decision, now), url.host, to)
        return f"{CONTINUE_PATH}?{urlencode({'to': to, 'signature': signature})}"

    def accept(self, request: WebRequest, decision: Decision, now: datetime) -> str | None:
        """Take the click; give where to go on to, or None when the link is not ours."""
        query = parse_qs(request.url.query, keep_blank_values=True)
        to, signature = query.get("to", [""])[0], query.get("signature", [""])[0]
        key = _key(request, decision, now)
        # A path that begins with two slashes would lead to another host.
        if not to.startswith("/") or to.startswith(("//", "/\\")):
            return None
        if not hmac.compare_digest(
            self._sign(key, request.url.host, to).encode(), signature.encode()
        ):
            return None
        today = key[-1]
        self._accepted = {k for k in self._accepted if k[-1] == today} | {key}
        return to

    def _sign(self, key: _Key, host: str, to: str) -> str:
        message = "\0".join((*key, host, to)).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def _key(request: WebRequest, decision: Decision, now: datetime) -> _Key:
    client = request.client
    who = client.user or client.device or client.address
    return who, decision.rule, f"{now.astimezone(_LONDON):%Y-%m-%d}"
