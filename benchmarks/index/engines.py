"""The indexes that run inside Python, behind one face: ours, a plain dict, and marisa-trie."""

import mmap
import resource
import time
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.index.data import SEED, Prepared
from schoolgate.core.index import Source, build_index
from schoolgate.core.index.native import use_native
from schoolgate.lists.index_file import open_index, write_index

BLOCK = 32
BATCH = 1_000

type Categories = frozenset[str]


class NotHereError(Exception):
    """An engine cannot run on this machine or with this list."""


class Session(ABC):
    """An index that is open and answers."""

    @abstractmethod
    def samples(self, hosts: Sequence[bytes]) -> list[float]:
        """Time look-ups; give nanoseconds a call, a number for every timed block."""

    @abstractmethod
    def blocked(self, hosts: Sequence[bytes]) -> list[bool]:
        """Tell of every host whether any entry covers it."""

    def categories(self, hosts: Sequence[bytes]) -> list[Categories] | None:
        """Give every host's categories, or None when the engine cannot tell them all."""
        del hosts
        return None

    def batches(self, hosts: Sequence[bytes]) -> list[float]:
        """Time calls for many hosts at once; give nanoseconds a host, a number for every call."""
        del hosts
        return []

    def private_of(self) -> int | None:
        """Give the id of the process whose memory the index is in, None for this one."""
        return None

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of files and processes."""


class Engine(ABC):
    """A kind of index."""

    key: str
    title: str
    shares_memory = True

    def check(self) -> None:  # noqa: B027 - most need nothing
        """Raise NotHereError when it cannot run here."""

    @abstractmethod
    def build(self, data: Prepared) -> list[str]:
        """Make the finished file of the text files; give the lines that it refused."""

    @abstractmethod
    def open(self, data: Prepared) -> Session:
        """Open the finished file until a first answer is possible."""

    def size(self, data: Prepared) -> int | None:
        """Give the bytes on disk, None when there is no file."""
        built = data.built(self.key)
        files = built.rglob("*") if built.is_dir() else [built]
        return sum(path.stat().st_size for path in files if path.is_file())


class InPython(Session):
    """An index that one Python call asks."""

    def __init__(
        self,
        get: Callable[[str], Any],
        names: Callable[[Any], Categories],
        get_many: Callable[[list[str]], object] | None = None,
    ) -> None:
        self.get = get
        self._names = cache(names)
        self._get_many = get_many

    def samples(self, hosts: Sequence[bytes]) -> list[float]:
        """Time blocks of calls, each with strings that no dict has hashed yet."""
        get, clock, found = self.get, time.perf_counter_ns, []
        taken_away = _times_taken_away()
        for at in range(0, len(hosts) - BLOCK + 1, BLOCK):
            block = [host.decode() for host in hosts[at : at + BLOCK]]
            began = clock()
            for host in block:
                get(host)
            took = clock() - began
            # A block in which another process was given the CPU says nothing of the engine.
            before, taken_away = taken_away, _times_taken_away()
            if taken_away == before:
                found.append(took / BLOCK)
        return found

    def blocked(self, hosts: Sequence[bytes]) -> list[bool]:
        """Tell of every host whether any entry covers it."""
        return [bool(self.get(host.decode())) for host in hosts]

    def categories(self, hosts: Sequence[bytes]) -> list[Categories]:
        """Give every host's categories."""
        return [self._names(self.get(host.decode())) for host in hosts]

    def batches(self, hosts: Sequence[bytes]) -> list[float]:
        """Time calls for many hosts at once."""
        found: list[float] = []
        if self._get_many is None:
            return found
        for at in range(0, len(hosts) - BATCH + 1, BATCH):
            strings = [host.decode() for host in hosts[at : at + BATCH]]
            began = time.perf_counter_ns()
            self._get_many(strings)
            found.append((time.perf_counter_ns() - began) / BATCH)
        return found


def _times_taken_away() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


