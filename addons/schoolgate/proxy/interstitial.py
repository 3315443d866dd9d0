"""Warn and continue: a page that a person clicks through, once a day for each rule."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlencode

from schoolgate.core.approvals import Subject, acceptance
from schoolgate.core.policy import Decision, PolicyEngine, WebRequest
from schoolgate.services.acceptances import Acceptances

CONTINUE_PATH = "/.well-known/schoolgate/continue"


@dataclass(frozen=True, slots=True)
class Click:
    """The button of a warning, pressed by whom it was shown to.

    Attributes:
        rule: id of the rule that warned.
        to: where it leads on to: a path on the same site.
    """

    rule: str
    to: str


class Warnings:
    """Makes the buttons of warnings, and takes the clicks.

    A link is signed for the person (else device, else address), the site, the rule and the day, so it
    cannot be forged or passed on. What is accepted is the rule: the parts of a page that lie on other
    hosts of it come with the page.

    Args:
        secret: signs; the same in all workers, and after a restart.
        acceptances: keeps what was accepted.
    """

    def __init__(self, secret: bytes, acceptances: Acceptances) -> None:
        self._secret = secret
        self._acceptances = acceptances

    def is_accepted(
        self, engine: PolicyEngine, request: WebRequest, decision: Decision, now: datetime
    ) -> bool:
        """Ask whether this client has clicked through this warning today."""
        accepted = acceptance(request.client, decision.rule, now)
        return accepted in engine.overlay.acceptances

    def link(self, request: WebRequest, decision: Decision, now: datetime) -> str:
        """Give the address, on the site itself, that the page's button posts to."""
        url = request.url
        to = "/" + url.path.lstrip("/\\") + (f"?{url.query}" if url.query else "")
        if url.path == CONTINUE_PATH:
            # Another warning, met on the way on from the first.
            before = self.click(request, now)
            to = before.to if before else "/"
        signature = self._sign(request, decision.rule, to, now)
        query = {"rule": decision.rule, "to": to, "signature": signature}
        return f"{CONTINUE_PATH}?{urlencode(query)}"

    def click(self, request: WebRequest, now: datetime) -> Click | None:
        """Give the click that a request is; None when it is none, or its link is not ours."""
        if request.url.path != CONTINUE_PATH or request.method != "POST":
            return None
        if not Subject.nearest(request.client).id:
            # Whoever cannot be told from others would accept for them, too.
            return None
        query = parse_qs(request.url.query, keep_blank_values=True)
        rule, to, signature = (query.get(name, [""])[0] for name in ("rule", "to", "signature"))
        # A path that begins with two slashes would lead to another host.
        if not to.startswith("/") or to.startswith(("//", "/\\")):
            return None
        ours = self._sign(request, rule, to, now)
        if not hmac.compare_digest(ours.encode(), signature.encode()):
            return None
        return Click(rule, to)

    def accept(
        self, request: WebRequest, rule: str, now: datetime, told: Callable[[], None]
    ) -> None:
        """Put in force that a client has clicked through a rule's warning.

        Args:
            request: the click.
            rule: id of the rule.
            now: when, aware.
            told: called once when nobody had accepted it before, by another thread.
        """
        self._acceptances.accept(acceptance(request.client, rule, now), told)

    def _sign(self, request: WebRequest, rule: str, to: str, now: datetime) -> str:
        who = acceptance(request.client, rule, now)
        message = json.dumps(["warning", *who, request.url.host, to]).encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()
