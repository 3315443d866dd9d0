"""A list of hashes of addresses: what an address may be listed as is hashed and looked up."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from urllib.parse import unquote_to_bytes

from schoolgate.core.locked.addresses import (
    MOST_PARTS,
    folded_pieces,
    hosts_around,
    paths_around,
)
from schoolgate.core.urls import Url, path_readings

ALGORITHMS: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "md5": lambda text: hashlib.md5(text, usedforsecurity=False),
    "sha1": lambda text: hashlib.sha1(text, usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
_MOST_READINGS = 8
_SLASHES = re.compile(rb"/{2,}")


class Hashing(StrEnum):
    """What of an address is hashed.

    Attributes:
        HOST: hosts alone.
        PATH: hosts, and host and path.
        URL: these, and host, path and query.
    """

    HOST = "host"
    PATH = "path"
    URL = "url"


class Spelling(StrEnum):
    """In which form an address is hashed.

    Attributes:
        FOLDED: as addresses are compared here: decoded, lower case, without a closing slash.
        SAFE_BROWSING: as Google's Safe Browsing and Web Risk write it ("URLs and Hashing").
    """

    FOLDED = "folded"
    SAFE_BROWSING = "safe-browsing"


@dataclass(frozen=True, slots=True)
class HashForm:
    """How the hashes of a list were made.

    Attributes:
        algorithm: one of `ALGORITHMS`.
        size: how many bytes of each hash are listed, from the first.
        of: what was hashed.
        spelling: in which form.
        has_scheme: whether ``http://`` or ``https://`` stands before it.
        salt: bytes before all that.
    """

    algorithm: str = "sha256"
    size: int = 32
    of: Hashing = Hashing.URL
    spelling: Spelling = Spelling.FOLDED
    has_scheme: bool = False
    salt: bytes = b""

    def texts(self, url: Url) -> Iterator[str]:
        """Give all texts as which a URL, or what it lies in, may be listed."""
        parts = list(self._parts(url))
        port = f":{url.port}" if url.port not in (0, 80, 443) else ""
        schemes = ("http://", "https://") if self.has_scheme else ("",)
        for host in hosts_around(url.host):
            for name in (host, host + port) if port else (host,):
                for part in parts:
                    for scheme in schemes:
                        yield f"{scheme}{name}{part}"

    def host_text(self, host: str) -> str:
        """Give the text as which a host is in a list of hosts, whichever scheme it has."""
        return host if self.spelling is Spelling.FOLDED else f"{host}/"

    def digest(self, text: str) -> bytes:
        """Give the hash of a text as it is listed."""
        made = ALGORITHMS[self.algorithm](self.salt + text.encode("utf-8", "replace"))
        return made.digest()[: self.size]

    def _parts(self, url: Url) -> Iterator[str]:
        if self.spelling is Spelling.SAFE_BROWSING:
            return _safe_browsing_parts(url, self.of)
        return _folded_parts(url, self.of)


class HashedEntries:
    """Entries that are known by their hashes.

    Args:
        form: how they were made.
        hashes: of `form.size` bytes each.
        hosts: hashes of the hosts on which entries are; None where the list does not say.
    """

    def __init__(
        self, form: HashForm, hashes: Collection[bytes], hosts: Collection[bytes] | None = None
    ) -> None:
        self._form = form
        self._hashes = frozenset(hashes)
        self._hosts = None if hosts is None else frozenset(hosts)
        self.reads_everywhere = hosts is None and form.of is not Hashing.HOST

    def __len__(self) -> int:
        """How many different entries there are."""
        return len(self._hashes)

    def find(self, url: Url) -> str | None:
        """Give the beginning of a listed hash of a URL or of what it lies in, or None."""
        form, hashes = self._form, self._hashes
        for text in form.texts(url):
            digest = form.digest(text)
            if digest in hashes:
                return digest.hex()[:16]
        return None

    def has_parts(self, host: str) -> bool:
        """Ask whether it is known that a part of a host is listed."""
        form, hosts = self._form, self._hosts
        return hosts is not None and any(
            form.digest(form.host_text(above)) in hosts for above in hosts_around(host)
        )


def _folded_parts(url: Url, of: Hashing) -> Iterator[str]:
    yield ""
    if of is Hashing.HOST:
        return
    pieces = folded_pieces(url.query) if of is Hashing.URL else []
    seen = {"/"}
    for reading in islice(sorted(path_readings(url.path)), _MOST_READINGS):
        path = reading or "/"
        if pieces:
            yield f"{'' if path == '/' else path}?{'&'.join(pieces)}"
        for above in _bounded(list(paths_around(path))):
            if above not in seen:
                seen.add(above)
                yield above


def _safe_browsing_parts(url: Url, of: Hashing) -> Iterator[str]:
    yield "/"
    if of is Hashing.HOST:
        return
    path = _canonical_path(url.path)
    if url.query and of is Hashing.URL:
        yield f"{path}?{_escaped(_unescaped(url.query.encode()))}"
    if path != "/":
        yield path
    *directories, _ = path.split("/")
    above = ["/".join(directories[:end]) + "/" for end in range(len(directories), 1, -1)]
    yield from (part for part in _bounded(above) if part != path)


def _bounded(parts: list[str]) -> list[str]:
    """Give the longest and the shortest of many."""
    if len(parts) <= MOST_PARTS:
        return parts
    return parts[: MOST_PARTS // 2] + parts[-MOST_PARTS // 2 :]


def _canonical_path(path: str) -> str:
    raw = _SLASHES.sub(b"/", _unescaped(path.encode()))
    kept: list[bytes] = []
    segments = raw.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    closes = bool(kept) and segments[-1] in (b"", b".", b"..")
    return _escaped(b"/" + b"/".join(kept) + (b"/" if closes else b""))


def _unescaped(raw: bytes) -> bytes:
    # Each time it gets shorter, so that this ends; what is nested deeper than a URL is long is none.
    while (decoded := unquote_to_bytes(raw)) != raw:
        raw = decoded
    return raw


def _escaped(raw: bytes) -> str:
    """Escape what is no printable ASCII, and ``#`` and ``%``, in capitals."""
    return "".join(
        chr(byte) if 32 < byte < 127 and byte not in b"#%" else f"%{byte:02X}" for byte in raw
    )
