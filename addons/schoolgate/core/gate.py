"""The gate between a list of others and its use: what is dropped, what a person must look at first.

Entries are bytes as lists write them (``host``, ``=host``, ``*.host``, ``host/path``). A set of millions is
judged by a few operations over all of it; what is found is looked at one by one.
"""

import contextlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

# An apex with so many listed children of its own is a place where everybody has a site.
MANY_CHILDREN = 500
# An update that loses or gains more than this is not what its publisher meant, or needs a look.
_MOST_LOST = 0.3
_MOST_GAINED = 1.0
# A small list may double.
_SMALL = 2_000

_PARENT = re.compile(rb"^[^.\n/]+\.([^\n/]+)$", re.MULTILINE)
_SIGNED = re.compile(rb"^(?:=|\*\.)", re.MULTILINE)
# Cyrillic, Greek and other letters that are drawn like Latin ones (Unicode TR 39), and digits like letters.
_LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0261"
    "\u0131\u0578\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u0432\u043a\u043c\u043d"
    "\u0442\u04cf\u0142\u00df01",
    "aeopcyxijshdqwginaeikvoptubkmhtllbol",
)


class Ground(StrEnum):
    """Why an entry does not go live."""

    NO_ENTRY = "is no entry"
    PUBLIC_SUFFIX = "is a public suffix"
    PLATFORM = "carries everybody's content"
    MANY = "has many listed children"
    LOOKS_LIKE = "looks like the school's own domain"
    NEVER = "is never to be blocked by mistake"
    POPULAR = "is one of the most visited hosts"
    IN_USE = "is in use here"

    @property
    def holds(self) -> bool:
        """Whether a person may let it go live all the same; the rest is dropped."""
        return self in (Ground.LOOKS_LIKE, Ground.NEVER, Ground.POPULAR, Ground.IN_USE)


@dataclass(frozen=True, slots=True)
class Finding:
    """An entry that does not go live.

    Attributes:
        entry: as the list writes it.
        ground: why.
        detail: what it is about, e.g. the host that it would close.
    """

    entry: str
    ground: Ground
    detail: str = ""

    def __str__(self) -> str:
        """Give it in a line."""
        return f"{self.entry}: {self.ground.value}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Suffixes:
    """The Public Suffix List.

    Attributes:
        exact: names that are suffixes.
        parents: names below which every name is one (``*.ck``), themselves suffixes to us.
        exceptions: names below these that are none (``www.ck``).
    """

    exact: Collection[bytes]
    parents: Collection[bytes]
    exceptions: Collection[bytes]


@dataclass(frozen=True, slots=True)
class Guards:
    """What no list closes by mistake.

    Attributes:
        suffixes: public ones.
        platforms: host → where we list it; they carry everybody's content.
        never: host → why; itself, what is below it, and what it is below.
        is_below_never: asks of a host whether it is one of those or below one.
        own: the school's domains.
        popular: the most visited hosts.
        curated: asks whether our own lists put a host into a category.
    """

    suffixes: Suffixes
    platforms: Mapping[bytes, str]
    never: Mapping[bytes, str]
    is_below_never: Callable[[str], object]
    own: Collection[str]
    popular: Collection[bytes]
    curated: Callable[[str, str], bool]


@dataclass(slots=True)
class Judgement:
    """What the gate says of a list.

    Attributes:
        taken: entries that go live.
        findings: entries that do not.
        popular: those of its entries that cover a popular host.
    """

    taken: set[bytes]
    findings: list[Finding]
    popular: set[bytes]


def judge(
    new: set[bytes],
    old: Collection[bytes],
    category: str,
    guards: Guards,
    approved: Collection[bytes] = (),
) -> Judgement:
    """Judge the entries of a list, but for what depends on other lists (`disputed`).

    Args:
        new: its entries; they become those that are taken.
        old: those of it that are live.
        category: that it puts sites into.
        guards: what it must not close.
        approved: entries that a person let go live.
    """
    hosts = bare_hosts(new)
    children = Counter(_PARENT.findall(b"\n".join(hosts)))
    dropped = _suffixes(hosts, children, guards.suffixes)
    dropped |= _platforms(hosts, category, guards)
    dropped |= _crowded(hosts, children, category, guards)
    fresh = hosts - bare_hosts(old) if old else hosts
    waiting = _never(fresh, guards) | _alike(fresh, guards.own)
    for host in [host for host in waiting if host in approved or host in dropped]:
        del waiting[host]
    popular = (hosts & closure(guards.popular)) - dropped.keys() - waiting.keys()
    findings = _take_out(new, dropped) + _take_out(new, waiting)
    return Judgement(new, findings, popular)


def size_fault(count: int, before: int, least: int, greatest: int) -> str:
    """Say why a list of some size waits for a person; empty where it does not.

    Args:
        count: its entries now.
        before: its entries that are live; 0 where there are none.
        least: that are plausible.
        greatest: that are plausible.
    """
    if count < least:
        return f"has {count:,} entries, and {least:,} are the least that is plausible"
    if count > greatest:
        return f"has {count:,} entries, and {greatest:,} are the most that is plausible"
    if before and count < before * (1 - _MOST_LOST):
        return f"shrank from {before:,} to {count:,} entries"
    if before and count > before * (1 + _MOST_GAINED) and count > _SMALL:
        return f"grew from {before:,} to {count:,} entries"
    return ""


