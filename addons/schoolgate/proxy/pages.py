"""What a person sees instead of a page: right for what was asked, in plain English."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from mitmproxy import http

from schoolgate.core.canaries import is_canary
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import Decision, PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.core.urls import Url
from schoolgate.services.tickets import Ticket, Tickets, address_for

_DOCUMENTS = frozenset({"document", "iframe", "frame", "embed", "object"})
_EMPTY_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# Of a test site, so that people see that it was blocked, and by whom.
_BLOCKED_PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 32" width="160" height="32">'
    b'<rect width="160" height="32" fill="#00703c"/>'
    b'<text x="10" y="22" font-family="sans-serif" font-size="17" fill="#fff">Blocked</text></svg>'
)
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
_LONDON = ZoneInfo("Europe/London")

_SENTENCES = {
    Reason.SUSPENDED: "Your access to the internet has been withdrawn for a time.",
    Reason.DECLARATION: "The school asks you to sign its declaration on the use of the internet.",
    Reason.CIRCUMVENTION: "Sites that get round the school's filter are blocked.",
    Reason.LOCAL_BLOCK: "The school has put this site on its own block list.",
    Reason.LOCKED: "This site is locked; nobody here can open it.",
    Reason.BAD_URL: "This is not an address that a browser would ask for.",
    Reason.PRIVATE_DESTINATION: "This is not a page on the internet.",
    Reason.CONTENT: "The school's policy does not allow what is there.",
    Reason.ERROR: "The filter could not check this page, so it stays closed. Please try again.",
}

_OF_BUDGET = {
    Verdict.BLOCK: "There is no more audio and video for you today.",
    Verdict.WARN: "Most of your audio and video for today is used.",
}


# Blocked for another reason than what the site is.
_NOT_THE_SITE = frozenset(
    {
        Reason.SUSPENDED,
        Reason.DECLARATION,
        Reason.PRIVATE_DESTINATION,
        Reason.BAD_URL,
        Reason.ERROR,
    }
)

# Nobody here can make another answer of these.
_NEVER_OPENED = frozenset({Reason.LOCKED, Reason.BAD_URL, Reason.PRIVATE_DESTINATION})


_OF_THIS_KIND = "all sites of this kind"


class Kind(Enum):
    """What the browser wants to put on the screen, or not."""

    PAGE = auto()
    DATA = auto()
    IMAGE = auto()
    OTHER = auto()


class Asked(NamedTuple):
    """What an answer must fit.

    Attributes:
        host: the site for people to read.
        method: HTTP method, upper case.
        kind: what the browser wants to put on the screen.
        url: that was asked for; None where it is not known.
        group: of whoever asks.
    """

    host: str
    method: str
    kind: Kind
    url: Url | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of ours, whoever writes it to the client.

    Attributes:
        headers: all but those of the connection and ``Content-Length``.
        body: empty for HEAD.
        length: of the body that a GET would have, bytes.
    """

    headers: Mapping[str, str]
    body: bytes
    length: int
    _http1: dict[bool, bytes] = field(default_factory=dict, init=False, compare=False)

    def http1(self, *, stays: bool) -> bytes:
        """Give it as a whole message of HTTP/1.1, made once.

        Args:
            stays: whether another request may follow on the connection.
        """
        made = self._http1.get(stays)
        if made is None:
            made = self._http1[stays] = self._as_http1("keep-alive" if stays else "close")
        return made

    def _as_http1(self, connection: str) -> bytes:
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return (
            f"HTTP/1.1 {STATUS} Forbidden\r\n{fields}Content-Length: {self.length}\r\n"
            f"Connection: {connection}\r\n\r\n"
        ).encode() + self.body


STATUS = 403
# For children and young people in this country; the sites are among those that are never blocked.
HELPLINES = (
    ("Childline", "0800 1111", "https://www.childline.org.uk/", "for everybody under 19"),
    ("Samaritans", "116 123", "https://www.samaritans.org/", "day and night"),
    ("Papyrus HOPELINE247", "0800 068 4141", "https://www.papyrus-uk.org/", "thoughts of suicide"),
    ("NSPCC", "0808 800 5000", "https://www.nspcc.org.uk/", "worried about a child"),
    ("CEOP", "", "https://www.ceop.police.uk/", "somebody online frightens or presses you"),
)
# Pages rendered for one engine within one minute; a class opens the same site together.
_MOST_KEPT = 250


