"""The real bundle as feeds: each of its categories a list, in one format or another, with a register."""

import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.feeds.data import WRITTEN, listed, tarball

# Name in the bundle, by bit → our category; what stands for nothing of ours is left out.
_CATEGORIES = {
    0: ("adult", "adult"), 1: ("ai", "chat-ai"), 2: ("auctions", "auctions"), 4: ("chat", "messaging"),
    5: ("cheating", "illegal"), 7: ("cryptojacking", "malware"), 8: ("dating", "dating"),
    9: ("doh", "circumvention"), 10: ("download", "software-downloads"), 11: ("drugs", "drugs"),
    12: ("dynamic-dns", "free-hosting"), 13: ("educational_games", "games"), 14: ("fakenews", "news"),
    15: ("filehosting", "filesharing"), 16: ("forums", "blogs-forums"), 17: ("gambling", "gambling"),
    18: ("games", "games"), 19: ("hacking", "illegal"), 20: ("lingerie", "adult"), 23: ("malware", "malware"),
    24: ("manga", "tv-film"), 25: ("mobile-phone", "shopping"), 26: ("phishing", "phishing"),
    27: ("radio", "radio-music"), 28: ("redirector", "circumvention"),
    29: ("remote-control", "circumvention"),
    30: ("scam", "phishing"), 31: ("sect", "hate"), 33: ("shortener", "circumvention"),
    34: ("social", "social-networks"), 35: ("streaming", "streaming"), 36: ("tobacco", "tobacco"),
    37: ("torrent", "filesharing"), 38: ("video-youtube", "video-sharing"), 39: ("violence", "violence"),
    40: ("vpn", "circumvention"), 41: ("warez", "piracy"), 42: ("weapons", "weapons"),
    43: ("web-archive", "translate-cache"), 44: ("webmail", "webmail"),
}  # fmt: skip
# How the lists of the bundle are written, in turns.
_FORMATS = ("ut1", "plain", "hosts", "adblock", "dnsmasq", "rpz")
# More than one feed has the largest.
_SHARES = {"adult": 4, "malware": 2, "phishing": 2}


@dataclass(frozen=True, slots=True)
class RealList:
    """One list of the bundle.

    Attributes:
        name: of it.
        category: ours.
        format: that it is written in.
        file: its path below the base.
        count: entries.
    """

    name: str
    category: str
    format: str
    file: str
    count: int


def write_bundle(directory: Path) -> list[RealList]:
    """Write each list of the bundle in its format below a directory."""
    kept: dict[int, list[bytes]] = defaultdict(list)
    for host, mask in listed():
        for bit in _CATEGORIES:
            if mask >> bit & 1:
                kept[bit].append(host)
    return list(_written(directory, kept))


def _written(directory: Path, kept: dict[int, list[bytes]]) -> Iterator[RealList]:
    turn = 0
    for bit, (name, category) in _CATEGORIES.items():
        shares = _SHARES.get(name, 1)
        for share in range(shares):
            hosts = kept[bit][share::shares]
            form = _FORMATS[turn % len(_FORMATS)]
            turn += 1
            title = f"{name}-{share}" if shares > 1 else name
            file = f"{title}.tar.gz" if form == "ut1" else f"{title}.txt"
            content = b"".join(WRITTEN["plain" if form == "ut1" else form] % host for host in hosts)
            if form == "ut1":
                content = gzip.compress(tarball(title, content), 1, mtime=0)
            if form == "rpz":
                content += b"".join(b"%s CNAME .\n" % host for host in hosts)
            (directory / file).write_bytes(content)
            yield RealList(title, category, form, file, len(hosts))


def register_of(lists: list[RealList], base: str) -> str:
    """Give a register of the bundle: a feed for each format."""
    feeds: dict[str, dict[str, object]] = {}
    for one in lists:
        feed = feeds.setdefault(
            f"real-{one.format}",
            {
                "title": f"The bundle as {one.format}",
                "home": base,
                "licence": {"name": "test data", "redistribution": False, "commercial": False},
                "format": one.format,
                "every_hours": 24,
                "on": True,
                "base": base,
                "lists": {},
            },
        )
        plausible = {"least": max(1, one.count // 2), "greatest": one.count * 3 + 10}
        said = {"file": one.file, "category": one.category, **plausible}
        feed["lists"][one.name] = said  # type: ignore[index]
    return yaml.safe_dump({"feeds": feeds}, sort_keys=False)
