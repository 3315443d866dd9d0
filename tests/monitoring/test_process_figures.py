"""What the processes of a gateway use, from a /proc of the test's own and from the real one."""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry

from schoolgate.monitoring.process_figures import ProcessFigures

PAGE, TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def process(proc: Path, pid: int, name: str, *, pages: int, ticks: int, children: str = "") -> None:
    place = proc / str(pid)
    (place / "task" / str(pid)).mkdir(parents=True)
    (place / "fd").mkdir()
    for number in range(3):
        (place / "fd" / str(number)).touch()
    (place / "comm").write_text(f"{name}\n")
    (place / "statm").write_text(f"900 {pages} 0 0 0 0 0\n")
    times = f"{ticks} {ticks} 0 0"
    (place / "stat").write_text(f"{pid} ({name} ) x) S 1 1 1 0 -1 0 0 0 0 0 {times} 20 0\n")
    (place / "task" / str(pid) / "children").write_text(children)


def test_what_a_part_has_started_counts_for_that_part(tmp_path: Path) -> None:
    process(tmp_path, 1, "python", pages=10, ticks=TICKS, children="2 3 9 ")
    process(tmp_path, 2, "sg worker 1", pages=20, ticks=2 * TICKS)
    process(tmp_path, 3, "sg portal", pages=1, ticks=0, children="4")
    process(tmp_path, 4, "gunicorn", pages=5, ticks=TICKS, children="5")
    process(tmp_path, 5, "gunicorn", pages=7, ticks=TICKS)
    # The ninth has ended meanwhile.
    uses = ProcessFigures(1, tmp_path).uses()
    assert {name: use.resident_bytes // PAGE for name, use in uses.items()} == {
        "supervisor": 10,
        "worker 1": 20,
        "portal": 13,
    }
    assert {name: use.cpu_seconds for name, use in uses.items()} == {
        "supervisor": 2.0,
        "worker 1": 4.0,
        "portal": 4.0,
    }
    assert uses["portal"].descriptors == 9


def test_the_kernel_is_understood() -> None:
    registry = CollectorRegistry()
    registry.register(ProcessFigures(os.getpid()))
    labels = {"process": "supervisor"}
    for name in ("resident_bytes", "open_fds", "cpu_seconds_total"):
        value = registry.get_sample_value(f"schoolgate_process_{name}", labels)
        assert value is not None
        assert value > 0
    assert registry.get_sample_value("schoolgate_process_max_fds")
