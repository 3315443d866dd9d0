"""A warning that was clicked through, in every worker and after a restart, through a real gateway."""

import html
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import yaml

from tests.gateway import (
    PATIENCE_SECONDS,
    Gateway,
    clause,
    eventually,
    running,
    stay_within_a_day,
    to_origin,
    write_config,
)
from tests.origin import Origin

# Of two workers, each serves one of these.
ANN, ANN_TOO, BOB, STRANGER = "127.0.5.2", "127.0.5.3", "127.0.5.4", "127.0.5.6"
CID, CID_TOO = "127.0.5.8", "127.0.5.9"
PEOPLE = {
    "devices": {
        "laptop": {"address": [ANN, ANN_TOO], "user": "ann", "group": "pupils"},
        "desk": {"address": [CID, CID_TOO], "user": "cid", "group": "pupils"},
        "tablet": {"address": BOB, "user": "bob", "group": "pupils"},
    },
    "neighbours": False,
}


def configured(directory: Path, site: Origin) -> Path:
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    return write_config(directory, people=str(people), proxy=to_origin(site))


@pytest.fixture(scope="module")
def gateway(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(configured(tmp_path_factory.mktemp("warnings"), site)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _away_from_midnight() -> None:
    stay_within_a_day()


def button(page: httpx.Response) -> str:
    """Give the address that the button of a warning posts to."""
    assert page.headers["x-schoolgate-verdict"] == "warn"
    found = re.search(r'<form method="post" action="([^"]+)">', page.text)
    assert found is not None
    return urljoin(str(page.url), html.unescape(found[1]))


def accepted(gateway: Gateway) -> list[tuple[str, str]]:
    """Give who accepted which rule, as the journal tells."""
    told = [line for line in gateway.journal() if line["event"] == "warning.accepted"]
    return [(line["user"] or line["client"], line["rule"]) for line in told]


def test_it_holds_in_every_worker_and_after_all_have_ended(site: Origin, tmp_path: Path) -> None:
    config = configured(tmp_path, site)
    url = f"https://www.dropbox.com:{site.https_port}/home?x=1"
    plain = f"http://www.dropbox.com:{site.http_port}/a.js"
    with running(config) as gateway:
        with gateway.client(address=ANN) as one, gateway.client(address=ANN_TOO) as other:
            link = button(one.get(url))
            # Another address of hers is another worker's, which takes the link, too.
            done = other.post(link)
            assert (done.status_code, done.headers["location"]) == (303, "/home?x=1")
            assert clause(other, url) == ""
            assert eventually(lambda: clause(one, url) == "")
            # What the page fetches from elsewhere comes with it.
            assert one.get(plain).status_code == 200
            # Clicked again, in another window.
            assert one.post(link).status_code == 303
        with gateway.client(address=BOB) as bob:
            assert clause(bob, url) == "W-6.3.1-cloud"
        assert eventually(lambda: accepted(gateway) == [("ann", "cloud-storage")])
        before = gateway.processes()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: len(set(gateway.processes()) - set(before)) == len(before))
        with gateway.client(address=ANN) as one:
            assert eventually(lambda: clause(one, url) == "")
    with running(config) as gateway, gateway.client(address=ANN_TOO) as other:
        assert clause(other, url) == ""
        assert accepted(gateway) == [("ann", "cloud-storage")]


def test_a_link_is_of_no_use_to_anybody_else_nor_elsewhere(site: Origin, gateway: Gateway) -> None:
    url = f"https://www.dropbox.com:{site.https_port}/"
    with gateway.client(address=STRANGER) as stranger:
        link = button(stranger.get(url))
        forged = [
            link.replace("rule=cloud-storage", "rule=transfer"),
            link.replace("to=%2F", "to=%2F%2Fevil.example"),
            re.sub("signature=.", "signature=x", link),
        ]
        for other in forged:
            refused = stranger.post(other)
            assert (refused.status_code, refused.headers["x-schoolgate-verdict"]) == (403, "warn")
        # A script says what it is, if it is one that a browser runs.
        refused = stranger.post(link, headers={"Sec-Fetch-Mode": "cors"})
        assert (refused.status_code, refused.headers["x-schoolgate-verdict"]) == (403, "warn")
        with gateway.client(address=ANN) as ann:
            assert ann.post(link).status_code == 403
            assert clause(ann, url) == "W-6.3.1-cloud"
        # To a site that nobody is warned of it is a path like any other.
        astray = link.replace("www.dropbox.com", "origin.test")
        assert stranger.post(astray).status_code == 200
        assert clause(stranger, url) == "W-6.3.1-cloud"
        assert stranger.post(link, headers={"Sec-Fetch-Mode": "navigate"}).status_code == 303
        assert eventually(lambda: (STRANGER, "cloud-storage") in accepted(gateway))
        with gateway.client(http2=True, address=BOB) as bob:
            answers = [page := bob.get(url), bob.post(button(page)), bob.get(url)]
        assert [answer.http_version for answer in answers] == ["HTTP/2"] * 3
        assert [answer.status_code for answer in answers] == [403, 303, 200]


def test_while_the_store_takes_nothing_it_holds_in_the_worker_that_took_the_click(
    site: Origin, gateway: Gateway
) -> None:
    url = f"https://www.dropbox.com:{site.https_port}/"
    once, database = ("cid", "cloud-storage"), gateway.state / "schoolgate.db"
    with gateway.client(address=CID) as one, gateway.client(address=CID_TOO) as other:
        link = button(one.get(url))
        with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as store:
            store.execute("BEGIN IMMEDIATE")
            assert one.post(link).status_code == 303
            assert one.get(url).status_code == 200
            failed = "Accepted warnings hold in this worker only"
            assert eventually(lambda: any(failed in line for line in gateway.lines))
            assert eventually(lambda: once in accepted(gateway))
            assert one.get(url).status_code == 200
            assert clause(other, url) == "W-6.3.1-cloud"
        assert eventually(lambda: other.get(url).status_code == 200)
        assert accepted(gateway).count(once) == 1
