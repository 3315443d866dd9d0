"""One host, host with a path, or address a line; what maltrail's trails and lists of links hold, too."""

import re
from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, LineFormat, site, usual

_COMMENT = re.compile(r"(?:^|\s)[#;!]")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PORT = re.compile(r":\d{1,5}$")
# Sites of everybody hang below these, or more addresses than anybody has looked at.
_NETWORK = re.compile(r"^[\d.:a-f\[\]]+/\d{1,3}$", re.IGNORECASE)
_ADDRESSES = re.compile(r"^\d+\.\d+\.\d+\.\d+\s*-\s*\d+\.")


def read(line: str) -> Iterable[str]:
    """Give the entry of a line."""
    written = _COMMENT.split(line, maxsplit=1)[0].strip()
    if not written:
        return ()
    if _NETWORK.match(written) or _ADDRESSES.match(written):
        raise BadAddressError(f"{written[:80]!r} is a range of addresses")
    return (of_address(written),)


def of_address(written: str) -> str:
    """Give the entry for an address of the web, with or without scheme, port, query and fragment.

    A query is never compared, so that what has one and no path would close the whole site.

    Raises:
        BadAddressError: when it is none, or says more than an entry can.
    """
    bare = _SCHEME.sub("", written)
    host, slash, path = bare.partition("/")
    before, question, _ = (slash + path).partition("?")
    if question and before in ("", "/"):
        raise BadAddressError(f"{written[:80]!r} means an answer to a question, not a site")
    host = _PORT.sub("", host.rpartition("@")[2])
    if host.startswith("."):
        host = host.removeprefix(".")
    return site(host + before.partition("#")[0])


PLAIN = LineFormat(usual(rb"(?:\*\.)?+(" + HOST + rb")"), read, (b"#", b";", b"!"))