def kind_of(headers: Mapping[str, str]) -> Kind:
    """Tell by the Fetch metadata and the Accept header what an answer is for.

    Args:
        headers: whose look-up takes lower-case names.
    """
    destination = headers.get("sec-fetch-dest", "")
    accept = headers.get("accept", "*/*").lower()
    if destination in _DOCUMENTS or "text/html" in accept:
        return Kind.PAGE
    if destination == "image" or accept.startswith("image/"):
        return Kind.IMAGE
    if destination == "empty" or "json" in accept or "x-requested-with" in headers:
        return Kind.DATA
    # No word of what it is for: a person with a simple client, who can read.
    return Kind.OTHER if destination or accept != "*/*" else Kind.PAGE


def is_for_people(headers: Mapping[str, str]) -> bool:
    """Tell if an answer is shown as a page: the browser says so, and a player or program never does."""
    return headers.get("sec-fetch-dest", "") in _DOCUMENTS or "text/html" in headers.get(
        "accept", ""
    )


class Pages:
    """Makes the answers.

    Args:
        engine: gives the engine in force, for the names of school, clause and category.
        clock: gives the time, aware.
        portal: address of the portal; "" where there is none.
        tickets: signs what a page tells the portal; without it there are no links to its forms.
        is_in_need: says of an address whether whoever asks for it may need help.
    """

    def __init__(
        self,
        engine: Callable[[], PolicyEngine],
        clock: Callable[[], datetime],
        portal: str = "",
        tickets: Tickets | None = None,
        is_in_need: Callable[[PolicyEngine, Url], bool] = lambda _engine, _url: False,
    ) -> None:
        self._engine = engine
        self._is_in_need = is_in_need
        self._tickets = tickets if portal else None
        self._portal = portal
        self._clock = clock
        environment = Environment(
            loader=PackageLoader("schoolgate.proxy", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._template = environment.get_template("page.html.j2")
        self._kept: dict[tuple[object, ...], tuple[Decision, Page]] = {}
        self._kept_for: tuple[PolicyEngine, int] | None = None

    def blocked(
        self, request: http.Request, decision: Decision, web: WebRequest | None = None
    ) -> http.Response:
        """Make the answer to a request that is not let through.

        Args:
            request: as it came.
            decision: on it.
            web: as it was decided on; None where that failed.
        """
        return _response(self.page(_asked(request, web), decision))

    def warned(
        self,
        request: http.Request,
        decision: Decision,
        continue_to: str,
        web: WebRequest | None = None,
    ) -> http.Response:
        """Make the page that a person must click through; the button posts to ``continue_to``."""
        return _response(self._made(_asked(request, web), decision, continue_to))

    def page(self, asked: Asked, decision: Decision) -> Page:
        """Make a block page for whoever writes it, or give the one made a moment ago."""
        now_for = self._engine(), int(self._clock().timestamp() / 60)
        if self._kept_for != now_for or len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
            self._kept_for = now_for
        # By identity, as a decision is built once; kept beside the page so that it stays its own.
        key: tuple[object, ...]
        key = id(decision), asked.host, asked.method == "HEAD", asked.kind.value
        if self._tickets is not None and asked.kind is Kind.PAGE:
            key = *key, asked.url, asked.group
        elif asked.kind is Kind.PAGE:
            key = *key, self._helps(asked)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = decision, self._made(asked, decision)
        return kept[1]

    def _made(self, asked: Asked, decision: Decision, continue_to: str = "") -> Page:
        match asked.kind:
            case Kind.PAGE:
                body, media_type = self._html(asked, decision, continue_to), "text/html"
            case Kind.DATA:
                body, media_type = self._json(asked.host, decision), "application/json"
            case Kind.IMAGE:
                body, media_type = _EMPTY_GIF, "image/gif"
                if is_canary(asked.host):
                    body, media_type = _BLOCKED_PICTURE, "image/svg+xml"
            case Kind.OTHER:
                body, media_type = b"", "text/plain"
        charset = "" if media_type.startswith("image/") else "; charset=utf-8"
        headers = {
            "Content-Type": media_type + charset,
            "Cache-Control": "no-store",
            "Content-Security-Policy": _CSP,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Schoolgate-Clause": decision.clause,
            "X-Schoolgate-Category": _category(decision) or "",
            "X-Schoolgate-Verdict": decision.verdict.value,
        }
        return Page(headers, b"" if asked.method == "HEAD" else body, len(body))

    def _html(self, asked: Asked, decision: Decision, continue_to: str) -> bytes:
        engine = self._engine()
        policy = engine.policy
        # What a locked list names is a crime; the page says no word of what it is.
        clause = None if decision.locked_by else policy.clauses.get(decision.clause)
        category = engine.catalogue.categories.get(_category(decision) or "")
        warn = bool(continue_to)
        text = self._template.render(
            warn=warn,
            for_sites="all sites" if decision.reason is Reason.DECLARATION else _OF_THIS_KIND,
            school=policy.school,
            heading=_heading(decision, warn),
            sentence=_sentence(decision, category.title if category else ""),
            note=decision.note,
            host=asked.host,
            category=category.title if category else "",
            clause=decision.clause if clause else "",
            clause_title=clause.title if clause else "",
            document=policy.document if clause else "",
            contact="" if decision.reason is Reason.LOCKED else policy.contact,
            ask=_ask(decision, warn),
            time=f"{self._clock().astimezone(_LONDON):%d %B %Y, %H:%M}",
            continue_to=continue_to,
            portal=self._portal,
            ticket=self._ticket(asked, decision),
            declare=self._declare(asked, decision),
            helplines=HELPLINES if self._helps(asked) else (),
            may_ask=decision.reason is not Reason.LOCKED,
            again=not warn and decision.reason not in _NEVER_OPENED,
        )
        return text.encode()

    def _helps(self, asked: Asked) -> bool:
        return asked.url is not None and self._is_in_need(self._engine(), asked.url)

    def _ticket(self, asked: Asked, decision: Decision) -> str:
        """Give what tells the portal's forms what was blocked; "" where there is nothing to ask."""
        blocked = decision.verdict is Verdict.BLOCK and decision.reason not in _NOT_THE_SITE
        # A ticket would carry the address into a form, and from there into a register.
        blocked = blocked and decision.locked_by is None
        return self._written(asked, decision) if blocked else ""

    def _declare(self, asked: Asked, decision: Decision) -> str:
        """Give where the declaration is signed, with the way back; "" where it is not asked for."""
        if decision.reason is not Reason.DECLARATION or not self._portal:
            return ""
        ticket = self._written(asked, decision)
        return f"{self._portal}/declaration/" + (f"?ticket={ticket}" if ticket else "")

    def _written(self, asked: Asked, decision: Decision) -> str:
        if self._tickets is None or asked.url is None:
            return ""
        ticket = Ticket(
            address_for(asked.url), decision.rule, decision.clause, asked.group, self._clock()
        )
        return self._tickets.write(ticket)

    def _json(self, host: str, decision: Decision) -> bytes:
        policy = self._engine().policy
        body = {
            "error": "blocked" if decision.verdict is Verdict.BLOCK else decision.verdict.value,
            "school": policy.school,
            "host": host,
            "clause": decision.clause,
            "category": _category(decision),
            "reason": decision.reason.value,
        }
        return json.dumps(body, ensure_ascii=False).encode()


def _category(decision: Decision) -> str | None:
    """Give the category that is shown."""
    return None if decision.locked_by is not None else decision.category


def _asked(request: http.Request, web: WebRequest | None) -> Asked:
    asked = Asked(_host(request), request.method, kind_of(request.headers))
    return asked if web is None else asked._replace(url=web.url, group=web.client.group)


def _response(page: Page) -> http.Response:
    return http.Response.make(STATUS, page.body, dict(page.headers))


def _sentence(decision: Decision, category: str) -> str:
    if decision.reason is Reason.BUDGET:
        return _OF_BUDGET[decision.verdict]
    if decision.reason in _SENTENCES:
        return _SENTENCES[decision.reason]
    if decision.verdict is Verdict.WARN:
        return f"The school's policy asks for care with sites of this kind: {_inside(category)}."
    if category:
        return f"The school's policy does not allow sites of this kind: {_inside(category)}."
    return "The school's policy does not allow this site."


def _heading(decision: Decision, warn: bool) -> str:
    if decision.reason is Reason.DECLARATION:
        return "Please sign the declaration"
    if warn:
        return "Think before you go on"
    if decision.reason is Reason.SUSPENDED:
        return "Your access is withdrawn"
    return "This page is blocked"


def _ask(decision: Decision, warn: bool) -> str:
    if warn and decision.reason is not Reason.DECLARATION:
        return "If you are not sure"
    return "If you have a question" if decision.reason in _NOT_THE_SITE else "If you need this site"


def _inside(title: str) -> str:
    """Give a title as it stands inside a sentence; only its first letter can be a capital by place."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _host(request: http.Request) -> str:
    """Give the site for the page: what the person typed, in its plain form where it has one."""
    host = request.pretty_host
    try:
        return normalise_host(host)
    except BadAddressError:
        return host.encode("ascii", "backslashreplace").decode()[:253]
