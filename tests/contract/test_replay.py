"""Traffic that real browsers and people made, replayed through `schoolgate check --batch`."""

import csv
import gzip
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.data import shared
from tests.gateway import schoolgate

KEYS = frozenset(
    (
        *("url", "host", "verdict", "reason", "clause", "category", "categories", "entry"),
        *(
            "feed",
            "grant",
            "group",
            "period",
            "tls",
            "obligations",
            "contents",
            "rule",
            "policy",
            "at",
        ),
    )
)

OWN_URLS = [
    "https://www.bbc.co.uk/bitesize/subjects",
    "http://www.bet365.com/",
    "HTTPS://WWW.Ebay.co.uk:443/itm/1?x=%20y#z",
    "not a url",
    "javascript:alert(1)",
    "\x00\x01",
    "http://[::ffff:7f00:1]/",
]


def answers(urls: Iterable[str]) -> list[dict[str, Any]]:
    """Give one answer for each URL, in order."""
    asked = [url.strip() for url in urls if url.strip() and "\n" not in url]
    # A state of its own: the grants of whoever runs schoolgate here must not answer.
    with tempfile.TemporaryDirectory() as state:
        done = schoolgate(
            "check", "--batch", "-", "--json", "--state", state, stdin="\n".join(asked) + "\n"
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    given = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["url"] for answer in given] == asked
    for answer in given:
        assert set(answer) - {"error"} == KEYS
        assert (answer["reason"] == "bad_url") == ("error" in answer)
    print(dict(Counter(answer["verdict"] for answer in given)))
    return given


def read(path: Path) -> str:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode("utf-8-sig", "replace")


def har_urls(folder: Path) -> Iterator[str]:
    """Give the URL of every request of every HAR below a folder that is one."""
    for path in sorted(folder.rglob("*.har*")):
        try:
            entries = json.loads(read(path))["log"]["entries"]
        except (ValueError, KeyError):
            continue
        yield from (entry["request"]["url"] for entry in entries)


def test_every_line_of_a_batch_gets_a_decision() -> None:
    given = answers(OWN_URLS)
    assert [(a["verdict"], a["reason"]) for a in given] == [
        ("allow", "default"),
        ("block", "category"),
        ("block", "category"),
        ("block", "bad_url"),
        ("block", "bad_url"),
        ("block", "bad_url"),
        ("block", "private_destination"),
    ]


def test_every_request_of_the_recorded_page_loads_gets_a_decision() -> None:
    given = answers(har_urls(shared("cases/06-traffic")))
    assert len(given) > 300


def test_every_address_of_the_popular_sites_gets_a_decision() -> None:
    given = answers(read(shared("cases/06-traffic/url-lists/top500-sitelist.txt.gz")).splitlines())
    assert len(given) > 20_000


def test_every_line_of_the_proxy_logs_gets_a_decision() -> None:
    squid = read(shared("cases/06-traffic/squidlog-netdata/access.log")).splitlines()
    urls = [fields[6] for line in squid if len(fields := line.split()) > 6]
    proxifier = read(shared("cases/06-traffic/loghub-proxifier/Proxifier/Proxifier_2k.log"))
    urls += [line.split(" - ", 1)[1].split()[0] for line in proxifier.splitlines() if " - " in line]
    assert len(answers(urls)) > 2_000


def test_no_school_or_university_is_blocked() -> None:
    hosts = [line.strip() for line in read(shared("cases/07-education/swot-uk.txt")).splitlines()]
    london = io.StringIO(read(shared("cases/07-education/london-schools.csv")))
    hosts += [row["host"] for row in csv.DictReader(london)]
    universities = io.StringIO(read(shared("cases/07-education/hipo-universities.csv.gz")))
    hosts += [row["domain"] for row in csv.DictReader(universities)]
    # A few lines of the London list say "not currently available" instead of a host.
    given = answers(f"https://{host}/" for host in hosts if host and " " not in host)
    stopped = [a["url"] for a in given if a["verdict"] not in ("allow", "monitor")]
    assert stopped == []
    assert len(given) > 2_000
