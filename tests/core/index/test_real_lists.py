"""On millions of real names, the index in C and in Python says what a scan over all suffixes says."""

import lzma
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import batched, chain
from pathlib import Path

import pytest

from schoolgate.core.index import SiteIndex, Source, build_index, read_index
from tests.data import shared

CHECKS = 5_000_000
EVERY = 60  # of the names with something changed, one in so many

# Our own, so that the rule is also tried where the data by others is absent.
OWN = {
    "example.com": 1,
    "games.example.com": 2,
    "example.co.uk": 4,
    "co.uk": 8,
    "a.b.c.d.example": 3,
    "10.0.0.1": 1,
}
OWN_ASKED = ["example.com", "uk", "other.co.uk", "d.example", "0.0.1", "unlisted.example"]


def rows(path: Path) -> Iterator[list[str]]:
    with lzma.open(path, "rt", encoding="ascii") as lines:
        for line in lines:
            if not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def changed(names: Iterable[str]) -> Iterator[str]:
    """Give names with something added, cut off or glued on."""
    for name in names:
        yield name.partition(".")[2] or name
        yield f"x.{name}"
        yield f"www.a.b.{name}"
        yield f"x{name}"
        yield name[1:] or name
        yield f"{name}.example"
        yield name.upper() + "."


def scan(masks: dict[str, int], host: str) -> int:
    """Unite the masks of a host and of everything above it, one suffix after the other."""
    host = host.lower().removesuffix(".")
    found = masks.get(host, 0)
    while "." in host:
        host = host[host.index(".") + 1 :]
        # An address covers itself alone.
        if not (host[-1:].isdigit() and host.replace(".", "").isdigit()):
            found |= masks.get(host, 0)
    return found


def agree(masks: dict[str, int], asked: Iterable[str]) -> int:
    """Compare all; give how many were compared."""
    n_categories = max(masks.values()).bit_length()
    texts = {
        f"c{bit}": "\n".join(name for name, mask in masks.items() if mask >> bit & 1).encode()
        for bit in range(n_categories)
    }
    sources = [Source(id_, id_, "list", partial(bytes, text)) for id_, text in texts.items()]
    image = b"".join(build_index((), sources, seed=2026).pieces)
    native, plain = read_index(image, native=True), read_index(image, native=False)
    assert native.names == len(masks)
    known: dict[int, int] = {}
    checks = 0
    for hosts in batched(asked, 10_000):
        want = [scan(masks, host) for host in hosts]
        ids = native.get_many(hosts)
        assert [mask_of(native, number, known) for number in ids] == want
        assert plain.get_many(hosts) == ids
        checks += len(hosts)
    return checks


def mask_of(sites: SiteIndex, number: int, known: dict[int, int]) -> int:
    if number not in known:
        known[number] = sum(1 << int(name[1:]) for name in sites.categories(number))
    return known[number]


def test_names_of_our_own_are_found_as_a_scan_finds_them() -> None:
    asked = [*OWN, *OWN_ASKED, *changed(OWN)]
    assert agree(OWN, asked) == len(asked)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_million_names_are_found_as_a_scan_finds_them() -> None:
    masks = {row[0]: int(row[1], 16) for row in rows(shared("lists/school_domains.tsv.xz"))}
    popular = [row[0] for row in rows(shared("lists/popular_all.tsv.xz"))]
    some = chain(list(masks)[::EVERY], popular[::EVERY])
    assert agree(masks, chain(masks, popular, changed(some))) > CHECKS
