"""Gives browsers the file that says how they reach the filter, under the names that they look for."""

from collections.abc import Collection

from schoolgate.proxy.gate.heads import Head

PATHS = frozenset({"/wpad.dat", "/proxy.pac"})
MEDIA_TYPE = "application/x-ns-proxy-autoconfig"


class PacDoor:
    """Answers requests for the PAC file.

    Args:
        text: the file.
        hosts: names and addresses under which this gateway is asked for it.
    """

    def __init__(self, text: str, hosts: Collection[str]) -> None:
        body = text.encode("ascii")
        self._hosts = frozenset(hosts)
        self._head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: max-age=300\r\nX-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n\r\n"
        ).encode()
        self._body = body

    def is_asked(self, head: Head, host: str | None = None) -> bool:
        """Ask whether a request is for the file.

        Args:
            head: with a path alone, as it is sent to who is taken for the site itself.
            host: which site that is, normalised; None where it is certainly this gateway.
        """
        path = head.target.partition("?")[0]
        return path in PATHS and (
            host is None or host in self._hosts or host.startswith("wpad.") or host == "wpad"
        )

    def answer(self, head: Head) -> bytes:
        """Give the whole answer, after which the connection is closed."""
        return self._head if head.method == "HEAD" else self._head + self._body
