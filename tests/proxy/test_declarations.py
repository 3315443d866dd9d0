"""An unsigned declaration through a real gateway: held or reminded, on open connections too."""

import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.gateway import (
    CUT,
    PATIENCE_SECONDS,
    Gateway,
    clause,
    eventually,
    put,
    running,
    stay_within_a_day,
    to_origin,
    write_config,
)
from tests.origin import Origin
from tests.proxy.test_warnings import accepted, button

ANN, BOB, PUPIL, STRANGER = "127.0.6.2", "127.0.6.3", "127.0.6.4", "127.0.6.5"
PEOPLE = {
    "devices": {
        "laptop": {"address": ANN, "user": "ann", "group": "staff"},
        "desk": {"address": BOB, "user": "bob", "group": "staff"},
        "tablet": {"address": PUPIL, "user": "pip", "group": "pupils"},
        "trolley": {"address": STRANGER, "group": "staff"},
    },
    "neighbours": False,
}
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: pupils
groups: {staff: Staff, pupils: Pupils}
clauses:
  H-1: {title: Staff sign the declaration}
  H-2: {title: Help is never far}
  H-3: {title: Use is watched}
suspension_clause: H-3
local_clause: H-3
grant_clause: H-3
declaration: {clause: H-1, version: v1, until_signed: hold, groups: [staff]}
always_reachable:
  - {id: help, clause: H-2, when: {hosts: [www.childline.org.uk]}, then: allow}
rules:
  - {id: bets, clause: H-3, when: {hosts: [www.bet365.com]}, then: block}
default: {id: otherwise, clause: H-3, then: monitor}
inspection: {mode: needed}
"""


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, site: Origin) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("declarations")
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    config = write_config(
        directory,
        policy="hill",
        policies_dir=str(directory / "policies"),
        people=str(people),
        proxy=to_origin(site),
    )
    with running(config) as gateway:
        yield gateway


def declare(school: Gateway, *arguments: str) -> None:
    done = school.run("declarations", *arguments)
    assert done.returncode == 0, done.stderr


def put_policy(school: Gateway, old: str, new: str) -> None:
    put(school.config.parent / "policies/hill.yaml", POLICY.replace(old, new))


@pytest.mark.parametrize(
    ("address", "host", "want"),
    [
        (ANN, "origin.test", "H-1"),
        (ANN, "www.bet365.com", "H-1"),
        (ANN, "www.childline.org.uk", ""),
        (PUPIL, "origin.test", ""),
        (STRANGER, "origin.test", ""),
    ],
)
def test_staff_known_by_name_are_held(
    school: Gateway, site: Origin, address: str, host: str, want: str
) -> None:
    with school.client(address=address) as client:
        assert clause(client, f"http://{host}:{site.http_port}/") == want
        if want:
            page = client.get(f"https://{host}:{site.https_port}/")
            assert page.headers["x-schoolgate-clause"] == want
            assert "Please sign the declaration" in page.text
            assert "v1: read it" in page.text


def test_a_signature_counts_at_once_until_there_is_another_version(
    school: Gateway, site: Origin
) -> None:
    url = f"http://origin.test:{site.http_port}/"
    with school.client(address=ANN) as ann, school.client(address=BOB) as bob:
        assert clause(ann, url) == "H-1"
        declare(school, "sign", "ANN")
        assert eventually(lambda: clause(ann, url) == "")
        assert clause(bob, url) == "H-1"
        put_policy(school, "version: v1", "version: v2")
        assert eventually(lambda: clause(ann, url) == "H-1")
        put_policy(school, "", "")
        assert eventually(lambda: clause(ann, url) == "")
        declare(school, "withdraw", "ann", "--reason", "another's form")
        assert eventually(lambda: clause(ann, url) == "H-1")


def test_a_download_and_a_tunnel_are_cut(school: Gateway, site: Origin) -> None:
    declare(school, "sign", "bob")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The site's own certificate: nobody reads along.
    context.load_verify_locations(str(site.ca_file))
    proxy = urlsplit(school.proxy)
    tunnel = http.client.HTTPSConnection(
        str(proxy.hostname), int(proxy.port or 0), timeout=PATIENCE_SECONDS,
        source_address=(BOB, 0), context=context,
    )  # fmt: skip
    tunnel.set_tunnel("origin.test", site.https_port)
    url = f"http://origin.test:{site.http_port}/"
    with school.client(address=BOB) as bob, closing(tunnel):
        assert eventually(lambda: clause(bob, url) == "")
        tunnel.request("GET", "/endless")
        inside = tunnel.getresponse()
        assert inside.read(100)
        with bob.stream("GET", f"{url}endless") as answer:
            chunks = answer.iter_raw()
            next(chunks)
            declare(school, "withdraw", "bob", "--reason", "left")
            with pytest.raises(CUT):
                for _ in chunks:
                    pass
        with pytest.raises((OSError, http.client.IncompleteRead)):
            while inside.read(65_536):
                pass


def verdict(client: httpx.Client, url: str) -> str:
    """Give the verdict of a page of the gateway; "" where there was none."""
    try:
        return str(client.get(url).headers.get("x-schoolgate-verdict", ""))
    except CUT:
        return ""


def test_a_reminder_is_clicked_through_once_a_day(school: Gateway, site: Origin) -> None:
    stay_within_a_day()
    put_policy(school, "until_signed: hold", "until_signed: warn")
    url = f"https://origin.test:{site.https_port}/page"
    try:
        with school.client(address=ANN) as ann:
            plain = f"http://origin.test:{site.http_port}/"
            assert eventually(lambda: verdict(ann, plain) == "warn")
            page = ann.get(url)
            assert re.search(r"It holds for all sites\s+until", page.text)
            assert clause(ann, f"http://www.bet365.com:{site.http_port}/") == "H-3"
            link = button(page)
            assert ann.post(link).headers["location"] == "/page"
            assert clause(ann, url) == ""
            # In another window there is nothing left to accept.
            assert ann.post(link).headers["location"] == "/page"
            assert clause(ann, f"http://www.bet365.com:{site.http_port}/") == "H-3"
        assert eventually(lambda: ("ann", "declaration:v1") in accepted(school))
        assert accepted(school).count(("ann", "declaration:v1")) == 1
    finally:
        put_policy(school, "", "")
