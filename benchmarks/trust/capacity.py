r"""What a trust of 30, a county of 500 and a nation of 24,000 schools need, reckoned from a measured county.

    python -m benchmarks.trust.capacity            print
    python -m benchmarks.trust.capacity --write    and write docs/scale.md

Reads county.json, which `python -m benchmarks.trust.county --write` writes.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks.journal import events
from benchmarks.page import write_section
from benchmarks.trust.county import FIGURES
from benchmarks.trust.events import PAGE

SCHOOLS = {"a trust of 30": 30, "a county of 500": 500, "a nation of 24,000": 24_000}
# Assumed; the page gives the reason of each.
PUPILS, STAFF = 380, 50
LINES_OF_PERSON, REQUESTS_OF_SCHOOL = 1_000, 5
GATEWAYS, CONNECTIONS = 2, 12
BUSY = 0.5
CONNECTIONS_OF_SERVER = 2_000
STREAM_DAYS, SCHOOL_DAYS = 3, 190
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Need:
    """What some schools need.

    Attributes:
        gateways: of all of them.
        events_day: that they let go in a day.
        events_peak: in a second of the busiest hour.
        megabits: into the centre, in that hour.
        event_cores: of NATS and who writes tables, half of them busy in that hour.
        writers: processes that write tables, each on one processor, half busy: as many centres of events.
        stream_gb: in NATS, for as long as the tables may stand still.
        table_gb_day: that come to the tables.
        table_tb_year: of a school year.
        connections: to PostgreSQL.
        servers: of PostgreSQL, by its connections.
        connection_gb: memory of those.
        decision_cores: of PostgreSQL in the busiest hour, half busy.
    """

    gateways: int
    events_day: float
    events_peak: float
    megabits: float
    event_cores: int
    writers: int
    stream_gb: float
    table_gb_day: float
    table_tb_year: float
    connections: int
    servers: int
    connection_gb: float
    decision_cores: int


def peak_share() -> float:
    """Give the part of a day's lines that comes in its busiest hour, as the journal's benchmark has it."""
    return max(events._HOURS) / sum(events._HOURS)


def need(schools: int, cost: dict[str, Any]) -> Need:
    """Reckon.

    Args:
        schools: how many.
        cost: figures of a county.
    """
    day = float(schools * (PUPILS + STAFF) * LINES_OF_PERSON)
    peak = day * peak_share() / _HOUR
    connections = schools * GATEWAYS * CONNECTIONS
    decisions = schools * REQUESTS_OF_SCHOOL * peak_share() / _HOUR
    return Need(
        gateways=schools * GATEWAYS,
        events_day=day,
        events_peak=peak,
        megabits=peak * cost["stream_bytes"] * 8 / 1e6,
        event_cores=ceil(peak * (cost["nats"] + cost["tables"]) / 1e6 / BUSY),
        writers=ceil(peak * cost["tables"] / 1e6 / BUSY),
        stream_gb=day * cost["stream_bytes"] * STREAM_DAYS / 1e9,
        table_gb_day=day * cost["table_bytes"] / 1e9,
        table_tb_year=day * cost["table_bytes"] * SCHOOL_DAYS / 1e12,
        connections=connections,
        servers=ceil(connections / CONNECTIONS_OF_SERVER),
        connection_gb=connections * cost["connection_kilobytes"] / 1024**2,
        decision_cores=ceil(decisions * cost["server"] / 1e3 / BUSY),
    )


def section(cost: dict[str, Any]) -> str:
    """Give the table and what it assumes."""
    needs = [need(count, cost) for count in SCHOOLS.values()]
    rows = "\n".join(
        f"| {name} | " + " | ".join(told(one) for one in needs) + " |" for name, told in _TOLD
    )
    assumed = "\n".join(f"| {what} | {figure} | {why} |" for what, figure, why in _assumed())
    return f"""\
## What 30, 500 and 24,000 schools need

Printed by `python -m benchmarks.trust.capacity`: reckoned from the section before; never tried at that size.

| | {" | ".join(SCHOOLS)} |
|---|---|---|---|
{rows}

| assumed | | why |
|---|---|---|
{assumed}

**What limits first** is not the decisions but PostgreSQL's connections, which gateways hold to listen; then
who writes tables, which is one process for a directory; then the disk. Each notification wakes every
connection that listens in the same database, of whichever school.

**How to divide it:** schools have nothing in common at the centre but the bundles: a county or a nation
is as many centres as the table has servers or writers, each with its PostgreSQL, NATS, `trust consume`
and directory, and its share of the schools. Bundles come from one of them by any web server, as they are
signed. Tables are read across all with one pattern of names.
"""


def _assumed() -> list[tuple[str, str, str]]:
    return [
        (
            "people of a school",
            f"{PUPILS} pupils, {STAFF} staff",
            "most are primary schools; count your own",
        ),
        (
            "lines of a person and day",
            f"{LINES_OF_PERSON:,}",
            "as in the journal's benchmark: a school day",
        ),
        ("in the busiest hour", f"{peak_share():.0%} of a day", "the same benchmark's hours"),
        (
            "requests of a school and day",
            f"{REQUESTS_OF_SCHOOL}",
            "each with review and approval: many",
        ),
        ("gateways of a school", f"{GATEWAYS}", "a [pair](pair.md)"),
        (
            "connections of a gateway",
            f"{CONNECTIONS}",
            "two workers and the portal ([trust.md](trust.md))",
        ),
        ("busy in that hour", f"{BUSY:.0%}", "so that a centre that stood still catches up"),
        (
            "connections of a server",
            f"{CONNECTIONS_OF_SERVER:,}",
            "each is a process and listens, so that no pooler can stand between",
        ),
        ("kept in NATS", f"{STREAM_DAYS} days", "a long weekend without who writes tables"),
        (
            "a school year",
            f"{SCHOOL_DAYS} days",
            "as in England: 380 sessions",
        ),
        ("a line", "no names, no sites", "what a school lets go by default; more takes more"),
    ]


_TOLD: tuple[tuple[str, Callable[[Need], str]], ...] = (
    ("gateways", lambda one: f"{one.gateways:,}"),
    ("events a day, million", lambda one: f"{one.events_day / 1e6:,.0f}"),
    ("events a second, busiest hour", lambda one: f"{one.events_peak:,.0f}"),
    ("lines into the centre for events, Mbit/s", lambda one: f"{one.megabits:,.1f}"),
    ("processors for events", lambda one: f"{one.event_cores:,}"),
    ("who writes tables, processes", lambda one: f"{one.writers:,}"),
    ("disk of NATS, GB", lambda one: f"{one.stream_gb:,.1f}"),
    ("disk of the tables a day, GB", lambda one: f"{one.table_gb_day:,.1f}"),
    ("disk of the tables a school year, TB", lambda one: f"{one.table_tb_year:,.2f}"),
    ("connections to PostgreSQL", lambda one: f"{one.connections:,}"),
    ("servers of PostgreSQL", lambda one: f"{one.servers:,}"),
    ("memory for connections, GB", lambda one: f"{one.connection_gb:,.1f}"),
    ("processors for decisions", lambda one: f"{one.decision_cores:,}"),
)


def main() -> None:
    """Reckon and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust.capacity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    said = section(json.loads(FIGURES.read_text(encoding="utf-8")))
    print(said)
    if parser.parse_args().write:
        write_section("capacity", said, PAGE)


if __name__ == "__main__":
    main()
