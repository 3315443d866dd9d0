"""The lists of v2fly's domain-list-community: sites with attributes, and files that include others."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import (
    HOST,
    Batch,
    LineFormat,
    NoListError,
    NotUsed,
    site,
    usual,
)

_INCLUDE = re.compile(rb"^[ \t]*include:([^\s@#]+)((?:[ \t]+[@&][^\s#]+)*)", re.MULTILINE)
_LINE = re.compile(r"(?:(?P<kind>[a-z]+):)?(?P<value>[^\s@&]+)(?:\s+[@&]\S+)*$")
_DEEPEST = 32


def included(text: bytes) -> list[str]:
    """Give the names of the files that a file includes, in its order."""
    return list(dict.fromkeys(found[1].decode() for found in _INCLUDE.finditer(text)))


def read_v2fly(name: str, text_of: Callable[[str], bytes], attribute: str = "") -> Iterator[Batch]:
    """Read a file with all that it includes.

    Args:
        name: of the file.
        text_of: gives the text of a file.
        attribute: of the lines that are wanted, e.g. ``ads``; all when empty.

    Raises:
        NoListError: when a file is none, or includes itself.
    """
    yield from _read(name, text_of, (name,), (attribute,) if attribute else ())


def _read(
    name: str, text_of: Callable[[str], bytes], above: Sequence[str], wanted: Sequence[str]
) -> Iterator[Batch]:
    text = text_of(name)
    yield from V2FLY.parse([_only(text, wanted)])
    for found in _INCLUDE.finditer(text):
        below = found[1].decode()
        if below in above or len(above) > _DEEPEST:
            raise NoListError(f"includes itself by '{below}'")
        # "include:x @ads" takes those of x that have the attribute, "@-ads" those that do not.
        attributes = [word[1:] for word in found[2].decode().split() if word.startswith("@")]
        yield from _read(below, text_of, (*above, below), (*wanted, *attributes))


def _only(text: bytes, wanted: Sequence[str]) -> bytes:
    """Empty the lines that do not have the attributes that are wanted."""
    if not wanted:
        return text
    need = [word.encode() for word in wanted if not word.startswith("-")]
    shun = [word[1:].encode() for word in wanted if word.startswith("-")]

    def kept(line: bytes) -> bytes:
        has = {word[1:] for word in line.partition(b"#")[0].split() if word.startswith(b"@")}
        return line if has.issuperset(need) and has.isdisjoint(shun) else b""

    return b"\n".join(map(kept, text.split(b"\n")))


def read(line: str) -> Iterable[str]:
    """Give the entry of a line."""
    found = _LINE.match(line.partition("#")[0].strip())
    if found is None:
        raise BadAddressError(f"{line[:80]!r} is no line of such a list")
    match found["kind"]:
        case None | "domain":
            return (site(found["value"]),)
        case "full":
            return (f"={site(found['value'])}",)
        case "keyword" | "regexp" | "include":
            # The index knows names: what only sounds alike is not closed. Files are included above.
            raise NotUsed
        case kind:
            raise BadAddressError(f"nobody knows lines of the kind {kind!r}")


V2FLY = LineFormat(
    usual(rb"(?:domain:)?+(" + HOST + rb")(?:[ \t]++[@&][^\s#]++)*+(?:[ \t]++#[^\n]*+)?+"), read
)
