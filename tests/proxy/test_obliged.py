"""What a policy obliges to reaches the service; what the client wrote in its place does not."""

import pytest
from mitmproxy.test import tutils

from schoolgate.core.policy import Writing
from schoolgate.proxy.obliged import with_cookies, with_query, write
from tests.gateway import Gateway
from tests.origin import Origin


@pytest.mark.parametrize(
    ("path", "want"),
    [
        (b"/search", b"/search?safe=active"),
        (b"/search?", b"/search?safe=active"),
        (b"/search?q=a+b&hl=en", b"/search?q=a+b&hl=en&safe=active"),
        (b"/search?safe=off&q=a", b"/search?q=a&safe=active"),
        (b"/search?q=a&safe=off&safe=off", b"/search?q=a&safe=active"),
        (b"/search?q=a&s%61fe=off", b"/search?q=a&safe=active"),
        (b"/search?q=a&SAFE=off", b"/search?q=a&safe=active"),
        (b"/search?q=a&+safe=off", b"/search?q=a&safe=active"),
        (b"/search?q=a&safe", b"/search?q=a&safe=active"),
        # Another parameter, and one that only contains the name, stay as they were written.
        (b"/search?q=safe=off&unsafe=1&x=%C3%A9;y", b"/search?q=safe=off&unsafe=1&x=%C3%A9;y&safe=active"),
        (b"/search?a=?b", b"/search?a=?b&safe=active"),
    ],
)  # fmt: skip
def test_a_parameter_stands_once_as_it_is_wanted(path: bytes, want: bytes) -> None:
    assert with_query(path, (("safe", "active"),)) == want


@pytest.mark.parametrize(
    ("headers", "want"),
    [
        ([], "safesearch=strict"),
        (["a=b; safesearch=off; c=d"], "a=b; c=d; safesearch=strict"),
        (["a=b", "safesearch=off"], "a=b; safesearch=strict"),
        (["safesearch = off;"], "safesearch=strict"),
    ],
)
def test_a_cookie_stands_once_as_it_is_wanted(headers: list[str], want: str) -> None:
    assert with_cookies(headers, (("safesearch", "strict"),)) == want


def test_a_header_of_the_client_is_replaced_however_it_is_written() -> None:
    request = tutils.treq(
        headers=((b"YOUTUBE-restrict", b"None"), (b"youtube-Restrict", b"None"), (b"a", b"b"))
    )
    write(request, Writing(headers=(("YouTube-Restrict", "Strict"),)))
    assert request.headers.get_all("youtube-restrict") == ["Strict"]
    assert request.headers["a"] == "b"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("http2", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_searches_are_safe_and_videos_restricted_at_the_service(
    gate: Gateway, site: Origin, scheme: str, http2: bool
) -> None:
    port = site.https_port if scheme == "https" else site.http_port
    with gate.client(http2=http2) as client:
        answer = client.get(f"{scheme}://www.google.co.uk:{port}/search?q=whales&safe=off")
        assert answer.status_code == 200
        path, query, _ = site.heads[-1]
        assert (path, query) == (b"/search", b"q=whales&safe=active")
        answer = client.get(
            f"{scheme}://www.youtube.com:{port}/watch?v=1", headers={"YouTube-Restrict": "None"}
        )
        assert answer.status_code == 200
        _, query, headers = site.heads[-1]
        assert (query, headers[b"youtube-restrict"]) == (b"v=1", b"Strict")
        assert client.get(f"{scheme}://www.bbc.co.uk:{port}/search?q=1").status_code == 200
        assert site.heads[-1][1] == b"q=1"


def test_a_search_engine_without_a_safe_mode_is_closed_to_pupils(
    gate: Gateway, site: Origin
) -> None:
    with gate.client() as client:
        answer = client.get(f"https://www.qwant.com:{site.https_port}/?q=whales")
    assert answer.status_code == 403
    assert answer.headers["x-schoolgate-clause"] == "D-3-safesearch"
