"""Check that every curated category entry is a name that public reference lists know."""

from __future__ import annotations

import argparse
import lzma
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
POPULAR = ("popular_all.tsv.xz",)
LISTS = ("school_domains.tsv.xz", "open_domains.tsv.xz", "current_urls.tsv.xz")
PSL = Path("cases/01-psl/publicsuffix-list/public_suffix_list.dat")
NOT_CATEGORIES = frozenset({"feeds.yaml"})
ENTRY_LINE = re.compile(r"^\s*-\s+(?P<entry>[^\s#]+)\s*(?:#\s*certain:\s*(?P<why>\S.*))?")


class Evidence(IntEnum):
    """What stands behind an entry; the first that holds counts."""

    POPULAR = 0
    LISTED = 1
    CERTAIN = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One curated entry and where it stands."""

    file: Path
    line: int
    text: str
    host: str
    certain: bool


@dataclass(slots=True)
class Scan:
    """The wanted hosts, and those of them that a group of lists has confirmed."""

    wanted: dict[str, list[str]]
    suffixes: frozenset[str]
    found: set[str] = field(default_factory=set)

    def see(self, host: str) -> None:
        """Mark what a listed host confirms: itself, its parents and its wanted children."""
        if host not in self.suffixes:
            self.found.update(self.wanted.get(host, ()))
        name = host
        while name:
            if name in self.suffixes or name in self.wanted:
                self.found.add(name)
            _, _, name = name.partition(".")


def category_files(folder: Path) -> list[Path]:
    """Return the category files of a folder in order of name."""
    return sorted(p for p in folder.glob("*.yaml") if p.name not in NOT_CATEGORIES)


def loaded_domains(path: Path) -> list[str]:
    """Return the domains as the YAML loader sees them."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    domains = data.get("domains") if isinstance(data, dict) else None
    if not isinstance(domains, list) or not all(isinstance(d, str) for d in domains):
        raise ValueError(f"{path.name}: 'domains' must be a list of names")
    return list(domains)


def entries_of(path: Path) -> list[Entry]:
    """Read the entries of one file from its raw lines, which hold the comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((n for n, text in enumerate(lines, 1) if text.startswith("domains:")), len(lines))
    entries: list[Entry] = []
    for number, text in enumerate(lines[start:], start + 1):
        match = ENTRY_LINE.match(text)
        if match:
            name = match["entry"].strip("\"'")
            host = name.removeprefix("=").removeprefix("*.").partition("/")[0]
            entries.append(Entry(path, number, name, host, match["why"] is not None))
    if [entry.text for entry in entries] != loaded_domains(path):
        raise ValueError(f"{path.name}: write each domain on a line of its own")
    return entries


def is_suffix(host: str, rules: frozenset[str]) -> bool:
    """Say whether a host is a public suffix (every single label is one)."""
    if "." not in host or host in rules:
        return True
    parent = host.partition(".")[2]
    return f"*.{parent}" in rules and f"!{host}" not in rules


def psl_rules(path: Path) -> frozenset[str]:
    """Read the rules of the Public Suffix List, ICANN and private; none if the file is absent."""
    if not path.is_file():
        return frozenset()
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(text.split()[0] for text in lines if text and not text.startswith("//"))


def parents(host: str) -> Iterator[str]:
    """Yield a host and then its parents, the top-level domain last."""
    while host:
        yield host
        _, _, host = host.partition(".")


def wanted_hosts(hosts: set[str], rules: frozenset[str]) -> tuple[dict[str, list[str]], set[str]]:
    """Map each name that would confirm entries to these entries; return the suffixes apart."""
    wanted: dict[str, list[str]] = {}
    suffixes = {host for host in hosts if is_suffix(host, rules)}
    for host in hosts - suffixes:
        for name in parents(host):
            if is_suffix(name, rules):
                break
            wanted.setdefault(name, []).append(host)
    return wanted, suffixes


def listed_hosts(path: Path) -> Iterator[str]:
    """Stream the hosts of one list."""
    with lzma.open(path, "rt", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if not line.startswith(("#", "/")):
                yield line.partition("\t")[0].partition("/")[0].rstrip("\n")


def confirmed(
    folder: Path, names: tuple[str, ...], hosts: set[str], rules: frozenset[str]
) -> set[str]:
    """Return the hosts that the named lists confirm."""
    wanted, suffixes = wanted_hosts(hosts, rules)
    scan = Scan(wanted, frozenset(suffixes))
    for name in names:
        for host in listed_hosts(folder / name):
            scan.see(host)
    return scan.found & hosts


def judge(entry: Entry, popular: set[str], listed: set[str]) -> Evidence:
    """Return the best evidence for an entry."""
    if entry.host in popular:
        return Evidence.POPULAR
    if entry.host in listed:
        return Evidence.LISTED
    return Evidence.CERTAIN if entry.certain else Evidence.NONE


def print_table(table: dict[str, list[int]]) -> None:
    """Print the counts of each category and their sum."""
    row = "{:<20}{:>9}{:>9}{:>8}{:>9}{:>13}"
    print(row.format("category", "entries", "popular", "lists", "certain", "unconfirmed"))
    for category, counts in table.items():
        print(row.format(category, sum(counts), *counts))
    totals = [sum(counts[kind] for counts in table.values()) for kind in Evidence]
    print(row.format("total", sum(totals), *totals))


def report(entries: list[Entry], popular: set[str], listed: set[str]) -> int:
    """Print the table and what is unconfirmed; return how many entries that are."""
    table: dict[str, list[int]] = {}
    missing: list[Entry] = []
    for entry in entries:
        kind = judge(entry, popular, listed)
        table.setdefault(entry.file.stem, [0] * len(Evidence))[kind] += 1
        if kind is Evidence.NONE:
            missing.append(entry)
    print_table(table)
    for entry in missing:
        print(f"{entry.file.name}:{entry.line}: {entry.text} is in no reference list")
    return len(missing)


def default_data() -> Path:
    """Return the folder of the reference data."""
    named = os.environ.get("SCHOOLGATE_TEST_DATA")
    return Path(named) if named else REPO.parent / "shared"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=default_data(),
        help="folder of the reference data (default: $SCHOOLGATE_TEST_DATA or ../shared)",
    )
    return parser.parse_args()


def main() -> int:
    """Run the check and return the exit code."""
    data: Path = arguments().data
    folder = data / "lists"
    absent = [name for name in (*POPULAR, *LISTS) if not (folder / name).is_file()]
    if absent:
        print(f"The reference lists are absent: no {absent[0]} in {folder}.", file=sys.stderr)
        return 3
    try:
        entries = [entry for path in category_files(HERE) for entry in entries_of(path)]
    except (ValueError, yaml.YAMLError) as fault:
        print(f"A category file cannot be read: {fault}", file=sys.stderr)
        return 2
    rules = psl_rules(data / PSL)
    hosts = {entry.host for entry in entries}
    popular = confirmed(folder, POPULAR, hosts, rules)
    listed = confirmed(folder, LISTS, hosts - popular, rules)
    return 1 if report(entries, popular, listed) else 0


if __name__ == "__main__":
    sys.exit(main())
