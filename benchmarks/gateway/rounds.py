"""The measurement itself: every engine in turn within each workload of each round."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gateway import load, probe
from benchmarks.gateway.engines import Proxy
from benchmarks.gateway.load import LoadError, Sample
from benchmarks.gateway.origin import Origin
from benchmarks.gateway.workloads import Workload


@dataclass
class Cell:
    """What one engine did with one workload: a sample a round, or why there is none."""

    samples: list[Sample] = field(default_factory=list)
    reason: str = ""


type Cells = dict[tuple[str, str], Cell]


@dataclass(frozen=True)
class Loader:
    """Puts load on a proxy.

    Attributes:
        program: the load generator.
        core: where it runs.
        seconds: of a window.
    """

    program: Path
    directory: Path
    core: int
    seconds: float

    def run(self, proxy: Proxy, origin: Origin, workload: Workload, round_: int) -> Sample:
        """Give one sample; the work of a round is the same for everybody.

        Raises:
            LoadError: when the proxy does not stand it.
        """
        plan = load.write_plan(self.directory / "plan", workload.plan(origin, round_))
        return load.run(
            self.program,
            proxy.address,
            proxy.pid,
            plan,
            core=self.core,
            slots=workload.slots,
            mode=workload.mode,
            seconds=self.seconds,
        )


def measure(
    loader: Loader,
    proxies: dict[str, Proxy],
    origin: Origin,
    workloads: list[Workload],
    rounds: int,
) -> Cells:
    """Give a cell for every engine and workload."""
    cells = {(engine, w.key): Cell() for engine in proxies for w in workloads}
    for workload in workloads:
        origin.need(workload.paths)
        for engine, proxy in proxies.items():
            cell = cells[engine, workload.key]
            cell.reason = probe.fault(proxy, origin, workload)
            if cell.reason:
                say(f"{engine}, {workload.title}: not measured, {cell.reason}")
    for at in range(rounds):
        say(f"round {at + 1} of {rounds}")
        for workload in workloads:
            # Who comes first changes, so that nobody always follows the same one.
            order = list(proxies)[at % len(proxies) :] + list(proxies)[: at % len(proxies)]
            for engine in order:
                cell = cells[engine, workload.key]
                if cell.reason:
                    continue
                try:
                    cell.samples.append(loader.run(proxies[engine], origin, workload, at))
                except LoadError as error:
                    cell.reason = str(error)
                    cell.samples.clear()
                    say(f"{engine}, {workload.title}: given up, {error}")
    return cells


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)
