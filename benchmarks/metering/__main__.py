"""A film through the proxy with metering and without it: throughput and memory; and how exact it counts.

python -m benchmarks.metering               200 MB, print
python -m benchmarks.metering --full        1 GB
python -m benchmarks.metering --sessions    the table of scripted sessions alone
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.metering import sessions
from tests import gateway, origin
from tests.gateway import Gateway
from tests.origin import Origin

ROUNDS = 5
_MEGABYTE = 1_000_000
_POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: pupils
groups: {pupils: Pupils}
clauses:
  H-1: {title: Clips are kept to a minimum}
suspension_clause: H-1
local_clause: H-1
grant_clause: H-1
BUDGETS
default: {id: otherwise, clause: H-1, then: monitor}
"""
_BUDGETS = "budgets: [{id: clips, clause: H-1, minutes: 1440, megabytes: 1000000}]"


@contextmanager
def school(site: Origin, budgets: str) -> Iterator[Gateway]:
    """Run a gateway."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "policies").mkdir()
        (directory / "policies/hill.yaml").write_text(_POLICY.replace("BUDGETS", budgets))
        proxy = {**gateway.to_origin(site), "workers": 1}
        config = gateway.write_config(
            directory, policy="hill", policies_dir=str(directory / "policies"), proxy=proxy
        )
        with gateway.running(config) as running:
            yield running


def rate(running: Gateway, url: str) -> tuple[float, float]:
    """Download a film; give megabytes a second, and megabytes a second of the worker's processor."""
    size, begun, used = 0, time.perf_counter(), worker_seconds(running)
    with running.client() as client, client.stream("GET", url) as answer:
        assert answer.is_success
        for chunk in answer.iter_raw():
            size += len(chunk)
    lasted, worked = time.perf_counter() - begun, worker_seconds(running) - used
    return size / _MEGABYTE / lasted, size / _MEGABYTE / worked


def worker_seconds(running: Gateway) -> float:
    """Give how long all workers have been at work, seconds of the processor."""
    fields = [
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        for pid in running.processes()
    ]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def measure(megabytes: int) -> str:
    """Give the figures in words."""
    with tempfile.TemporaryDirectory() as name, origin.running(Path(name)) as site:
        url = f"http://origin.test:{site.http_port}/bytes/{megabytes * _MEGABYTE}?type=video/mp4"
        with school(site, "") as plain, school(site, _BUDGETS) as metered:
            rates: dict[str, list[tuple[float, float]]] = {"plain": [], "metered": []}
            for running in (plain, metered):
                rate(running, url)
            before = metered.resident_bytes()
            # Turn by turn: other work on this machine meets both.
            for number in range(ROUNDS):
                rates["plain"].append(rate(plain, url))
                rates["metered"].append(rate(metered, f"{url}&n={number}"))
            grown = (metered.resident_bytes() - before) / _MEGABYTE
            seconds = metered.metric(r"schoolgate_stream_seconds_total")
    (plain, plain_work), (metered_rate, work) = (
        map(statistics.median, zip(*found, strict=True)) for found in rates.values()
    )
    return (
        f"{megabytes} MB, median of {ROUNDS}: {plain:.0f} MB/s without metering, "
        f"{metered_rate:.0f} MB/s with it ({metered_rate / plain:.2f}); of a second of the worker's "
        f"processor {plain_work:.0f} and {work:.0f} MB ({work / plain_work:.2f}); the worker has "
        f"grown by {grown:.1f} MB; "
        f"{seconds:.0f} s were counted."
    )


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="a film of 1 GB")
    parser.add_argument("--sessions", action="store_true", help="only the table of sessions")
    options = parser.parse_args()
    print(sessions.table())
    if not options.sessions:
        print(measure(1000 if options.full else 200))


if __name__ == "__main__":
    main()
