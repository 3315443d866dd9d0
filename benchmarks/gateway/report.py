"""The tables: rates with their spread, ratios, latency, memory, and what limits each."""

import platform
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.gateway.load import Sample
from benchmarks.gateway.rounds import Cell, Cells
from benchmarks.gateway.workloads import CONNECTIONS, Workload

NONE = "–"
TWO_WORKERS = "ours2"
# Below this share of its core a proxy was waiting rather than working.
_BUSY = 0.85
# From this share on, lost requests are named.
_LOST = 0.001


@dataclass(frozen=True)
class Run:
    """What was measured, and how.

    Attributes:
        titles: of the engines, by key, ours first.
        versions: of the programs.
        domains: in our index.
    """

    titles: Mapping[str, str]
    versions: Sequence[str]
    workloads: Sequence[Workload]
    cells: Cells
    rounds: int
    seconds: float
    domains: str = ""


def section(run: Run, more: Sequence[str] = ()) -> str:
    """Give the whole section of the page."""
    parts = [
        "## The gateway beside its peers",
        _words(run),
        "### Requests a second of a proxy core",
        table(run, _rate),
        *_ratios(run),
        "### CPU milliseconds a request, and where they go",
        table(run, _cost),
        "### Latency",
        f"Median / 99th percentile in ms, {CONNECTIONS} connections that never pause.",
        table(run, _latency),
        "### Memory after each workload, MB",
        table(run, _memory),
        *_workers(run),
        *_reasons(run),
        *more,
    ]
    return "\n\n".join(part for part in parts if part)


def table(run: Run, show: Callable[[Workload, Sequence[Sample]], str]) -> str:
    """Give a table of one figure."""
    head = "| | " + " | ".join(run.titles.values()) + " |"
    lines = [head, "|---" * (len(run.titles) + 1) + "|"]
    for workload in run.workloads:
        row = []
        for engine in run.titles:
            samples = run.cells[engine, workload.key].samples
            row.append(show(workload, samples) if samples else NONE)
        lines.append(f"| {workload.title} | {' | '.join(row)} |")
    return "\n".join(lines)


def clients(run: Run, mix: Workload, requests: float, pause_seconds: float) -> str:
    """Give how many clients a core serves, each with a new page at a steady pace."""
    lines = [
        f"Clients that one core serves when each opens a page every {pause_seconds:g} s:",
        "",
        "| | clients a core | ms median / 99th percentile | MB | blocked | what limits it |",
        "|---|---|---|---|---|---|",
    ]
    for engine, title in run.titles.items():
        samples = run.cells[engine, mix.key].samples
        if not samples:
            continue
        served = [rate(mix, sample) / requests * pause_seconds for sample in samples]
        blocked = _median([1 - s.statuses.get(200, 0) / s.answers for s in samples])
        user = _median([sample.user_share for sample in samples])
        lines.append(
            f"| {title} | {spread(served, '{:,.0f}')} | {_latency(mix, samples)} | "
            f"{_memory(mix, samples)} | {blocked:.0%} | {limit(samples)}, {user:.0%} user |"
        )
    return "\n".join(lines)


def rate(workload: Workload, sample: Sample) -> float:
    """Give requests (of bulk: megabytes) for each second of the proxy's CPU."""
    return sample.megabytes_per_core_second if workload.bulk else sample.per_core_second


def ratios(workload: Workload, ours: Cell, theirs: Cell) -> list[float]:
    """Give our rate by theirs, for each round."""
    pairs = zip(ours.samples, theirs.samples, strict=False)
    return [rate(workload, mine) / rate(workload, other) for mine, other in pairs]


def _rate(workload: Workload, samples: Sequence[Sample]) -> str:
    lost = _median([sample.failed / (sample.failed + sample.answers) for sample in samples])
    rates = spread([rate(workload, sample) for sample in samples], "{:,.0f}")
    return f"{rates}, {lost:.1%} lost" if lost > _LOST else rates


