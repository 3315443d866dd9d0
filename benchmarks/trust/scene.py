r"""A trust in network namespaces: decisions, a line cut for minutes under traffic, servers killed, a count.

A centre with PostgreSQL, NATS and ``schoolgate trust consume``; two gateways of one school behind HAProxy and
one of another, each the real command on the school's schema by TCP, with a leaf of NATS; devices that ask all
the time. As root, with Debian's haproxy, nats-server and postgresql.

    python -m benchmarks.trust.scene                     print
    python -m benchmarks.trust.scene --cut-minutes 10 --write    and write docs/scale.md
"""

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.page import write_section
from benchmarks.trust.counted import Count, counted, longest_gaps
from benchmarks.trust.deciding import Deciding, round_
from benchmarks.trust.faults import Cut, Kill, cut_off, kills, sign_in
from tests.system.trust_scene import scene

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
ROUNDS = 25
_EVERY_SECONDS = 0.5
_AWAY_SECONDS = 10
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured.

    Attributes:
        rounds: seconds until an approval, and a revocation, was in force.
        cut: of a line.
        killed: servers.
        gaps: for each way the longest time without a page while the line was cut, and in the kills.
        count: of all.
    """

    rounds: list[tuple[float, float]]
    cut: Cut
    killed: list[Kill]
    gaps: tuple[dict[str, float], dict[str, float]]
    count: Count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust.scene",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--cut-minutes", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    seen = measured(arguments.rounds, arguments.cut_minutes * 60)
    text = section(seen, (load, os.getloadavg()[2]))
    print(text)
    if arguments.write:
        write_section("scene", text, PAGE)


def measured(rounds: int, cut_seconds: float) -> Seen:
    """Play all of it, and say how far it is."""
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory(prefix="scene-") as folder:
        # PostgreSQL's account looks into it.
        Path(folder).chmod(0o755)
        with scene(Path(folder)) as here:
            say("all of it runs")
            deciding, teacher = Deciding(here, "hermitage"), sign_in(here)
            here.ask(_EVERY_SECONDS)
            say(f"devices ask; {rounds} decisions")
            taken = [round_(here, deciding, f"round-{number}") for number in range(rounds)]
            say(f"the line of gw1 is cut for {cut_seconds:.0f} s")
            cut = cut_off(here, deciding, teacher, cut_seconds)
            say(f"it caught up: {cut}")
            killed = kills(here, deciding, _AWAY_SECONDS)
            say("all were killed; the count")
            count = counted(here)
            say(f"{count}")
            gaps = (
                longest_gaps(here, cut.began, cut.healed),
                longest_gaps(here, killed[0].began, killed[-1].ended),
            )
            deciding.close()
            here.at_school.submit(teacher.close).result()
    return Seen(taken, cut, killed, gaps, count)


def section(seen: Seen, load: tuple[float, float]) -> str:
    """Give the figures as a part of the page."""
    opened, closed = zip(*seen.rounds, strict=True)
    cut, count = seen.cut, seen.count
    kills_ = "\n".join(
        f"| {one.what} | {one.away:.1f} | {one.decided:.2f} | {one.events:.1f} |"
        for one in seen.killed
    )
    of_cut, of_kills = seen.gaps
    return f"""\
## Cut lines and killed servers

Printed by `python -m benchmarks.trust.scene` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, {_versions()}, {len(os.sched_getaffinity(0))} CPUs for all of it, load average \
{load[0]:.1f} before it began and {load[1]:.1f} in its last quarter of an hour (\
all of this ran at `nice` {os.nice(0)}). In network namespaces: a centre (PostgreSQL by TCP, NATS, \
`schoolgate trust consume`), `gw1` and `gw2` of one school behind HAProxy with the PROXY protocol, \
`gw3` of another, two workers each, a leaf of NATS beside each. Devices asked for an allowed site, a blocked \
one, and the blocked one by a tunnel, past HAProxy and by it, {count.requests:,} times in all.

| from the commit at the centre until both gateways of the school answer so | median ms | max ms |
|---|---|---|
| a page that was approved opens ({len(opened)} times) | {_milliseconds(opened)} |
| a revoked one is closed | {_milliseconds(closed)} |

The line of `gw1` to the centre lost every packet, without a word, for {(cut.healed - cut.began) / 60:.1f} \
minutes under that traffic:

| | |
|---|---|
| decided meanwhile, in force at the other gateway after | {cut.other:.2f} s |
| a grant that ended meanwhile, first refused by the cut gateway | {_end(cut)} |
| decided meanwhile, in force at the cut gateway after healing | \
approved {cut.opened:.1f} s, revoked {cut.closed:.1f} s |
| a request that somebody made there, and sent twice | \
{_times(cut.requests)} in the records, {cut.delivered:.1f} s after healing |
| events that waited, and were all in the tables after healing | {cut.waiting:,}; {cut.events:.1f} s |
| the longest time without a page | by `gw1` {of_cut["gw1"]:.1f} s, by any way {max(of_cut.values()):.1f} s |

Killed by `kill -9` under the same traffic, and started again after {_AWAY_SECONDS} s; \
seconds from when it ran:

| killed | away | decided, and in force at both gateways | all events in the tables |
|---|---|---|---|
{kills_}

The longest time without a page meanwhile was {max(of_kills.values()):.1f} s.

| counted at the end | |
|---|---|
| requests sent; without an answer | {count.requests:,}; {count.unanswered:,} |
| answered, and not exactly one line and one row | {count.not_once:,} |
| lines in the journals of the three gateways; rows in Parquet | {count.lines:,}; {count.rows:,} |
| lines without a row; rows too many | {count.lost:,}; {count.doubled:,} |
| bytes that the centre knows to be missing | {count.missing:.0f} |
| the blocked site was refused; was seen by a device, or asked of the internet | \
{count.blocked:,}; {count.leaks} |
| processes of gateways that were taken for hung, and replaced | {count.replaced} |

What a school lets go of its people and sites is all of it here, so that each request can be found. An allowed
site was asked for without TLS alone. All of it is one machine: its lines have no delay, and a kill is no
power cut.
"""


def _milliseconds(seconds: tuple[float, ...]) -> str:
    given = [each * _MILLISECONDS for each in seconds]
    return f"{statistics.median(given):.0f} | {max(given):.0f}"


def _end(cut: Cut) -> str:
    before = f"and {cut.early:.3f} s before" if cut.early else "never before"
    return f"{cut.late:.3f} s after its end; {before}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _versions() -> str:
    said = []
    for name, *command in (
        ("PostgreSQL", "psql", "--version"),
        ("NATS", "nats-server", "--version"),
        ("HAProxy", "haproxy", "-v"),
    ):
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        words = ended.stdout.split("\n")[0].split()
        found = next(word for word in words if word.lstrip("v")[:1].isdigit())
        said.append(f"{name} {found.lstrip('v').partition('-')[0]}")
    return ", ".join(said)


if __name__ == "__main__":
    main()
