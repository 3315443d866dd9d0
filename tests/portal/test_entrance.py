"""Who asks: what the gateway says on its own socket, and the peer's address on any other."""

import socket
from typing import Any

import pytest

from schoolgate.portal.entrance import Counted, Entrance


class Accepted:
    """A socket of a family."""

    def __init__(self, family: int) -> None:
        self.family = family


SAID = {"HTTP_X_SCHOOLGATE_CLIENT": "10.9.0.7", "HTTP_X_SCHOOLGATE_SCHEME": "https"}


@pytest.mark.parametrize(
    ("accepted", "said", "want"),
    [
        (Accepted(socket.AF_UNIX), SAID, ("10.9.0.7", "https")),
        (Accepted(socket.AF_UNIX), {}, ("", "http")),
        (
            Accepted(socket.AF_UNIX),
            {"HTTP_X_SCHOOLGATE_SCHEME": "gopher"},
            ("", "http"),
        ),
        (Accepted(socket.AF_INET), SAID, ("127.0.0.1", "http")),
        (Accepted(socket.AF_INET6), SAID, ("127.0.0.1", "http")),
        (None, SAID, ("127.0.0.1", "http")),
    ],
)
def test_only_the_gateway_is_believed(
    accepted: Accepted | None, said: dict[str, str], want: tuple[str, str]
) -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], _start: object) -> list[bytes]:
        seen.update(environ)
        return []

    environ: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", **said}
    if accepted is not None:
        environ["gunicorn.socket"] = accepted
    Entrance(application)(environ, None)
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == want
    assert not any("SCHOOLGATE" in name for name in seen)


def test_every_answer_is_told_with_its_status() -> None:
    told: list[str] = []
    begun: list[Any] = []

    def application(_environ: Any, start: Any) -> list[bytes]:
        start("404 Not Found", [("X", "y")])
        return [b"no"]

    counted = Counted(application, lambda status, seconds: told.append(f"{status} {seconds >= 0}"))
    assert counted({}, lambda *words: begun.append(words)) == [b"no"]
    assert told == ["404 Not Found True"]
    assert begun == [("404 Not Found", [("X", "y")])]