class Schoolgate(Engine):
    """Our index; nothing else here knows how its modules and methods are called."""

    def __init__(self, *, native: bool) -> None:
        self.native = native
        self.key = "native" if native else "pure"
        self.title = f"schoolgate {self.key}"

    def check(self) -> None:
        """Raise NotHereError when the native half was not built."""
        try:
            use_native(self.native)
        except ValueError as error:
            raise NotHereError(str(error)) from error

    def build(self, data: Prepared) -> list[str]:
        """Read every category's file and write the index file."""
        sources = [
            Source(category, category, "benchmark", path.read_bytes)
            for category, path in data.files.items()
        ]
        built = build_index(sources=sources, seed=SEED, native=self.native)
        write_index(data.built(self.key), built)
        return [
            data.files[one.source].read_text().splitlines()[one.line - 1] for one in built.refused
        ]

    def open(self, data: Prepared) -> Session:
        """Map the index file and judge it, as a worker does."""
        index = open_index(data.built(self.key), native=self.native)

        def names(set_id: int) -> Categories:
            return frozenset(index.categories(set_id))

        return InPython(index.get, names, index.get_many)


class DictOfSuffixes(Engine):
    """What one would write first: a dict of masks, asked for every suffix from the longest."""

    key = "dict"
    title = "dict of suffixes"
    shares_memory = False

    def build(self, data: Prepared) -> list[str]:
        """Do nothing: it has no file, so every start builds it."""
        del data
        return []

    def open(self, data: Prepared) -> Session:
        """Read the text files into the dict."""
        masks = read_masks(data)
        return InPython(suffix_look_up(masks), lambda mask: names_of(mask, data))

    def size(self, data: Prepared) -> int | None:
        """Give None: there is no file."""
        del data
        return None


def read_masks(data: Prepared) -> dict[str, int]:
    """Give the category mask of every listed domain."""
    masks: dict[str, int] = {}
    for bit, path in enumerate(data.files.values()):
        fresh = dict.fromkeys(path.read_text(encoding="ascii").splitlines(), 1 << bit)
        for domain in masks.keys() & fresh.keys():
            fresh[domain] |= masks[domain]
        masks |= fresh
    return masks


def suffix_look_up(masks: dict[str, int]) -> Callable[[str], int]:
    """Give the function that unites the masks of a host and of all the domains it is in."""

    def get(host: str) -> int:
        mask = 0
        while host:
            # Two look-ups of a hit cost less than dict.get's call for the many that miss.
            if host in masks:
                mask |= masks[host]
            host = host.partition(".")[2]
        return mask

    return get


def names_of(mask: int, data: Prepared) -> Categories:
    """Give the names of a mask's categories."""
    return frozenset(name for bit, name in enumerate(data.files) if mask >> bit & 1)


class MarisaTrie(Engine):
    """A static trie of the reversed domains, each closed by a dot so that prefixes end at labels.

    Whole strings are reversed, not labels, and the values are an array beside a plain Trie: a
    RecordTrie of reversed labels takes as much room and four times the time a look-up.
    """

    key = "marisa"
    title = "marisa-trie"

    def check(self) -> None:
        """Raise NotHereError when the package is missing."""
        try:
            import_module("marisa_trie")
        except ImportError as error:
            raise NotHereError("the package marisa-trie is not installed") from error

    def build(self, data: Prepared) -> list[str]:
        """Save the trie, the set of every key and the sets' masks."""
        masks = read_masks(data)
        trie = import_module("marisa_trie").Trie([f"{domain[::-1]}." for domain in masks])
        sets = {mask: at for at, mask in enumerate(sorted(set(masks.values())))}
        values = array("H", bytes(2 * len(masks)))
        for key, at in trie.items():
            values[at] = sets[masks[key[-2::-1]]]
        folder = data.built(self.key)
        folder.mkdir()
        trie.save(str(folder / "trie"))
        (folder / "values").write_bytes(values.tobytes())
        (folder / "sets").write_text("\n".join(map(str, sets)))
        return []

    def open(self, data: Prepared) -> Session:
        """Map the trie and the values."""
        folder = data.built(self.key)
        trie = import_module("marisa_trie").Trie().mmap(str(folder / "trie"))
        values = mapped(folder / "values").cast("H")
        sets = [int(line) for line in (folder / "sets").read_text().splitlines()]
        prefixes = trie.iter_prefixes_with_ids

        def get(host: str) -> int:
            mask = 0
            for _, at in prefixes(f"{host[::-1]}."):
                mask |= sets[values[at]]
            return mask

        return InPython(get, lambda mask: names_of(mask, data))


def mapped(path: Path) -> memoryview:
    """Map a file for reading; the map lives as long as the view."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
