"""Headers of a message, looked through once for all that is asked of them, and what they announce.

The pieces that stand in for mitmproxy's own are put in place by `economies`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from mitmproxy import http
from mitmproxy.net.http import http1, validate

# Values of headers by their names in lower case, a list where there are several.
type ByName = dict[bytes, bytes | list[bytes]]

# Attributes of headers: the fields that were looked through, and what was found.
_INDEXED, _INDEX = "schoolgate_indexed", "schoolgate_index"
# Methods whose answers have the body that their headers announce.
_USUAL = frozenset({b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_NO_CONTENT = 204
# Of all names of a message; what is longer is not remembered.
_USUAL_NAMES_BYTES = 4096

_make_headers = http.Headers.__init__
_expected_http_body_size = http1.expected_http_body_size
_validate_headers = validate.validate_headers


def by_name(headers: http.Headers) -> ByName:
    """Give what `ByName` says.

    Kept until they change: a message is asked for its headers thirty times.
    """
    held = vars(headers)
    fields: tuple[tuple[bytes, bytes], ...] = held["fields"]
    if held.get(_INDEXED) is fields:
        index: ByName = held[_INDEX]
        return index
    index = {name.lower(): value for name, value in fields}
    if len(index) != len(fields):
        several: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            several.setdefault(name.lower(), []).append(value)
        index = {name: found if len(found) > 1 else found[0] for name, found in several.items()}
    held[_INDEXED], held[_INDEX] = fields, index
    return index


def make_headers(self: http.Headers, fields: Iterable[Any] = (), **named: Any) -> None:
    """Stand in for Headers.__init__, which updates itself with nothing at length."""
    self.fields = whole = tuple(map(tuple, fields))
    for name, value in whole:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise TypeError("Header fields must be bytes.")
    if named:
        _make_headers(self, whole, **named)


def get_all(self: http.Headers, name: str | bytes) -> list[str]:
    """Stand in for Headers.get_all, which calls a function for each header."""
    found = by_name(self).get(_key(name), ())
    values = (found,) if isinstance(found, bytes) else found
    return [value.decode("utf-8", "surrogateescape") for value in values]


def get_item(self: http.Headers, name: str | bytes) -> str:
    """Stand in for MultiDict.__getitem__."""
    values = get_all(self, name)
    if not values:
        raise KeyError(name)
    return values[0] if len(values) == 1 else ", ".join(values)


def get(self: http.Headers, name: str | bytes, default: Any = None) -> Any:
    """Stand in for Mapping.get, which raises and catches for what is not there."""
    found = by_name(self).get(_key(name))
    if found is None:
        return default
    if isinstance(found, bytes):
        return found.decode("utf-8", "surrogateescape")
    return ", ".join(get_all(self, name))


def contains(self: http.Headers, name: object) -> bool:
    """Stand in for Mapping.__contains__, which does so too."""
    if not isinstance(name, str | bytes):
        raise TypeError(f"Expected str or bytes, but got {type(name).__name__}.")
    return _key(name) in by_name(self)


@lru_cache(1024)
def _key(name: str | bytes) -> bytes:
    return (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")).lower()


def expected_http_body_size(
    request: http.Request, response: http.Response | None = None
) -> int | None:
    """Stand in for read.expected_http_body_size, asked five times in each exchange."""
    if response is not None:
        status = response.data.status_code
        if not 200 <= status <= 299 or status == _NO_CONTENT or request.data.method not in _USUAL:
            return _expected_http_body_size(request, response)
    index = by_name((response or request).data.headers)
    length = index.get(b"content-length")
    if b"transfer-encoding" in index or not (length is None or isinstance(length, bytes)):
        return _expected_http_body_size(request, response)
    if length:
        return validate.parse_content_length(length.decode("utf-8", "surrogateescape"))
    return 0 if response is None else -1


def validate_headers(message: http.Message) -> None:
    """Stand in for validate.validate_headers, which looks at each name letter by letter.

    Raises:
        ValueError: when they could be read in two ways.
    """
    headers = message.data.headers
    index = by_name(headers)
    length = index.get(b"content-length", b"0")
    if (
        b"transfer-encoding" in index
        or not isinstance(length, bytes)
        or sum(map(len, index)) > _USUAL_NAMES_BYTES
        or not all(map(_is_name, index))
    ):
        _validate_headers(message)
    else:
        validate.parse_content_length(length)


@lru_cache(1024)
def _is_name(name: bytes) -> bool:
    return validate._valid_header_name.match(name) is not None
