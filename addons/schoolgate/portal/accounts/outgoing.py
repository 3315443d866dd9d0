"""What the portal asks providers for: over TLS, no further than it was sent, within a time and a size."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

_CONNECT_SECONDS, _READ_SECONDS, _LONGEST_SECONDS = 3.0, 5.0, 8.0
_MOST_BYTES = 512 * 1024
_CHUNK_BYTES = 16 * 1024


class BoundedSession(requests.Session):
    """Asks providers.

    Args:
        authorities: of hosts that have one of their own; all others are asked by the usual ones.
    """

    def __init__(self, authorities: Mapping[str, Path]) -> None:
        super().__init__()
        # No proxy and no password from the environment.
        self.trust_env = False
        self._authorities = authorities

    def request(self, method: str, url: str | bytes, *args: Any, **more: Any) -> Any:
        """Ask, and read the whole answer.

        Raises:
            requests.RequestException: when there is none in time, or it is no plain answer.
        """
        place = urlsplit(str(url))
        if place.scheme != "https":
            raise requests.exceptions.InvalidURL("not over TLS")
        own = self._authorities.get(place.netloc)
        more |= {
            "timeout": (_CONNECT_SECONDS, _READ_SECONDS),
            "allow_redirects": False,
            "stream": True,
            "verify": str(own) if own else True,
        }
        ends = time.monotonic() + _LONGEST_SECONDS
        answer = super().request(method, url, *args, **more)
        content = b""
        for chunk in answer.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > _MOST_BYTES or time.monotonic() > ends:
                answer.close()
                raise requests.exceptions.ContentDecodingError("too long an answer")
        # As requests itself does when it reads an answer at once.
        answer._content = content
        return answer
