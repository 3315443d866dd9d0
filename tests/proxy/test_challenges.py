"""What whoever must sign in is answered, whoever writes it to the client."""

import pytest

from schoolgate.identity import Challenge, challenge
from schoolgate.proxy import challenges

ASKED = challenge("127.0.0.1", over_tls=False, negotiate=True, basic=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "CONNECT"])
@pytest.mark.parametrize(
    ("of", "line"),
    [
        (ASKED, b"HTTP/1.1 407 Proxy Authentication Required"),
        (Challenge((), 403), b"HTTP/1.1 403 Forbidden"),
        (Challenge((), 503), b"HTTP/1.1 503 Service Unavailable"),
    ],
)
def test_the_gate_and_mitmproxy_say_the_same(of: Challenge, line: bytes, method: str) -> None:
    head, _, body = challenges.http1(of, method, stays=True).partition(b"\r\n\r\n")
    response = challenges.response(of, method)
    assert head.split(b"\r\n")[0] == line
    assert (response.status_code, response.raw_content) == (of.status, body)
    assert bool(body) is (method != "HEAD")
    fields = [li.partition(b": ")[::2] for li in head.split(b"\r\n")[1:]]
    for name, value in response.headers.fields:
        assert name == b"content-length" or (name, value) in fields


def test_every_way_to_sign_in_is_offered_in_a_field_of_its_own() -> None:
    response = challenges.response(ASKED, "GET")
    assert response.headers.get_all("proxy-authenticate") == [
        "Negotiate",
        'Basic realm="schoolgate", charset="UTF-8"',
    ]
    assert b"Connection: close\r\n" in challenges.http1(ASKED, "GET", stays=False)
