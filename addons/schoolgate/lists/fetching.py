"""Fetches lists from their publishers: only what changed, up to a size and a time, over verified TLS."""

import contextlib
import hashlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from schoolgate import __version__
from schoolgate.core.errors import SchoolgateError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_PIECE = 1 << 16
_MOST_REDIRECTS = 5
_TRIES = 4
# Who is not there at all is rarely there a little later; another list of that host will tell.
_TRIES_OF_NOBODY = 2
_FIRST_PAUSE_SECONDS = 1.0
# What a publisher may ask for in Retry-After; who wants more is asked at the next update.
_LONGEST_PAUSE_SECONDS = 60.0
_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 30.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class FetchError(SchoolgateError):
    """The publisher or the network can put it right; the text is a sentence without the list's name."""


class UnreachableError(FetchError):
    """Nobody is there: its name leads nowhere, or nobody takes the connection."""


class _PassingError(FetchError):
    """What may be gone at the next try."""

    tries = _TRIES
    ends_as: type[FetchError] = FetchError

    def __init__(self, message: str, pause_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class _NobodyError(_PassingError):
    tries = _TRIES_OF_NOBODY
    ends_as = UnreachableError


@dataclass(frozen=True, slots=True)
class Version:
    """What a publisher says of a list's state (RFC 9110, 8.8), to be asked with the next time."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> dict[str, str]:
        """Give the conditions of a request."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list that came.

    Attributes:
        version: of it.
        digest: SHA-256 of its bytes.
        size_bytes: as it came.
    """

    version: Version
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Way:
    """How the web is reached.

    Attributes:
        proxy: address of a proxy; empty goes straight.
        ca_file: authorities to be trusted beside the system's.
        most_seconds: for one list.
        sleep: waits between two tries.
        clock: monotonic seconds.
    """

    proxy: str = ""
    ca_file: Path | None = None
    most_seconds: float = 900.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class Fetcher:
    """Fetches, from several threads.

    Args:
        way: how the web is reached.
    """

    way: Way
    _pool: "PoolManager" = field(init=False)

    def __post_init__(self) -> None:
        # Only who fetches waits for it to be loaded.
        from urllib3 import PoolManager, ProxyManager, Timeout  # noqa: PLC0415

        context = ssl.create_default_context()
        if self.way.ca_file is not None:
            context.load_verify_locations(self.way.ca_file)
        timeout = Timeout(connect=_CONNECT_SECONDS, read=_SILENT_SECONDS)
        if self.way.proxy:
            self._pool = ProxyManager(
                self.way.proxy, ssl_context=context, timeout=timeout, maxsize=2, retries=False
            )
        else:
            self._pool = PoolManager(ssl_context=context, timeout=timeout, maxsize=2, retries=False)

    def fetch(
        self,
        address: str,
        path: Path,
        known: Version,
        most_bytes: int,
        *,
        packed: bool = True,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Fetched | None:
        """Fetch a list into a file.

        Args:
            address: where it is published.
            path: where it is written to; nothing of use is there after a failure.
            known: what is known of the copy that we have.
            most_bytes: that it may have.
            packed: whether it may be packed for the way.
            progress: called with the bytes that came and those that are to come, 0 where unknown.

        Returns:
            What came; None where it is what we have.

        Raises:
            UnreachableError: when nobody is there.
            FetchError: when it cannot be had, or is none that we want.
        """
        ends = self.way.clock() + self.way.most_seconds
        headers = {"User-Agent": f"schoolgate/{__version__}", **known.headers()}
        headers["Accept-Encoding"] = "gzip" if packed else "identity"
        wanted = _Wanted(path, most_bytes, ends, progress)
        for tried in range(1, _TRIES + 1):
            try:
                return self._try(address, headers, wanted)
            except _PassingError as error:
                pause = error.pause_seconds or _FIRST_PAUSE_SECONDS * 3 ** (tried - 1)
                if tried == error.tries or self.way.clock() + pause > ends:
                    raise error.ends_as(f"{error} ({tried} tries)") from error
                self.way.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
        raise AssertionError("unreachable")

    def _try(self, address: str, headers: Mapping[str, str], wanted: "_Wanted") -> Fetched | None:
        from urllib3.exceptions import HTTPError, ProtocolError, SSLError  # noqa: PLC0415

        try:
            with self._answer(address, headers) as answer:
                if answer.status == 304:
                    # It has no body: the next request goes on this connection.
                    answer.drain_conn()
                    return None
                _refuse(answer, wanted.most_bytes)
                digest, size = wanted.write(answer, self.way.clock)
                version = Version(
                    answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
                )
                return Fetched(version, digest, size)
        except SSLError as error:
            raise FetchError(f"cannot be trusted: {_words(error)}") from error
        except ProtocolError as error:
            # Also an answer that ends before its announced length.
            raise _PassingError(f"was cut off: {_words(error)}") from error
        except HTTPError as error:
            raise _PassingError(f"cannot be reached: {_words(error)}") from error

    @contextlib.contextmanager
    def _answer(self, address: str, headers: Mapping[str, str]) -> Iterator["BaseHTTPResponse"]:
        """Ask, and follow where it leads; never from TLS to plain HTTP."""
        for led in range(_MOST_REDIRECTS + 1):
            answer = self._ask(address, headers, _PassingError if led else _NobodyError)
            try:
                leads_to = answer.headers.get("Location", "")
                if answer.status not in (301, 302, 303, 307, 308) or not leads_to:
                    yield answer
                    return
            finally:
                # What is left of it is not waited for.
                answer.close()
            target = urljoin(address, leads_to)
            if urlsplit(target).scheme not in ("https", urlsplit(address).scheme):
                raise FetchError(f"is refused: it leads from TLS to {target[:200]}")
            address = target
        raise FetchError(f"is refused: it leads elsewhere more than {_MOST_REDIRECTS} times")

    def _ask(
        self, address: str, headers: Mapping[str, str], nobody: type[_PassingError]
    ) -> "BaseHTTPResponse":
        from urllib3.exceptions import (  # noqa: PLC0415
            ConnectTimeoutError,
            NewConnectionError,
            ProxyError,
        )

        try:
            return self._pool.request(
                "GET", address, headers=dict(headers), preload_content=False,
                decode_content=False, redirect=False,
            )  # fmt: skip
        except (ConnectTimeoutError, NewConnectionError, ProxyError) as error:
            raise nobody(f"cannot be reached: {_words(error)}") from error


@dataclass(frozen=True, slots=True)
class _Wanted:
    path: Path
    most_bytes: int
    ends: float
    progress: Callable[[int, int], None]

    def write(self, answer: "BaseHTTPResponse", clock: Callable[[], float]) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        announced = int(answer.headers.get("Content-Length") or 0)
        with self.path.open("wb") as file:
            for piece in answer.stream(_PIECE, decode_content=False):
                size += len(piece)
                if size > self.most_bytes:
                    raise FetchError(_too_large(self.most_bytes))
                if clock() > self.ends:
                    raise FetchError(f"is too slow: {size:,} bytes came in all the time there is")
                digest.update(piece)
                file.write(piece)
                self.progress(size, announced)
        if size == 0:
            raise FetchError("is empty")
        return digest.hexdigest(), size


def _refuse(answer: "BaseHTTPResponse", most_bytes: int) -> None:
    if answer.status in _PASSING:
        asked = answer.headers.get("Retry-After", "")
        pause = float(asked) if asked.isdigit() else 0.0
        raise _PassingError(f"cannot be had: the server answers {answer.status}", pause)
    if answer.status != 200:
        raise FetchError(f"cannot be had: the server answers {answer.status}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise FetchError("is no list: a web page came in its place")
    if kind.startswith(("image/", "video/", "audio/", "font/")):
        raise FetchError(f"is no list: {kind} came in its place")
    announced = answer.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > most_bytes:
        raise FetchError(_too_large(most_bytes))


def _too_large(most_bytes: int) -> str:
    return f"is refused: it is larger than {most_bytes // 1_000_000} MB, the most it can be"


def _words(error: Exception) -> str:
    """Give the cause that an error of the library ends with, without its objects."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return said[:200]
