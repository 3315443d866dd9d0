"""URLs in one form, by the WHATWG URL rules; what does not parse is refused, never guessed."""

import re
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

import ada_url

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import normalise_host, without_root_dot

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
WEB_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_SLASHES = re.compile(r"/{2,}")
# "host:8080" is a host with a port; any other word before a colon is a scheme.
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
# A URL that the standard leaves as it is, but for the spelling of its host.
_PLAIN = re.compile(
    r"(https?|wss?)://([A-Za-z0-9-](?:[A-Za-z0-9.-]*[A-Za-z0-9-])?)(?::([0-9]{1,5}))?"
    r"(/[A-Za-z0-9_~!$&()*+,;=:@%./-]*)(?:\?([A-Za-z0-9_~!$&()*+,;=:@%./?-]*))?"
)
# A dot segment, escaped or not, which the standard takes out.
_DOTTED = re.compile(r"/(?:\.|%2[Ee])")
# How often a path may be encoded over and over before the rest is taken as it stands.
_MAX_ENCODINGS = 10
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
# Characters whose escaping an origin may take for what it says or for what it stands for.
_STRUCTURAL = b"/\\;?#%\x00"
# Where none of these stands, a path has one reading.
_AMBIGUOUS = re.compile(r"[%;\\?#\x00]|//|/\.|[. ](?:/|$)")


class Url(NamedTuple):
    """A parsed URL.

    Attributes:
        scheme: lower case, without the colon.
        host: normalised as in `core.hosts`; empty where the scheme has none.
        port: the given or the scheme's default port; 0 where there is none.
        path: as it stands in the URL, percent-encoding kept.
        query: without the question mark.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def is_web(self) -> bool:
        """Whether a proxy can be asked for it."""
        return self.scheme in WEB_SCHEMES and bool(self.host)

    @property
    def origin_text(self) -> str:
        """Scheme, host and a port that is not the default, for people to read."""
        port = "" if self.port in (0, DEFAULT_PORTS.get(self.scheme)) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def without_query(self) -> str:
        """The URL as the journal keeps it: no query, no fragment, no userinfo."""
        return f"{self.origin_text}{self.path}"

    def __str__(self) -> str:
        """Give the whole URL without userinfo and fragment."""
        return self.without_query + (f"?{self.query}" if self.query else "")


def parse_url(text: str, base: str | None = None) -> Url:
    """Parse a URL as a browser does.

    Args:
        text: the URL, absolute unless a base is given.
        base: what a relative one is resolved against.

    Raises:
        BadAddressError: when the standard says "failure".
    """
    if base is None and (plain := _PLAIN.fullmatch(text)) is not None:
        scheme, host, port, path, query = plain.groups()
        if not _DOTTED.search(path) and (port is None or int(port) < 65536):
            return Url(
                scheme,
                normalise_host(host),
                int(port) if port else DEFAULT_PORTS[scheme],
                path,
                query or "",
            )
    try:
        parsed = ada_url.URL(text, base) if base else ada_url.URL(text)
    except ValueError as error:
        raise BadAddressError(f"{text[:200]!r} is not a URL") from error
    scheme = parsed.protocol.removesuffix(":")
    return Url(
        scheme=scheme,
        host=without_root_dot(parsed.hostname),
        port=int(parsed.port) if parsed.port else DEFAULT_PORTS.get(scheme, 0),
        path=parsed.pathname,
        query=parsed.search.removeprefix("?"),
    )


def parse_web_url(text: str) -> Url:
    """Parse the URL of a web request; a bare ``host/path`` is taken as https.

    Raises:
        BadAddressError: when it is no URL, or one of a scheme that no web proxy carries.
    """
    candidate = text.strip()
    if not _HAS_SCHEME.match(candidate):
        candidate = f"https://{candidate}"
    url = parse_url(candidate)
    if not url.is_web:
        raise BadAddressError(f"{text[:200]!r} is not the address of a web page")
    return url


def comparable_path(path: str) -> str:
    """Give a path so that two spellings of one page compare equal.

    Percent-encoding is undone however often it was done, parameters (``;…``) go, dot segments are
    resolved, runs of slashes collapse and case is folded: servers differ in all of them, and a
    path entry must not be avoided by any. Doing it twice changes nothing.
    """
    for _ in range(_MAX_ENCODINGS):
        simpler = _simplified(path)
        if simpler == path:
            break
        path = simpler
    return path


def path_readings(path: str) -> frozenset[str]:
    """Give every form in which an origin may understand a path.

    Origins differ in how often they decode, whether they resolve dot segments before or after,
    whether they keep parameters, and whether a trailing dot or space counts. An entry that closes
    a path covers it in any reading; one that opens a path must cover it in all.
    """
    if has_one_reading(path):
        return frozenset({path.casefold() if len(path) == 1 else path.casefold().rstrip("/")})
    readings = set()
    path = _ESCAPES.sub(_without_plain_escapes, path)
    for _ in range(_MAX_ENCODINGS):
        for start in {path, re.split(r"[?#\x00]", path, maxsplit=1)[0]}:
            readings.add(_simplified(start))
            readings.add(_flattened(start))
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    return frozenset(readings)


def has_one_reading(path: str) -> bool:
    """Ask whether every origin understands a path alike, but for case and a closing slash."""
    return not _AMBIGUOUS.search(path)


def _without_plain_escapes(escapes: re.Match[str]) -> str:
    """Undo the escapes that mean the same to every origin (RFC 3986, 6.2.2.2), and keep the rest."""
    raw = unquote_to_bytes(escapes[0])
    kept = b"".join(b"%%%02X" % byte if byte in _STRUCTURAL else bytes((byte,)) for byte in raw)
    return kept.decode("utf-8", "replace")


def _flattened(path: str) -> str:
    """Read a path as an origin does that gives dot segments and parameters no meaning."""
    segments = _SLASHES.sub("/", path.replace("\\", "/")).casefold().split("/")
    return "/" + "/".join(kept for segment in segments if (kept := segment.rstrip(" .")))


def _simplified(path: str) -> str:
    decoded = _SLASHES.sub("/", unquote(path).replace("\\", "/")).casefold()
    kept: list[str] = []
    for raw in decoded.split("/"):
        segment = raw.partition(";")[0]
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def path_covers(entry: str, path: str) -> bool:
    """Ask whether a comparable path lies at or below an entry, whole segments only."""
    return entry in ("/", path) or path.startswith(entry + "/")
