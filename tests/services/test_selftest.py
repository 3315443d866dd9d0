"""The self-test against proxies that filter, or do not, in one way or another."""

import json
import socket
import ssl
import threading
from collections.abc import Callable

import pytest

from schoolgate.core import canaries
from schoolgate.core.policy import Obligation, Rule, Service, Shape, Verdict, Writing
from schoolgate.services.selftest import (
    Persona,
    SelfTest,
    grants_result,
    is_written,
    personas,
)
from tests.core.policy.example import NOON, engine, listed

GAMBLING = canaries.host_of("gambling")
RULES = (
    Rule("no-gambling", "C-1", Verdict.BLOCK, ("gambling",)),
    Rule("no-betting-on-wifi", "C-1", Verdict.BLOCK, ("gambling",), networks=frozenset({"wifi"})),
)
BUILT = engine([listed(GAMBLING, "gambling")], rules=RULES)
PAGE = "<p>Blocked under C-1. <a href='https://portal.example/ask/'>Ask</a></p>"
REFUSED = {
    "status": "403 Forbidden", "X-Schoolgate-Clause": "C-1", "X-Schoolgate-Category": "gambling",
    "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
}  # fmt: skip
OPEN = {"status": "200 OK"}

type Said = tuple[dict[str, str], str]


def filtering(host: str, path: str, fields: str) -> Said:
    """Answer as a filter must."""
    if host == GAMBLING:
        return REFUSED, PAGE
    if "dns-query" in path:
        return {**REFUSED, "X-Schoolgate-Clause": "gateway-doh"}, ""
    if host[0].isdigit():
        return {**REFUSED, "X-Schoolgate-Clause": BUILT_ADDRESS}, ""
    return OPEN, "{}"


def answered(connection: socket.socket, answer: Callable[[str, str, str], Said]) -> None:
    with connection, connection.makefile("rb") as asked:
        while line := asked.readline().decode():
            fields = b"".join(iter(asked.readline, b"\r\n")).decode()
            host = fields.partition("Host: ")[2].partition("\r\n")[0]
            said, body = answer(host, line.split()[1], fields)
            named = "".join(f"{n}: {v}\r\n" for n, v in said.items() if n != "status")
            head = f"HTTP/1.1 {said['status']}\r\n{named}Content-Length: {len(body)}\r\n\r\n"
            connection.sendall((head + body).encode())


def found(answer: Callable[[str, str, str], Said], portal: str = "") -> dict[str, str]:
    """Give what the self-test says of a proxy, by check; it has no TLS, which is not looked at."""

    def connect(_persona: Persona, port: int) -> socket.socket:
        if port == 443:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        threading.Thread(target=answered, args=(theirs, answer), daemon=True).start()
        return ours

    test = SelfTest(
        lambda: BUILT, connect, ssl.create_default_context, portal, lambda: NOON, lambda _: None
    )
    said: dict[str, str] = {}
    for one in test.look(1, 0):
        if one.check != "https":
            said[one.check] = said.get(one.check) or one.said
    return said


BUILT_ADDRESS = next(
    rule.clause for rule in BUILT.policy.closed_shapes(()) if Shape.ADDRESS in rule.shapes
)
CHECKS = ("categories", "block-page", "doh", "quic", "address")


def test_a_proxy_that_filters_passes() -> None:
    assert found(filtering, "https://portal.example") == dict.fromkeys(CHECKS, "")


def leaking(host: str, path: str, fields: str) -> Said:
    return OPEN, "{}"


def other_clause(host: str, path: str, fields: str) -> Said:
    said, body = filtering(host, path, fields)
    return {**said, "X-Schoolgate-Clause": "C-9"}, body


def kept(host: str, path: str, fields: str) -> Said:
    said, body = filtering(host, path, fields)
    return {**said, "Cache-Control": "max-age=60"}, body


def with_http3(host: str, path: str, fields: str) -> Said:
    said, body = filtering(host, path, fields)
    return {**said, "Alt-Svc": 'h3=":443"'}, body


def closed_to_all(host: str, path: str, fields: str) -> Said:
    return filtering(GAMBLING if not host[0].isdigit() else host, path, fields)


