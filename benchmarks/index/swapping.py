"""How long look-ups stand still while another thread opens the index anew and swaps it in."""

import gc
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.core.index import SiteIndex
from schoolgate.lists import open_index

SWAPS = 100
# Look-ups between two looks at the clock: a few microseconds.
BLOCK = 32


@dataclass(frozen=True, slots=True)
class Gaps:
    """The longest gap between two look-ups in each of many turns, in milliseconds."""

    median: float
    longest: float


def gaps_of_swaps(path: Path, hosts: Sequence[str]) -> tuple[Gaps, Gaps]:
    """Give the gaps in turns in which nothing happens, and in those in which an index is swapped.

    What nothing explains is the machine's own: the two are taken in turn.

    Args:
        path: the index.
        hosts: asked one after the other, over and over.
    """
    current = open_index(path)

    def swap() -> None:
        nonlocal current
        current = open_index(path)

    def idle() -> None:
        time.sleep(0.02)

    gc.collect()
    gc.freeze()
    turns: dict[Callable[[], None], list[float]] = {idle: [], swap: []}
    for _ in range(SWAPS):
        for meanwhile, gaps in turns.items():
            gaps.append(_longest_gap(lambda: current, hosts, meanwhile))
    quiet, swapped = (Gaps(statistics.median(gaps), max(gaps)) for gaps in turns.values())
    return quiet, swapped


def _longest_gap(
    current: Callable[[], SiteIndex], hosts: Sequence[str], meanwhile: Callable[[], None]
) -> float:
    thread = threading.Thread(target=meanwhile)
    longest = start = 0
    last = time.perf_counter_ns()
    thread.start()
    while thread.is_alive():
        sites = current()
        for host in hosts[start : start + BLOCK]:
            sites.get(host)
        start = (start + BLOCK) % len(hosts)
        now = time.perf_counter_ns()
        longest = max(longest, now - last)
        last = now
    return longest / 1e6
