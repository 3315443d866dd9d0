"""The continuous self-test: asks through the running proxy as somebody of each group, and compares.

What must come of it is decided here, by the rules as they are written; what does come, by the workers. No
site is contacted: the gateway answers whoever is nobody in the sites' place.
"""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from schoolgate.core import canaries
from schoolgate.core.clients import Client
from schoolgate.core.policy import (
    Decision,
    Obligation,
    PolicyEngine,
    Reason,
    Shape,
    TlsAction,
    Verdict,
    WebRequest,
)
from schoolgate.core.urls import parse_url
from schoolgate.services.selftest_results import EVERYBODY, Result

TIMEOUT_SECONDS = 5.0
# What was saved a moment ago is in force in one process before the other.
SETTLE_SECONDS = 2.0
# Of the project AS112 (RFC 7534), which answers DNS alone; it is not asked.
ADDRESS = "192.31.196.1"
DOH_QUERY = "AAABAAABAAAAAAAABGF1dG8EdGVzdAAAAQAB"
_BY_CATEGORY = frozenset({Reason.CATEGORY, Reason.CIRCUMVENTION, Reason.PARENT, Reason.LOCKED})
_BLOCKED = http.HTTPStatus.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody whom the gateway asks as.

    Attributes:
        group: id of the policy's.
        network: id of the policy's; "" for none that is known.
        worker: number of the worker that is asked, from 0.
    """

    group: str
    network: str
    worker: int

    def __str__(self) -> str:
        return self.group + (f" in {self.network}" if self.network else "")


# Gives a connection on which somebody believes to be connected to a site's port.
type Connect = Callable[[Persona, int], socket.socket]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came.

    Attributes:
        status: of HTTP.
        headers: by name in any case.
        body: all of it.
    """

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def clause(self) -> str:
        """Under which it was refused; "" where it was not."""
        return str(self.headers.get("X-Schoolgate-Clause", ""))


def personas(engine: PolicyEngine, workers: int, turn: int) -> list[Persona]:
    """Give whom to ask as: each group, in each network that a rule names, and at each worker somebody.

    Args:
        engine: the rules.
        workers: how many there are.
        turn: counts the rounds, so that in time each group is asked for at each worker.
    """
    policy = engine.policy
    networks = ["", *sorted(frozenset().union(*(rule.networks for rule in policy.all_rules)))]
    who = [(group, network) for group in policy.groups for network in networks]
    found = [Persona(*one, (number + turn) % workers) for number, one in enumerate(who)]
    asked = {one.worker for one in found}
    rest = [Persona(policy.default_group, "", n) for n in range(workers) if n not in asked]
    return [*found, *rest]


