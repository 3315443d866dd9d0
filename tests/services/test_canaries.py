"""A site of each blocked category is chosen, and asked of a proxy that filters or does not."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from schoolgate.core.policy import Rule, Verdict
from schoolgate.services.canaries import Canary, asked, canaries
from tests.core.policy.example import NOON, PUPIL, TEACHER, engine, listed, local_allow

CANARY = Canary("gambling", "bet.example", "C-1")


def answer(status: int, clause: str = "C-1", category: str = "gambling") -> bytes:
    return (
        f"HTTP/1.1 {status} Said\r\nX-Schoolgate-Clause: {clause}\r\n"
        f"X-Schoolgate-Category: {category}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@contextmanager
def proxy(said: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answer everybody in the same way; give the port, and what was asked."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20)


def test_a_site_is_chosen_for_each_category_that_is_closed_to_whoever_asks() -> None:
    sites = [
        ("gambling", "open.bet.example"),
        ("gambling", "bet.example"),
        ("gambling", "other.example"),
        ("games", "play.example"),
        ("news", "news.example"),
    ]
    built = engine(
        [listed(host, category) for category, host in sites],
        [local_allow("open.bet.example")],
        rules=(
            Rule("bets", "C-1", Verdict.BLOCK, ("gambling",)),
            Rule("play", "C-8", Verdict.BLOCK, ("games",), groups=frozenset({"pupils"})),
        ),
    )
    play = Canary("games", "play.example", "C-8")
    assert canaries(built, sites, PUPIL, NOON) == [CANARY, play]
    assert canaries(built, sites, TEACHER, NOON) == [CANARY]


@pytest.mark.parametrize(
    ("said", "ok", "words"),
    [
        pytest.param(answer(403), True, "a site of each is refused (gambling)", id="refused"),
        pytest.param(answer(200), False, "the proxy answered 200 (C-1)", id="not blocked"),
        pytest.param(answer(403, "C-9"), False, "not refused under C-1", id="another clause"),
        pytest.param(answer(403, "", ""), False, "no clause", id="another program's page"),
        pytest.param(answer(403, category="news"), False, "explain bet.example", id="another list"),
        pytest.param(answer(407), True, "must sign in to the proxy", id="sign in first"),
        pytest.param(b"220 mail.example ESMTP\r\n", False, "does not answer", id="no proxy"),
    ],
)
def test_what_the_proxy_answers_is_held_against_the_rules(
    said: bytes, ok: bool, words: str
) -> None:
    with proxy(said) as (port, heard):
        [found] = asked([CANARY], "127.0.0.1", port)
    assert found.ok is ok
    assert words in found.said
    # Whatever it makes of the site, this address it must refuse.
    assert heard[0].startswith(b"GET http://bet.example/ HTTP/1.1\r\n")
    assert b"\r\nHost: 192.0.2.1\r\n" in heard[0]


def test_nothing_that_is_closed_is_a_note() -> None:
    [found] = asked([], "127.0.0.1", 9)
    assert found.ok
    assert found.is_note
