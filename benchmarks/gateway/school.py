"""The school mix: hosts, types and sizes of recorded page loads, from 300 addresses.

The recordings (HAR) are test data by others and are read where they are, see SCHOOLGATE_TEST_DATA.
"""

import gzip
import json
import os
import random
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.gateway.engines import ROOT, Rules, Schoolgate, Stage
from benchmarks.gateway.load import Connection, LoadError
from benchmarks.gateway.origin import TYPES, Origin, path
from benchmarks.gateway.workloads import Workload
from tests import gateway

CLIENTS = 300
# Browsers open that many connections to a host that speaks HTTP/1.1.
CONNECTIONS_A_HOST = 6
IN_FLIGHT = 96
# So often is each page loaded in a round.
LOADS_A_ROUND = 5
PAUSE_SECONDS = 30
_SEED = 20261121
_FEWEST_REQUESTS = 10
_LARGEST = 5_000_000
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]+")


@dataclass(frozen=True)
class Asset:
    """One request of a recorded page."""

    host: str
    path: str


type Page = tuple[tuple[Asset, ...], ...]


class SchoolMix(Workload):
    """Clients that load recorded pages, each over connections as a browser opens them."""

    @property
    def bulk(self) -> bool:
        """Answers count."""
        return False

    @property
    def paths(self) -> set[str]:
        """Give every path that is asked for."""
        return {asset.path for page in pages() for some in page for asset in some}

    def plan(self, origin: Origin, round_: int = 0) -> Iterator[Connection]:
        """Give the connections of a round's clients: every page equally often, in any order."""
        loads = pages() * LOADS_A_ROUND
        random.Random(_SEED + round_).shuffle(loads)
        for at, page in enumerate(loads, round_ * len(loads)):
            client = at % CLIENTS
            address = f"127.0.{2 + client // 250}.{1 + client % 250}"
            for assets in page:
                paths = tuple(asset.path for asset in assets)
                yield Connection(address, "tls", assets[0].host, origin.tls_port, paths)


SCHOOL = SchoolMix("school", "school mix", "mix", "", "", "once", IN_FLIGHT)


def folder() -> Path:
    """Give the folder of the recordings."""
    data = Path(os.environ.get("SCHOOLGATE_TEST_DATA", ROOT.parent / "shared"))
    return data / "cases" / "06-traffic"


def pages() -> list[Page]:
    """Give every recorded page that is more than a single file, as connections of a browser."""
    found = []
    for file in sorted([*folder().rglob("*.har"), *folder().rglob("*.har.gz")]):
        assets = list(_assets(file))
        if len(assets) >= _FEWEST_REQUESTS:
            found.append(tuple(_connections(assets)))
    return found


def hosts() -> set[str]:
    """Give every host of the mix."""
    return {asset.host for page in pages() for some in page for asset in some}


def requests_a_page() -> float:
    """Give the mean number of requests of a page."""
    recorded = pages()
    return sum(len(some) for page in recorded for some in page) / len(recorded)


def _assets(file: Path) -> Iterator[Asset]:
    raw = file.read_bytes()
    try:
        text = gzip.decompress(raw) if file.suffix == ".gz" else raw
        entries: Sequence[Mapping[str, Any]] = json.loads(text.decode("utf-8-sig"))["log"][
            "entries"
        ]
    except (ValueError, KeyError, TypeError, zlib.error):
        # Some of them are there to be wrong.
        return
    for entry in entries:
        host = (urlsplit(entry["request"]["url"]).hostname or "").lower()
        if _HOST.fullmatch(host):
            answer = entry["response"]
            content = answer.get("content") or {}
            size = max(answer.get("bodySize") or 0, 0) or max(content.get("size") or 0, 0)
            yield Asset(host, path(min(size, _LARGEST), _ending(content.get("mimeType") or "")))


def _ending(kind: str) -> str:
    plain = kind.partition(";")[0].strip().lower().replace("text/javascript", TYPES["js"])
    endings = {kind: ending for ending, kind in TYPES.items()}
    return endings.get(plain, "html" if plain.startswith("text/") else "bin")


