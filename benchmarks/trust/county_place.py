"""Where a county is simulated: schools on a PostgreSQL, and a gateway of one of them with its portal."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import yaml
from sqlalchemy import make_url

from schoolgate.storage import open_database
from schoolgate.storage.schools import add_school
from tests import gateway
from tests.gateway import eventually
from tests.portal.people import Browser, make_accounts

HEAD = "h@school.example"


def schools(server: str, count: int, deciding: int) -> tuple[str, list[str]]:
    """Make the schools; give the database, and the URLs of those that decide, with their tables."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE trust")
    owner = make_url(server).set(database="trust").render_as_string(hide_password=False)
    urls = [add_school(owner, f"school-{number}").url for number in range(count)][:deciding]
    for url in urls:
        open_database(url).dispose()
    return owner, urls


@contextmanager
def portal(folder: Path, url: str) -> Iterator[gateway.Gateway]:
    """Run a school's gateway with its portal."""
    (folder / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
    config = gateway.write_config(
        folder,
        people=str(folder / "people.yaml"),
        proxy={"workers": 1},
        portal={"enabled": True},
        database=url,
    )
    with gateway.running(config) as running:
        assert eventually(lambda: running.get("health").text == "ok\n")
        make_accounts(config, {HEAD: ("H. Ead", "headteacher")})
        yield running


@contextmanager
def signed_in(here: gateway.Gateway) -> Iterator[Browser]:
    """Give the browser of a headteacher, who has signed in."""
    browser = Browser(here, HEAD, "127.7.0.1")
    browser.sign_in()
    try:
        yield browser
    finally:
        browser.close()


def postmaster_of(server: str) -> int:
    """Give the first process of a server."""
    place = Path(str(make_url(server).query["host"]), "data", "postmaster.pid")
    return int(place.read_text().split()[0])


def memory(server: str) -> int:
    """Give the bytes that belong to one process of PostgreSQL alone, of all of them."""
    first = postmaster_of(server)
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    total = 0
    for pid in children:
        with suppress(FileNotFoundError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return total * 1024