@pytest.mark.parametrize(
    ("answer", "failing"),
    [
        (leaking, {"categories", "block-page", "doh", "address"}),
        (other_clause, {"categories", "block-page", "address"}),
        (kept, {"block-page"}),
        (with_http3, {"quic"}),
        (closed_to_all, {"quic"}),
    ],
)
def test_each_way_not_to_filter_is_found(
    answer: Callable[[str, str, str], Said], failing: set[str]
) -> None:
    said = found(answer)
    assert {check for check, what in said.items() if what} == failing
    assert all("pupils" in what or "staff" in what for what in said.values() if what)


def test_a_page_that_does_not_lead_to_the_portal_is_found() -> None:
    assert "the way to the portal" in found(filtering, "https://elsewhere.example")["block-page"]


def test_a_proxy_that_is_not_there_is_found() -> None:
    def gone(_persona: Persona, _port: int) -> socket.socket:
        raise ConnectionRefusedError("the worker takes no connection")

    test = SelfTest(
        lambda: BUILT, gone, ssl.create_default_context, "", lambda: NOON, lambda _: None
    )
    results = test.look(1, 0)
    assert results
    assert not any(one.ok for one in results if one.check == "categories")


def test_what_is_wrong_for_a_moment_only_is_no_fault() -> None:
    """What was saved a moment ago is in force in one process before the other."""
    waited: list[float] = []
    late = True

    def answer(host: str, path: str, fields: str) -> Said:
        return (leaking if late else filtering)(host, path, fields)

    def pause(seconds: float) -> None:
        nonlocal late
        waited.append(seconds)
        late = False

    def connect(_persona: Persona, port: int) -> socket.socket:
        if port == 443:
            raise ConnectionRefusedError
        ours, theirs = socket.socketpair()
        threading.Thread(target=answered, args=(theirs, answer), daemon=True).start()
        return ours

    test = SelfTest(lambda: BUILT, connect, ssl.create_default_context, "", lambda: NOON, pause)
    assert all(one.ok for one in test.look(1, 0) if one.check != "https")
    assert len(waited) == 1


def test_everybody_is_asked_as_in_each_network_that_a_rule_names() -> None:
    asked = {(one.group, one.network) for one in personas(BUILT, 1, 0)}
    groups = BUILT.policy.groups
    assert asked == {(group, network) for group in groups for network in ("", "wifi")}


def test_each_worker_is_asked_in_each_round_and_in_time_by_each_group() -> None:
    rounds = [personas(BUILT, 7, turn) for turn in range(7)]
    assert all({one.worker for one in asked} == set(range(7)) for asked in rounds)
    of_pupils = {one.worker for asked in rounds for one in asked if one.group == "pupils"}
    assert of_pupils == set(range(7))


@pytest.mark.parametrize(
    ("writing", "url", "headers", "connects_to", "want"),
    [
        (Writing(query=(("safe", "active"),)), "https://s.example/?q=a&safe=active", {}, "", True),
        (Writing(query=(("safe", "active"),)), "https://s.example/?q=a&safe=off", {}, "", False),
        (Writing(headers=(("YouTube-Restrict", "Strict"),)), "/", {"youtube-restrict": "Strict"}, "", True),
        (Writing(headers=(("YouTube-Restrict", "Strict"),)), "/", {}, "", False),
        (Writing(cookies=(("a", "b"),)), "/", {"Cookie": "c=d; a=b"}, "", True),
        (Writing(cookies=(("a", "b"),)), "/", {"Cookie": "c=d; a=bb"}, "", False),
        (Writing(dns="strict.example"), "/", {}, "strict.example", True),
        (Writing(dns="strict.example"), "/", {}, "s.example", False),
    ],
)  # fmt: skip
def test_a_service_is_asked_in_its_mode_or_is_not(
    writing: Writing, url: str, headers: dict[str, str], connects_to: str, want: bool
) -> None:
    service = Service("s", "S", (listed("s.example", "search"),))
    obligation = Obligation("o", "C-1", service, "strict", writing)
    body = json.dumps({"url": url, "headers": headers, "connects_to": connects_to}).encode()
    assert is_written(obligation, body) is want


@pytest.mark.parametrize(
    ("seen", "ok"),
    [([7.0], True), ([6.0, None, 7.0], True), ([8.0], True), ([6.0, 6.0], False), ([None], False)],
)
def test_a_change_of_grants_is_waited_for(seen: list[float | None], ok: bool) -> None:
    asked = iter(seen)
    assert grants_result(7, lambda: next(asked), seen).ok is ok
