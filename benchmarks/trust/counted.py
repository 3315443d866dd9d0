"""Counts what became of every request and every event of a trust in namespaces."""

import re
import signal
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from tests.gateway import eventually
from tests.system.trust_scene import Trust


@dataclass(frozen=True, slots=True)
class Count:
    """What became of every request and every event.

    Attributes:
        requests: that were sent.
        unanswered: of them.
        not_once: requests that were answered, and are not once in the journals or not once in the tables.
        lines: in the journals.
        rows: in the tables.
        lost: lines without a row.
        doubled: rows too many.
        missing: bytes that the centre knows to be missing.
        blocked: how often the blocked site was refused.
        leaks: how often anything of it was seen.
        replaced: processes of gateways that were taken for hung, or ended, and replaced; of a worker what it
            answered and wrote in the last twentieth of a second may be lost with it.
    """

    requests: int
    unanswered: int
    not_once: int
    lines: int
    rows: int
    lost: int
    doubled: int
    missing: float
    blocked: int
    leaks: int
    replaced: int


def counted(here: Trust) -> Count:
    """End all traffic, wait for the last event, and compare."""
    here.rest()
    eventually(lambda: len(here.centre.gathered("id")) >= sum(len(x.journal()) for x in here.gates))
    assert here.centre.end_consumer(signal.SIGTERM) == 0
    lines = Counter(
        (gate.school, gate.name, line["id"]) for gate in here.gates for line in gate.journal()
    )
    rows = Counter(here.centre.gathered("school, gateway, id"))
    asked = here.asked()
    answered = [one["url"] for one in asked if one["came"] in ("site", "refused")]
    written = Counter(line.get("url") for gate in here.gates for line in gate.journal())
    came = Counter(url for (url,) in here.centre.gathered("url"))
    return Count(
        requests=len(asked),
        unanswered=len(asked) - len(answered),
        not_once=sum(written[url] != 1 or came[url] != 1 for url in answered),
        lines=lines.total(),
        rows=rows.total(),
        lost=(lines - rows).total(),
        doubled=(rows - lines).total(),
        missing=_missing(here),
        blocked=sum(one["came"] == "refused" for one in asked),
        leaks=len(here.leaks()),
        replaced=sum("and is replaced" in line for gate in here.gates for line in gate.lines),
    )


def _missing(here: Trust) -> float:
    told = here.centre.figures.read_text()
    found = re.findall(r"^schoolgate_gathered_missing_bytes\{.*\} (\S+)$", told, re.MULTILINE)
    return sum(map(float, found))


def longest_gaps(here: Trust, began: float, ended: float) -> dict[str, float]:
    """Give for each way the longest time without a page between two moments, seconds."""
    ends: dict[str, list[float]] = {}
    for one in here.asked():
        ends.setdefault(one["way"], [])
        if one["came"] == "site" and began < one["ended"] < ended:
            ends[one["way"]].append(one["ended"])
    return {
        way: max(later - sooner for sooner, later in pairwise([began, *sorted(some), ended]))
        for way, some in ends.items()
    }