def _cost(_: Workload, samples: Sequence[Sample]) -> str:
    milliseconds = _median([s.cpu_seconds * 1000 / s.answers for s in samples])
    user = _median([s.user_share for s in samples])
    return f"{milliseconds:,.3f}; {limit(samples)}, {user:.0%} user"


def limit(samples: Sequence[Sample]) -> str:
    """Say what held a proxy up, as far as its own CPU time tells."""
    busy = _median([sample.busy for sample in samples])
    return "its core" if busy > _BUSY else f"waits, core {busy:.0%} busy"


def _latency(_: Workload, samples: Sequence[Sample]) -> str:
    p50, p99 = _median([s.p50_ms for s in samples]), _median([s.p99_ms for s in samples])
    return f"{p50:,.2f} / {p99:,.2f}"


def _memory(_: Workload, samples: Sequence[Sample]) -> str:
    return f"{_median([s.memory_mb for s in samples]):,.0f}"


def _ratios(run: Run) -> list[str]:
    ours = next(iter(run.titles))
    others = [engine for engine in run.titles if engine != ours]
    if not others:
        return []
    lines = [
        "| | " + " | ".join(run.titles[engine] for engine in others) + " |",
        "|---" * (len(others) + 1) + "|",
    ]
    for workload in run.workloads:
        row = []
        for engine in others:
            pair = run.cells[ours, workload.key], run.cells[engine, workload.key]
            found = ratios(workload, *pair)
            row.append(spread(found, "{:.2f}") if found else NONE)
        lines.append(f"| {workload.title} | {' | '.join(row)} |")
    return [f"### {run.titles[ours]} by each of the others, round by round", "\n".join(lines)]


def _workers(run: Run) -> list[str]:
    """Say how much two workers serve together, by what a request costs each of them."""
    ours, two, *_ = [*run.titles, "", ""]
    if two != TWO_WORKERS:
        return []
    lines = []
    for workload in run.workloads:
        pair = run.cells[two, workload.key], run.cells[ours, workload.key]
        if found := [2 * ratio for ratio in ratios(workload, *pair)]:
            lines.append(f"- {workload.title}: {spread(found, '{:.2f}')}")
    words = "Two workers on two cores serve so many times what one does, by CPU time a request:"
    return [f"### Two workers\n\n{words}\n\n" + "\n".join(lines)] if lines else []


def _reasons(run: Run) -> list[str]:
    lines = [
        f"- {run.titles[engine]}, {workload.title}: {run.cells[engine, workload.key].reason}"
        for workload in run.workloads
        for engine in run.titles
        if run.cells[engine, workload.key].reason
    ]
    return ["Not measured:\n\n" + "\n".join(lines)] if lines else []


def _words(run: Run) -> str:
    names = "; ".join(version for version in run.versions if version)
    return (
        f"Printed by `make bench` on {datetime.now(UTC):%Y-%m-%d}, {machine()}. {names}.\n\n"
        f"Median of {run.rounds} rounds (lowest – highest), every engine in turn within each "
        f"workload of each round, windows of {run.seconds:g} s, {CONNECTIONS} connections, "
        "1 KB where nothing else is said. The proxies have one core; load generator and origin "
        "have another. A rate is the number of answers for each second of CPU time that the "
        "proxy and its children used, so that it does not depend on the generator. "
        f"{run.domains}"
    ).strip()


def machine() -> str:
    """Give the processor's model and how many cores there are."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    count = len(re.findall(r"^processor\s*:", text, re.MULTILINE))
    name = " ".join(model[1].split()) if model else platform.machine()
    return f"{name}, {count} cores, Python {platform.python_version()}"


def spread(values: Sequence[float], form: str) -> str:
    """Give median, lowest and highest."""
    texts = [form.format(value) for value in (_median(values), min(values), max(values))]
    return texts[0] if len(values) == 1 else f"{texts[0]} ({texts[1]} – {texts[2]})"


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