@dataclass
class SelfTest:
    """Asks, and says what was found.

    Attributes:
        engine: gives the rules as they are written now, with what was decided by hand.
        connect: leads to the workers.
        trust: gives what trusts the gateway's CA alone.
        portal: address of the portal to which block pages lead; "" for none.
        now: gives the time, aware.
        pause: waits for some seconds.
    """

    engine: Callable[[], PolicyEngine]
    connect: Connect
    trust: Callable[[], ssl.SSLContext]
    portal: str
    now: Callable[[], datetime]
    pause: Callable[[float], object] = time.sleep
    _looks: tuple[tuple[str, "Look"], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._looks = (
            ("categories", _categories),
            ("https", _https),
            ("block-page", _block_page),
            ("safe-search", _safe_search),
            ("doh", _doh),
            ("quic", _quic),
            ("address", _address),
        )

    def look(self, workers: int, turn: int) -> list[Result]:
        """Ask everything once; what is not as it must be is asked again a moment later.

        Args:
            workers: how many there are.
            turn: counts the rounds.
        """
        engine = self.engine()
        found: dict[tuple[str, str], str] = {}
        is_settled = False
        for persona in personas(engine, workers, turn):
            for name, look in self._looks:
                said = self._said(look, engine, persona)
                if said and not is_settled:
                    self.pause(SETTLE_SECONDS)
                    engine, is_settled = self.engine(), True
                    said = self._said(look, engine, persona)
                if said is not None:
                    key = name, persona.group
                    found[key] = found.get(key) or said
        return [Result(check, group, not said, said) for (check, group), said in found.items()]

    def _said(self, look: "Look", engine: PolicyEngine, persona: Persona) -> str | None:
        """Give what is wrong, "" for nothing; None where there is nothing to look at."""
        if persona.group not in engine.policy.groups:
            return None
        try:
            with _Asking(self, engine, persona) as asking:
                faults = look(asking)
                if faults is None:
                    return None
                return "; ".join(faults)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"{persona}: no answer ({error!r})"


class _Asking:
    """One persona at work, over a connection that stays as long as it can."""

    def __init__(self, test: SelfTest, engine: PolicyEngine, persona: Persona) -> None:
        self.engine, self.persona, self.portal = engine, persona, test.portal
        self.client = Client("", persona.group, network=persona.network, is_synthetic=True)
        self.at = test.now()
        self._test = test
        self._plain: http.client.HTTPConnection | None = None

    def __enter__(self) -> "_Asking":
        return self

    def __exit__(self, *_: object) -> None:
        if self._plain is not None:
            self._plain.close()

    def decide(self, url: str, *shapes: Shape) -> Decision:
        return self.engine.decide(WebRequest(parse_url(url), self.client, shapes=shapes), self.at)

    def action(self, host: str) -> TlsAction | None:
        """Say what must become of TLS to a host; None for an end without a word."""
        answer = self.engine.decide_host(host, self.client, self.at)
        return None if answer.by_alert else answer.action

    def get(self, url: str, **headers: str) -> Answer:
        parts = urlsplit(url)
        fields = {"Host": parts.netloc, **{n.replace("_", "-"): v for n, v in headers.items()}}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.scheme == "https":
            return self._over_tls(parts.netloc, target, fields)
        if self._plain is None or self._plain.sock is None:
            self._plain = self._connection(80)
        return _asked(self._plain, target, fields)

    def _over_tls(self, host: str, target: str, fields: dict[str, str]) -> Answer:
        connection = self._connection(443)
        try:
            context = self._test.trust()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
            return _asked(connection, target, fields)
        finally:
            connection.close()

    def _connection(self, port: int) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection("gateway")
        # It has no address to go to by itself.
        made.auto_open = 0
        made.sock = self._test.connect(self.persona, port)
        made.sock.settimeout(TIMEOUT_SECONDS)
        return made

    def fault(self, said: str) -> str:
        return f"{self.persona}: {said}"


# Gives what is wrong, or None where there is nothing to look at.
type Look = Callable[[_Asking], list[str] | None]


def _asked(connection: http.client.HTTPConnection, target: str, fields: dict[str, str]) -> Answer:
    connection.request("GET", target, headers=fields)
    came = connection.getresponse()
    return Answer(came.status, came.headers, came.read())


def _closed(asking: _Asking) -> Iterator[tuple[str, str, Decision]]:
    """Give the categories that are closed, with their test sites."""
    for category in asking.engine.catalogue.categories:
        host = canaries.host_of(category)
        decision = asking.decide(f"http://{host}/")
        if (
            decision.verdict is Verdict.BLOCK
            and decision.reason in _BY_CATEGORY
            and decision.category == category
        ):
            yield category, host, decision


def _categories(asking: _Asking) -> list[str] | None:
    """A test site of each category that is closed is refused, under its clause."""
    faults, is_any = [], False
    for category, host, decision in _closed(asking):
        is_any = True
        came = asking.get(f"http://{host}/")
        if (came.status, came.clause) != (_BLOCKED, decision.clause):
            faults.append(asking.fault(f"{category} is not refused ({_what(came)})"))
    return faults if is_any else None


def _https(asking: _Asking) -> list[str] | None:
    """What is refused is refused within TLS as well, under a certificate of the CA."""
    for category, host, decision in _closed(asking):
        if asking.action(host) is None:
            continue
        came = asking.get(f"https://{host}/")
        if (came.status, came.clause) == (_BLOCKED, decision.clause):
            return []
        return [asking.fault(f"{category} is not refused over HTTPS ({_what(came)})")]
    return None


def _block_page(asking: _Asking) -> list[str] | None:
    """The page says so to people and programs, and is kept by nobody."""
    for category, host, decision in _closed(asking):
        came = asking.get(f"http://{host}/", Accept="text/html")
        text = came.body.decode("utf-8", "replace")
        wanted = {
            "its status": came.status == _BLOCKED,
            "its clause": came.clause == decision.clause and decision.clause in text,
            "its category": came.headers.get("X-Schoolgate-Category") == category,
            "Cache-Control": came.headers.get("Cache-Control") == "no-store",
            "its kind": str(came.headers.get("Content-Type")).startswith("text/html"),
            "the way to the portal": leads_to(asking.portal, text),
        }
        lacks = [what for what, is_there in wanted.items() if not is_there]
        return [asking.fault(f"the block page lacks {', '.join(lacks)}")] if lacks else []
    return None


def leads_to(portal: str, page: str) -> bool:
    """Ask whether a page leads to the portal, where there is one."""
    return not portal or portal in page


def _safe_search(asking: _Asking) -> list[str] | None:
    """Services are asked in the mode that the policy obliges to, whatever the client wrote."""
    faults, is_any = [], False
    for obligation in asking.engine.policy.obligations:
        host = obligation.service.hosts[0].host
        url = f"https://{host}/search?q=canary"
        decision = asking.decide(url)
        if obligation not in decision.obligations or not decision.verdict.is_open:
            continue
        if asking.action(host) is not TlsAction.DECRYPT or decision.verdict is Verdict.LIMIT:
            continue
        is_any = True
        came = asking.get(url)
        if came.status != http.HTTPStatus.OK or not is_written(obligation, came.body):
            faults.append(asking.fault(f"{obligation.name} is not asked for ({_what(came)})"))
    return faults if is_any else None


def is_written(obligation: Obligation, body: bytes) -> bool:
    """Ask whether what would have been sent asks for a mode.

    Args:
        obligation: with the mode.
        body: what the gateway says that it would have sent.
    """
    said = json.loads(body)
    query = parse_qsl(urlsplit(said["url"]).query, keep_blank_values=True)
    headers = {name.lower(): value for name, value in said["headers"].items()}
    cookies = [one.strip() for one in headers.get("cookie", "").split(";")]
    writing = obligation.writing
    return (
        all(pair in query for pair in writing.query)
        and all(headers.get(name.lower()) == value for name, value in writing.headers)
        and all(f"{name}={value}" in cookies for name, value in writing.cookies)
        and (not writing.dns or said["connects_to"] == writing.dns)
    )


def _open_site(asking: _Asking) -> str:
    """Give a test site that passes; "" where there is none."""
    hosts = [canaries.OPEN, *map(canaries.host_of, asking.engine.catalogue.categories)]
    for host in hosts:
        if asking.decide(f"http://{host}/").verdict.passes:
            return host
    return ""


def _doh(asking: _Asking) -> list[str] | None:
    """DNS over HTTPS is refused at a site that is open otherwise."""
    host = _open_site(asking)
    url = f"http://{host}/dns-query?dns={DOH_QUERY}"
    if not host or asking.decide(url, Shape.DOH).verdict is not Verdict.BLOCK:
        return None
    came = asking.get(url, Accept="application/dns-message")
    return [] if came.status == _BLOCKED else [asking.fault(f"DNS over HTTPS ({_what(came)})")]


def _quic(asking: _Asking) -> list[str] | None:
    """No site talks a browser into HTTP/3, which would go round the proxy."""
    host = _open_site(asking)
    if not host:
        return None
    came = asking.get(f"http://{host}/")
    if came.status != http.HTTPStatus.OK:
        return [asking.fault(f"an open test site is not reached ({_what(came)})")]
    return [asking.fault("HTTP/3 is offered")] if "Alt-Svc" in came.headers else []


def _address(asking: _Asking) -> list[str] | None:
    """An address in the place of a name is refused."""
    url = f"http://{ADDRESS}/"
    decision = asking.decide(url)
    if decision.verdict is not Verdict.BLOCK:
        return None
    came = asking.get(url)
    is_refused = (came.status, came.clause) == (_BLOCKED, decision.clause)
    return [] if is_refused else [asking.fault(f"a bare address ({_what(came)})")]


def _what(came: Answer) -> str:
    return f"the proxy answered {came.status}, {came.clause or 'no clause'}"


def grants_result(wanted: int, seen: Callable[[], float | None], waits: Iterable[object]) -> Result:
    """Say whether a change in the store reached every worker in time.

    Args:
        wanted: the number that the change has.
        seen: gives the number of the last change that the slowest worker has; None where nobody says.
        waits: gives something each time that there is still time to look again.
    """
    found: float | None = None
    for _ in waits:
        found = seen()
        if found is not None and found >= wanted:
            return Result("grants", EVERYBODY, True, "")
    said = f"a change of grants is {wanted}, and the slowest worker has {found}"
    return Result("grants", EVERYBODY, False, said)