def disputed(
    popular: Mapping[str, Collection[bytes]],
    feed_of: Callable[[str], str],
    category_of: Callable[[str], str],
    curated: Callable[[str, str], bool],
    live: Mapping[str, Collection[bytes]],
) -> dict[str, list[Finding]]:
    """Find the entries that would close a popular host on the word of one feed alone.

    Args:
        popular: list → its entries that cover popular hosts.
        feed_of: gives the feed of a list.
        category_of: gives the category of a list.
        curated: asks whether our own lists put a host into a category.
        live: list → those of these that are live already, or that a person has approved.

    Returns:
        list → what is held.
    """
    agree: dict[tuple[bytes, str], set[str]] = {}
    for name, entries in popular.items():
        for entry in entries:
            agree.setdefault((entry, category_of(name)), set()).add(feed_of(name))
    held: dict[str, list[Finding]] = {}
    for name, entries in popular.items():
        category = category_of(name)
        for entry in sorted(entries):
            alone = len(agree[entry, category]) < 2 and entry not in live.get(name, ())
            if alone and not curated(entry.decode(), category):
                finding = Finding(
                    entry.decode(), Ground.POPULAR, f"and only one feed says {category}"
                )
                held.setdefault(name, []).append(finding)
    return held


def bare_hosts(entries: Collection[bytes]) -> set[bytes]:
    """Give the hosts of the entries that are about hosts, without the signs of reach."""
    text = b"\n".join(entries)
    if b"=" in text or b"*" in text:
        text = _SIGNED.sub(b"", text)
    hosts = set(text.split(b"\n"))
    if b"/" in text:
        hosts = {host for host in hosts if b"/" not in host}
    hosts.discard(b"")
    return hosts


def closure(hosts: Iterable[bytes]) -> set[bytes]:
    """Give hosts with every name of two labels or more that they are below."""
    found: set[bytes] = set()
    for host in hosts:
        name = host
        while b"." in name and name not in found:
            found.add(name)
            name = name.partition(b".")[2]
    return found


def skeleton(host: str) -> str:
    """Give what a host looks like: other scripts and accents in the Latin letters they resemble."""
    labels = []
    for label in host.split("."):
        written = label
        if label.startswith("xn--"):
            with contextlib.suppress(UnicodeError):
                written = label[4:].encode().decode("punycode")
        plain = unicodedata.normalize("NFKD", written.casefold())
        labels.append("".join(c for c in plain if not unicodedata.combining(c)).translate(_LOOKS))
    return ".".join(labels)


def _suffixes(
    hosts: set[bytes], children: Mapping[bytes, int], suffixes: Suffixes
) -> dict[bytes, Finding]:
    found = {host for host in (*suffixes.exact, *suffixes.parents) if host in hosts}
    wide = [parent for parent in suffixes.parents if parent in children]
    if wide:
        ends = tuple(b"." + parent for parent in wide)
        below = [host for host in hosts if host.endswith(ends)]
        parents = set(wide)
        found |= {host for host in below if host.partition(b".")[2] in parents}
        found.difference_update(suffixes.exceptions)
    return _findings(found, Ground.PUBLIC_SUFFIX, lambda _: "")


def _platforms(hosts: set[bytes], category: str, guards: Guards) -> dict[bytes, Finding]:
    there = hosts & guards.platforms.keys()
    found = {host for host in there if not guards.curated(host.decode(), category)}
    return _findings(found, Ground.PLATFORM, lambda host: guards.platforms[host])


def _crowded(
    hosts: set[bytes], children: Mapping[bytes, int], category: str, guards: Guards
) -> dict[bytes, Finding]:
    many = {host: n for host, n in children.items() if n >= MANY_CHILDREN and host in hosts}
    found = {host for host in many if not guards.curated(host.decode(), category)}
    return _findings(found, Ground.MANY, lambda host: f"{many[host]:,}")


def _never(fresh: set[bytes], guards: Guards) -> dict[bytes, Finding]:
    above = fresh & closure(guards.never)
    names = b"\n".join(fresh).decode().split("\n")
    below = {name.encode() for name in filter(guards.is_below_never, names)}
    return _findings(above | below, Ground.NEVER, lambda host: _why_never(host, guards.never))


def _why_never(host: bytes, never: Mapping[bytes, str]) -> str:
    name = host
    while name:
        if name in never:
            return f"{never[name]}: {name.decode()}"
        name = name.partition(b".")[2]
    end = b"." + host
    for other, why in never.items():
        if other.endswith(end):
            return f"{why}: it covers {other.decode()}"
    return ""


def _alike(fresh: set[bytes], own: Collection[str]) -> dict[bytes, Finding]:
    """Find names that are drawn like one of the school's: one label differs, and the rest is the same."""
    found = {}
    for name in own:
        drawn, end = skeleton(name), b"." + name.partition(".")[2].encode()
        for host in [host for host in fresh if host.endswith(end) and host != name.encode()]:
            # What is drawn like it may have more in front.
            written = skeleton(host.decode())
            if written == drawn or written.endswith(f".{drawn}"):
                found[host] = Finding(host.decode(), Ground.LOOKS_LIKE, name)
    return {host: finding for host, finding in found.items() if not _is_below(host, own)}


def _is_below(host: bytes, own: Collection[str]) -> bool:
    return any(host.endswith(b"." + name.encode()) for name in own)


def _findings(
    hosts: Collection[bytes], ground: Ground, detail: Callable[[bytes], str]
) -> dict[bytes, Finding]:
    return {host: Finding(host.decode(), ground, detail(host)) for host in hosts}


def _take_out(entries: set[bytes], findings: Mapping[bytes, Finding]) -> list[Finding]:
    for host in findings:
        entries -= {host, b"=" + host, b"*." + host}
    return sorted(findings.values(), key=lambda finding: finding.entry)
