"""What the gate does to the real bundle: how many entries on which ground, with examples."""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from benchmarks.feeds.bundle import register_of, write_bundle
from benchmarks.feeds.data import ROOT, data
from schoolgate.core.gate import Finding, Ground
from schoolgate.lists.reports import read_reports
from tests.gateway import free_port

_EXAMPLES = 6


@contextmanager
def real_school() -> Iterator[Path]:
    """Give the settings of a school with schoolgate's own categories, fed from the bundle."""
    with tempfile.TemporaryDirectory(prefix="feeds-") as name:
        root = Path(name)
        shutil.copytree(ROOT / "categories", root / "categories")
        shutil.copytree(ROOT / "config", root / "config")
        (root / "www").mkdir()
        port = free_port()
        lists = write_bundle(root / "www")
        base = f"http://127.0.0.1:{port}/"
        feeds = yaml.safe_load(register_of(lists, base))
        feeds["feeds"]["universities"] = _universities(root / "www" / "world.json", base)
        text = yaml.safe_dump(feeds)
        (root / "categories" / "feeds.yaml").write_text(text)
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "http.server",
                "-b",
                "127.0.0.1",
                "-d",
                str(root / "www"),
                str(port),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield root / "config" / "schoolgate.yaml"
        finally:
            server.kill()
            server.wait()


def _universities(path: Path, base: str) -> dict[str, object]:
    """Write the register of universities as its publisher does, and give its feed."""
    rows = gzip.decompress(data("cases/07-education/hipo-universities.csv.gz").read_bytes())
    hosts = [line.partition(",")[0] for line in rows.decode().splitlines()[1:]]
    path.write_text(json.dumps([{"domains": [host]} for host in hosts]))
    return {
        "title": "Universities",
        "home": base,
        "licence": {"name": "test data", "redistribution": False, "commercial": False},
        "format": "universities",
        "every_hours": 24,
        "on": True,
        "guards": "education",
        "base": base,
        "lists": {"world": {"file": path.name, "least": 1_000, "greatest": 100_000}},
    }


def run(config: Path, *arguments: str) -> str:
    """Run the command."""
    command = [sys.executable, "-m", "schoolgate", "lists", *arguments, "--config", str(config)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def gate_table() -> Iterator[str]:
    """Update from the bundle and give the table of what was kept out."""
    with real_school() as config:
        run(config, "update")
        yield from table_of(config.parent.parent / "var" / "lists")


def table_of(state: Path) -> Iterator[str]:
    """Give the table of what the last update kept out."""
    found: dict[Ground, list[Finding]] = defaultdict(list)
    for report in read_reports(state).values():
        for finding in report.findings:
            found[finding.ground].append(finding)
    yield "| what | becomes | entries | for example |"
    yield "|---|---|---|---|"
    for ground, findings in sorted(found.items(), key=lambda item: -len(item[1])):
        becomes = "held" if ground.holds else "dropped"
        # By their names: a list is a set, which has another order each time.
        findings.sort(key=lambda one: (one.entry, one.detail))
        step = max(1, len(findings) // _EXAMPLES)
        shown = ", ".join(
            f"`{one.entry}`" + (f" ({one.detail})" if one.detail else "")
            for one in findings[::step][:_EXAMPLES]
        )
        yield f"| {ground.value} | {becomes} | {len(findings)} | {shown} |"
