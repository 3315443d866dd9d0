r"""The part of the Adblock syntax that means sites: ``||host^`` and its exception ``@@||host^``."""

import re
from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, Excepted, LineFormat, NotUsed, site, usual

_SITE = re.compile(r"(?P<but>@@)?\|\|(?P<host>[^\^/$|*]+)\^?\|?(?:\$(?P<options>\S+))?$")
# They do not narrow which sites a rule is about.
_HARMLESS = frozenset({"all", "document", "doc", "important", "popup", "third-party", "3p"})


def read(line: str) -> Iterable[str]:
    """Give the entry of a rule; rules for parts of pages are not used."""
    if line.startswith(("!", "[")):
        raise NotUsed
    found = _SITE.match(line)
    if found is None:
        if (
            line.startswith(("||", "@@||"))
            or "#" in line
            or "/" in line
            or "$" in line
            or "*" in line
        ):
            raise NotUsed
        raise BadAddressError(f"{line[:80]!r} is no rule for a site")
    if found["options"] and not set(found["options"].split(",")) <= _HARMLESS:
        raise NotUsed
    entry = site(found["host"])
    if found["but"]:
        raise Excepted([entry])
    return (entry,)


ADBLOCK = LineFormat(usual(rb"\|\|(" + HOST + rb")\^"), read, (b"!", b"["))
