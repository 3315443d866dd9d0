"""The benchmark runs, and the gateway with all its filtering is no slower than a bare mitmdump."""

import statistics
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.gateway import load, report
from benchmarks.gateway.engines import Mitmdump, Schoolgate
from benchmarks.gateway.processes import cores
from benchmarks.gateway.rounds import Loader, measure
from benchmarks.gateway.staging import make_stage, start
from benchmarks.gateway.workloads import WORKLOADS
from tests.system.conftest import program

pytestmark = pytest.mark.long

ROUNDS = 3
SECONDS = 0.7


def test_requests_a_core_beside_a_bare_mitmdump(tmp_path: Path) -> None:
    """By CPU time and as a ratio, so that a slow or busy machine changes both alike."""
    program("nginx")
    program("unshare")
    workloads = [WORKLOADS[key] for key in ("http-kept", "tls-kept", "tls-new", "http-block")]
    with ExitStack() as stack:
        stage = make_stage(tmp_path, stack, set(), lists=False)
        loader = Loader(load.build(tmp_path), tmp_path, cores().others, SECONDS)
        proxies, _ = start([Schoolgate(), Mitmdump()], stage, stack)
        cells = measure(loader, proxies, stage.origin, workloads, ROUNDS)
    for workload in workloads:
        ours, theirs = cells["ours", workload.key], cells["mitmdump", workload.key]
        assert (ours.reason, theirs.reason) == ("", "")
        ratio = statistics.median(report.ratios(workload, ours, theirs))
        print(f"{workload.title}: {ratio:.2f}")
        assert ratio > 1