def _connections(assets: Sequence[Asset]) -> Iterator[tuple[Asset, ...]]:
    """Share the requests to each host among the connections that a browser opens to it."""
    order = {asset.host: at for at, asset in reversed(list(enumerate(assets)))}
    by_host = sorted(assets, key=lambda asset: order[asset.host])
    for _, group in groupby(by_host, key=lambda asset: asset.host):
        some = list(group)
        for at in range(min(len(some), CONNECTIONS_A_HOST)):
            yield tuple(some[at::CONNECTIONS_A_HOST])


# ---- what our policy does with the hosts ----


@dataclass(frozen=True)
class Shares:
    """How the hosts of the mix, and the requests to them, fall to the actions on TLS."""

    inspect: str
    hosts: Counter[str]
    requests: Counter[str]


def decide(stage: Stage, inspect: str) -> tuple[Rules, Shares]:
    """Ask the gateway what becomes of every host of the mix under a mode of inspection.

    Args:
        stage: where to write its configuration.
        inspect: ``needed``, ``all``, or empty for the policy as it is.

    Raises:
        LoadError: when the policy names no mode.
    """
    # With what the policies name beside them.
    shutil.copytree(ROOT / "config", stage.folder("config"), dirs_exist_ok=True)
    policies = stage.folder("config") / "policies"
    if inspect:
        file = policies / "wellstead.yaml"
        text = file.read_text(encoding="utf-8")
        told, count = re.subn(r"(?m)^  mode: (needed|all)$", f"  mode: {inspect}", text)
        if count != 1:
            raise LoadError(f"{file} has no mode of inspection")
        file.write_text(told, encoding="utf-8")
    config = Schoolgate().config(stage, policies)
    wanted = sorted(hosts())
    urls = stage.directory / "urls.txt"
    urls.write_text("".join(f"https://{host}/\n" for host in wanted))
    done = gateway.schoolgate("check", "--json", "--batch", str(urls), "--config", str(config))
    if done.returncode:
        raise LoadError(f"schoolgate check: {(done.stdout + done.stderr)[-300:]}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    rules, actions = Rules(), {}
    for answer in answers:
        host, action = answer["host"], answer["tls"]
        blocked = answer["verdict"] in ("block", "warn")
        actions[host] = f"{action}, block page" if blocked and action != "refuse" else action
        kind = rules.blocked if blocked else rules.passed if action == "pass" else rules.decrypted
        kind.add(host)
    requests = Counter(actions[asset.host] for page in pages() for some in page for asset in some)
    return rules, Shares(inspect, Counter(actions.values()), requests)


def shares(stage: Stage) -> tuple[Rules, list[Shares]]:
    """Give the rules of the policy as it is, and the shares under each mode of inspection."""
    rules, _ = decide(stage, "")
    return rules, [decide(stage, inspect)[1] for inspect in ("needed", "all")]


def describe(found: Sequence[Shares]) -> str:
    """Say how the mix falls, and what it is made of."""
    recorded = pages()
    count = sum(len(page) for page in recorded)
    lines = [
        "### The school mix",
        "",
        (
            f"{len(recorded)} recorded pages, {requests_a_page():.1f} requests and "
            f"{count / len(recorded):.1f} connections each, {len(hosts())} hosts, loaded by "
            f"{CLIENTS} addresses in turn, each page {LOADS_A_ROUND} times a round, "
            f"{IN_FLIGHT} connections at a time; sizes and types as "
            f"recorded, all over HTTPS and HTTP/1.1, up to {CONNECTIONS_A_HOST} connections to a "
            "host, every handshake a full one. All proxies pass, decrypt and block the same hosts."
        ),
        "",
        "| policy key `inspection.mode` | of requests | of hosts |",
        "|---|---|---|",
        *(f"| {one.inspect} | {_parts(one.requests)} | {_parts(one.hosts)} |" for one in found),
    ]
    return "\n".join(lines)


def _parts(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name} {count / total:.0%}" for name, count in counts.most_common())
