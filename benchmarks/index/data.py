"""What the index benchmark reads: per-category text files made from a packed list, and query mixes."""

import lzma
import os
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261121
SLICE = 20_000
LISTS = ("school", "open")
MIXES = ("real", "miss", "deep miss", "hit")

_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_BIT = re.compile(r"(\d+)=([\w-]+)\(")
# The popular lists tell a rank only as a bucket, so its middle stands for the rank.
_MIDDLE = {
    1_000: 500,
    5_000: 3_000,
    10_000: 7_500,
    20_000: 15_000,
    50_000: 35_000,
    100_000: 75_000,
    200_000: 150_000,
    1_000_000: 600_000,
}

type Mixes = dict[str, list[bytes]]


@dataclass(frozen=True)
class Prepared:
    """A list as a supplier's cleaned files: one text file a category, one domain a line."""

    name: str
    folder: Path

    @cached_property
    def files(self) -> dict[str, Path]:
        """Give the text file of every category."""
        return {path.stem: path for path in sorted((self.folder / "text").glob("*.txt"))}

    def built(self, engine: str) -> Path:
        """Give the place of what an engine builds."""
        return self.folder / engine


def source_folder() -> Path:
    """Give the folder of the packed lists."""
    return Path(os.environ.get("SCHOOLGATE_TEST_DATA", ROOT.parent / "shared")) / "lists"


def prepare(name: str, base: Path) -> tuple[Prepared, int]:
    """Unpack a list into text files; give it and the number of lines that are no domain."""
    source = source_folder()
    packed = source / f"{name}_domains.tsv.xz"
    by_mask: dict[int, list[str]] = defaultdict(list)
    left_out = 0
    names: dict[int, str] = {}
    with lzma.open(packed, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                names = {int(bit): category for bit, category in _BIT.findall(line)}
                continue
            domain, mask = line.split("\t")[:2]
            if _NAME.fullmatch(domain):
                by_mask[int(mask, 16)].append(domain)
            else:
                left_out += 1
    names = names or _names_beside(source / f"{name}_categories.json")
    prepared = Prepared(name, base / name)
    (prepared.folder / "text").mkdir(parents=True)
    for bit, category in names.items():
        domains = [domain for mask, some in by_mask.items() if mask >> bit & 1 for domain in some]
        # Suppliers sort by the plain text, if at all, which is no help to an index of suffixes.
        domains.sort()
        if domains:
            target = prepared.folder / "text" / f"{category}.txt"
            target.write_text("\n".join(domains) + "\n", encoding="ascii")
    return prepared, left_out


def _names_beside(path: Path) -> dict[int, str]:
    pairs = re.findall(r'"([\w-]+)":\s*(\d+)', path.read_text(encoding="utf-8"))
    return {int(bit): category for category, bit in pairs}


def mixes(listed: list[str], is_listed: Callable[[str], object], queries: int) -> Mixes:
    """Draw the queries of every mix, the same ones in every run."""
    rng = random.Random(SEED)
    popular = dict(_popular())
    hosts = list(popular)
    weights = list(accumulate(1 / popular[host] for host in hosts))
    real = rng.choices(hosts, cum_weights=weights, k=queries)
    uncovered = [host for host in hosts if not is_listed(host)]
    miss = rng.choices(uncovered, k=queries)
    hit = rng.choices(listed, k=queries)
    drawn = {
        "real": [host if rng.random() < 0.75 else with_www(host) for host in real],
        "miss": miss,
        "deep miss": [f"a.b.c.d.{host}" for host in miss],
        "hit": [host if at % 2 else with_www(host) for at, host in enumerate(hit)],
    }
    # Bytes, so that each call is given a string as a proxy gives it: new, its hash not yet known.
    return {mix: [host.encode() for host in some] for mix, some in drawn.items()}


def with_www(host: str) -> str:
    """Give the host's ``www`` form."""
    return host if host.startswith("www.") else f"www.{host}"


def _popular() -> Iterator[tuple[str, int]]:
    with lzma.open(source_folder() / "popular_all.tsv.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            host, bucket = line.split("\t")
            if _NAME.fullmatch(host):
                yield host, _MIDDLE[int(bucket)]
