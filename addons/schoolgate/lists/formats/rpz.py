"""Response policy zones (draft-vixie-dnsop-dns-rpz): ``host CNAME .`` and ``*.host CNAME .``.

The names of a zone are alone or only what is below; a list that has both means the site.
"""

import re
from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, Excepted, LineFormat, NotUsed, site, usual

_RECORD = re.compile(
    r"(?P<name>\S+)\s+(?:\d+[smhdw]?\s+)?(?:in\s+)?(?:\d+\s+)?(?P<type>[a-z0-9]+)\s+(?P<data>\S+)",
    re.I,
)
_LET_THROUGH = "rpz-passthru."
# What is decided by address or by server, not by name (sections 4.2 to 4.5).
_OF_SERVERS = rb"(?<!\.rpz-ip)(?<!\.rpz-client-ip)(?<!\.rpz-nsip)(?<!\.rpz-nsdname)"
_ADDRESSES = re.compile(r"\.rpz-(?:ip|client-ip|nsip|nsdname)\b", re.I)


def read(line: str) -> Iterable[str]:
    """Give the entry of a record."""
    if line.startswith(("$", "@", ")")) or (
        line[:1].isdigit() and line.split(";", maxsplit=1)[0].strip().isdigit()
    ):
        raise NotUsed
    found = _RECORD.match(line.partition(";")[0])
    if found is None:
        raise BadAddressError(f"{line[:80]!r} is no record of a zone")
    kind, data = found["type"].lower(), found["data"].lower()
    if kind in ("soa", "ns", "txt"):
        raise NotUsed
    if _ADDRESSES.search(found["name"]):
        raise BadAddressError(f"{line[:80]!r} is about addresses or servers, not about a site")
    if kind not in ("cname", "a", "aaaa"):
        raise BadAddressError(f"{line[:80]!r} is a record that closes nothing")
    below = found["name"].startswith("*.")
    entry = ("*." if below else "=") + site(found["name"].removeprefix("*.").removesuffix("."))
    if data == _LET_THROUGH:
        raise Excepted([entry])
    return (entry,)


RPZ = LineFormat(
    usual(
        rb"((?:\*\.)?+"
        + HOST
        + rb")"
        + _OF_SERVERS
        + rb"[ \t]++(?:\d++[ \t]++)?+(?:in[ \t]++)?+cname[ \t]++\."
    ),
    read,
    (b";", b"$", b"@"),
    alone=True,
)
