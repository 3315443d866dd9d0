"""What goes through the door to the portal, and what does not."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.proxy.gate.portal_door import NoRequestError, PortalDoor


def no_context(_name: str) -> ssl.SSLContext:
    raise AssertionError("no TLS here")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[PortalDoor]:
    made = PortalDoor("https://portal.school", tmp_path / "portal.sock", no_context)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"GET http://portal.school/ HTTP/1.1\r\n", True),
        (b"POST http://portal.school/device/ HTTP/1.1\r\n", True),
        (b"GET http://PORTAL.school:80/x HTTP/1.1\r\n", True),
        (b"GET http://portal.school HTTP/1.1\r\n", True),
        (b"GET http://portal.school?q HTTP/1.1\r\n", True),
        (b"GET http://portal.scho", False),
        (b"GET http://portal.school.example/ HTTP/1.1\r\n", False),
        (b"GET http://portal-school/ HTTP/1.1\r\n", False),
        (b"GET http://x@portal.school/ HTTP/1.1\r\n", False),
        (b"GET http://elsewhere/http://portal.school/ HTTP/1.1\r\n", False),
        (b"CONNECT portal.school:443 HTTP/1.1\r\n", False),
    ],
)
def test_which_requests_are_for_the_portal(door: PortalDoor, data: bytes, want: bool) -> None:
    assert door.is_asked(data) is want


@pytest.mark.parametrize(
    ("host", "port", "want"),
    [
        ("portal.school", 443, True),
        ("portal.school", 80, False),
        ("portal.school", 22, False),
        ("www.portal.school", 443, False),
    ],
)
def test_which_tunnels_are(door: PortalDoor, host: str, port: int, want: bool) -> None:
    assert door.is_behind(host, port) is want


FORGED = (
    "X-Schoolgate-Client: 1.1.1.1\r\nx_schoolgate_client: 1.1.1.1\r\nX-SCHOOLGATE_Scheme: http\r\n"
    "X-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nProxy-Authorization: Basic YQ==\r\n"
    "Connection: keep-alive\r\nUpgrade: websocket"
)
SAID = "X-Schoolgate-Client: 10.9.0.7\r\nX-Schoolgate-Scheme: https\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("head", "want"),
    [
        ("GET /a?b HTTP/1.1\r\nHost: x", f"GET /a?b HTTP/1.1\r\nHost: portal.school\r\n{SAID}"),
        (
            "GET http://portal.school/a?b HTTP/1.1\r\nHost: other.example",
            f"GET /a?b HTTP/1.1\r\nHost: portal.school\r\n{SAID}",
        ),
        (
            "POST / HTTP/1.0\r\nContent-Length: 3\r\nCookie: a=b",
            f"POST / HTTP/1.1\r\nHost: portal.school\r\n{SAID}Content-Length: 3\r\nCookie: a=b\r\n",
        ),
        (
            f"GET / HTTP/1.1\r\n{FORGED}",
            f"GET / HTTP/1.1\r\nHost: portal.school\r\n{SAID}",
        ),
    ],
)  # fmt: skip
def test_a_request_goes_on_as_the_door_says(door: PortalDoor, head: str, want: str) -> None:
    raw = f"{head}\r\n\r\n".encode()
    assert door.passed_on(raw, "10.9.0.7", "https").decode() == want + "\r\n"


@pytest.mark.parametrize(
    "head",
    [
        "GET",
        "GET / HTTP/2",
        "GET / / HTTP/1.1",
        "get / HTTP/1.1",
        "GET ftp:// HTTP/1.1",
        "GET / HTTP/1.1\r\n X-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\r\n c",
        "GET / HTTP/1.1\r\nX-Schoolgate-Client : 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\nX-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\rX-Schoolgate-Client: 1.1.1.1",
        "GET / HTTP/1.1\r\nA: b\x00",
        "GET / HTTP/1.1\r\nnothing",
    ],
)
def test_what_can_be_read_in_two_ways_goes_nowhere(door: PortalDoor, head: str) -> None:
    with pytest.raises(NoRequestError):
        door.passed_on(f"{head}\r\n\r\n".encode(), "10.9.0.7", "https")
