"""The tables and ratios as the Markdown of docs/performance.md."""

import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.index.data import MIXES
from benchmarks.index.engines import BATCH, BLOCK
from benchmarks.index.swapping import SWAPS, Gaps
from benchmarks.index.timing import Figures

NONE = "–"
HEAD = (
    "| engine | build s | build peak MB | bytes/domain | load ms | private MB "
    "| real ns | miss ns | deep miss ns | hit ns | batch M/s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


def table(
    name: str,
    domains: int,
    categories: int,
    figures: Mapping[str, Figures],
    notes: Sequence[str],
) -> str:
    """Give the table of a list."""
    lines = [f"### The {name} list: {domains:,} domains, {categories} categories", "", HEAD]
    lines += [row(one, domains) for one in figures.values()]
    told = [*notes, *(f"{one.title}: {one.reason}." for one in figures.values() if one.reason)]
    told += ratios(figures)
    return "\n".join([*lines, "", *(f"- {note}" for note in told), ""])


def row(figures: Figures, domains: int) -> str:
    """Give an engine's row."""
    made, opened = figures.build, figures.opening
    size = figures.size
    seconds = made.seconds if made else None
    if opened is not None and made is None and size is None:
        # Without a file, opening is building, and memory is where it is kept.
        size = round(opened.private_mb * 2**20)
        seconds = opened.load_ms / 1e3
    cells = [
        figures.title,
        f"{seconds:.1f}" if seconds is not None else NONE,
        f"{made.peak_mb:,.0f}" if made else NONE,
        f"{size / domains:.1f}" if size is not None else NONE,
        f"{opened.load_ms:,.2f}" if opened else NONE,
        f"{opened.private_mb:,.2f}" if opened else NONE,
        *(calls(figures.calls.get(mix, [])) for mix in MIXES),
        f"{1e3 / statistics.median(figures.batches):.2f}" if figures.batches else NONE,
    ]
    return f"| {' | '.join(cells)} |"


def calls(samples: Sequence[float]) -> str:
    """Give the median and the 99th percentile; the latter only of blocks, not of batches."""
    if not samples:
        return NONE
    middle = f"{statistics.median(samples):,.0f}"
    return f"{middle} / {percentile_99(samples):,.0f}" if len(samples) >= 500 else middle


def percentile_99(samples: Sequence[float]) -> float:
    """Give the 99th percentile."""
    return sorted(samples)[len(samples) * 99 // 100]


def ratios(figures: Mapping[str, Figures]) -> list[str]:
    """Give how ours takes deep hosts, and how the dict does beside ours."""
    told = []
    ours = [figures[key] for key in ("native", "pure") if key in figures and figures[key].calls]
    for one in ours:
        ratio = one.median("deep miss") / one.median("miss")
        told.append(f"{one.title}: a deep miss takes {ratio:.2f} of a miss.")
    if (peer := figures.get("dict")) is not None and peer.calls:
        for one in ours:
            each = (f"{mix} {peer.median(mix) / one.median(mix):.2f}" for mix in MIXES)
            told.append(f"dict of suffixes / {one.title}: {', '.join(each)}.")
    return told


def section(tables: Sequence[str], queries: int) -> str:
    """Give the whole section."""
    return "\n".join(
        [
            "## The domain index beside its peers",
            "",
            (
                f"Printed by `python -m benchmarks.index` on {datetime.now(UTC):%Y-%m-%d}, "
                f"{platform.machine()}, Python {platform.python_version()}, one CPU, every engine "
                f"in turn within each slice of each mix; {queries:,} queries a mix. A call's time "
                f"is the median / 99th percentile over blocks of {BLOCK} calls, loop included; every "
                "call gets a new string, as a proxy would have it, and blocks in which the kernel gave the "
                f"CPU to another process do not count. A batch is {BATCH:,} real hosts. "
                "squidGuard's time is that of its process on the CPU, a batch fed through its pipes, "
                "with its parsing of request lines; the row of its empty list tells how much that "
                "is. Private memory is that of the second process "
                "that has the index open, after its look-ups. The dict has no file: every start "
                "builds it, and its bytes are private memory."
            ),
            "",
            (
                "Mixes: *real* draws popular hosts by Zipf weight; *miss* draws popular hosts that "
                "no entry covers; *deep miss* is those with four more labels in front; *hit* draws "
                "listed domains, half of them with `www.` in front."
            ),
            "",
            *tables,
        ]
    )


def swaps(quiet: Gaps, swapped: Gaps) -> str:
    """Say how long look-ups stood still while the index was swapped."""
    return (
        f"Longest gap between two look-ups while another thread opens the index and swaps it in: "
        f"median of {SWAPS} swaps {swapped.median:.2f} ms, worst {swapped.longest:.2f} ms; "
        f"when nothing happens {quiet.median:.2f} ms, worst {quiet.longest:.2f} ms."
    )
