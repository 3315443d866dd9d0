"""The gateway beside its peers, interleaved in one run.

Example, from the repository's folder:

    python -m benchmarks.gateway --quick --engines ours,mitmdump --workloads http-kept,tls-new
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway import decision, load, report, school
from benchmarks.gateway.engines import Bare, Engine, Mitmdump, Schoolgate
from benchmarks.gateway.peers import E2guardian, Privoxy, Squid
from benchmarks.gateway.processes import cores
from benchmarks.gateway.rounds import Loader, measure, say
from benchmarks.gateway.school import SCHOOL
from benchmarks.gateway.staging import make_stage, start
from benchmarks.gateway.workloads import WORKLOADS as SIMPLE
from benchmarks.gateway.workloads import Workload
from benchmarks.page import write_section

ENGINES: dict[str, Engine] = {
    engine.key: engine
    for engine in (
        Schoolgate(),
        Schoolgate(2),
        Bare(),
        Mitmdump(),
        Squid(),
        E2guardian(),
        Privoxy(),
    )
}


WORKLOADS: dict[str, Workload] = {**SIMPLE, SCHOOL.key: SCHOOL}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gateway",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engines", default=",".join(ENGINES), help="of %(default)s")
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="of %(default)s")
    parser.add_argument("--rounds", type=int, help="7, or 2 when quick")
    parser.add_argument("--seconds", type=float, help="of a window: 1.5, or 0.7 when quick")
    parser.add_argument("--quick", action="store_true", help="few rounds, short windows, no lists")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    engines = chosen(parser, arguments.engines, ENGINES)
    workloads = chosen(parser, arguments.workloads, WORKLOADS)
    text = run(
        engines,
        workloads,
        rounds=arguments.rounds or (2 if arguments.quick else 7),
        seconds=arguments.seconds or (0.7 if arguments.quick else 1.5),
        lists=not arguments.quick,
    )
    print(text)
    if arguments.write:
        write_section("proxy", text)


def run(
    engines: list[Engine], workloads: list[Workload], *, rounds: int, seconds: float, lists: bool
) -> str:
    """Measure everything, and give the section of the page."""
    if SCHOOL in workloads and not school.pages():
        say(f"{SCHOOL.title}: left out, there are no recordings in {school.folder()}")
        workloads = [workload for workload in workloads if workload is not SCHOOL]
    more = []
    with tempfile.TemporaryDirectory(prefix="schoolgate-bench-") as directory, ExitStack() as stack:
        base = Path(directory)
        base.chmod(0o755)
        mixed = school.hosts() if SCHOOL in workloads else set()
        stage = make_stage(base, stack, mixed, lists=lists)
        if mixed:
            say("asking what becomes of the hosts of the school mix")
            rules, shares = school.shares(stage)
            stage.rules.add(rules)
            more.append(school.describe(shares))
        loader = Loader(load.build(base), base, cores().others, seconds)
        proxies, versions = start(engines, stage, stack)
        cells = measure(loader, proxies, stage.origin, workloads, rounds)
        if Schoolgate.key in proxies:
            cost = decision.microseconds(Schoolgate().config(stage))
            more.append(f"One decision, warm, from Python: {cost:.1f} µs median.")
    done = report.Run(
        {key: ENGINES[key].title for key in proxies},
        versions,
        workloads,
        cells,
        rounds,
        seconds,
        next((f"Ours: {proxy.words}." for proxy in proxies.values() if proxy.words), ""),
    )
    if SCHOOL in workloads:
        more.insert(1, report.clients(done, SCHOOL, school.requests_a_page(), school.PAUSE_SECONDS))
    return report.section(done, more)


def chosen[T](parser: argparse.ArgumentParser, text: str, of: dict[str, T]) -> list[T]:
    """Give what a list of keys names."""
    keys = text.split(",")
    if unknown := set(keys) - set(of):
        parser.error(f"no such key: {', '.join(sorted(unknown))}; there are {', '.join(of)}")
    return [of[key] for key in keys]


if __name__ == "__main__":
    main()
