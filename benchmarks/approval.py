r"""How soon a site opens when the headteacher has signed: from sending the form to the page.

Through a real gateway with its portal: a teacher asks for a page, the leadership reviews, the
headteacher approves. Meanwhile another device asks for that page again and again, on a connection that
stays open; the time runs from the moment at which the signed form is sent until it is let through.

    python -m benchmarks.approval            print
    python -m benchmarks.approval --write    and write docs/performance.md
"""

import argparse
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import yaml

from benchmarks.page import write_section
from tests import gateway, origin
from tests.gateway import PATIENCE_SECONDS, Gateway, eventually
from tests.origin import Origin
from tests.portal.asking import PASSWORD
from tests.portal.people import AGAIN, Browser, make_accounts, number_in

ROUNDS = 50
WORKERS = 2
LEADER, HEAD = "l@school.example", "h@school.example"
# Several, as nobody may send many forms in a few minutes.
TEACHERS = [f"t{number}@school.example" for number in range(10)]
PEOPLE = {
    **dict.fromkeys(TEACHERS, ("T. Eacher", "teacher")),
    LEADER: ("L. Eader", "slt"),
    HEAD: ("H. Ead", "headteacher"),
}
_PAUSE_SECONDS = 0.0005
# A password holds for five minutes.
_AGAIN_AFTER = 20


@dataclass(frozen=True)
class Place:
    """Where it is measured: a gateway, an origin behind it, and a browser for everybody."""

    gateway: Gateway
    site: Origin
    browsers: dict[str, Browser]

    def prove(self) -> None:
        """Sign everybody in, and let them give the password again, as a signature asks for."""
        for browser in self.browsers.values():
            if "/sign-in/" in browser.get(AGAIN).headers.get("location", ""):
                browser.sign_in()
            browser.send(AGAIN, browser.form(AGAIN), password=PASSWORD)

    def asked_and_reviewed(self, email: str, url: str) -> int:
        """Let a teacher ask for a page, and review it; give the number of the request."""
        teacher = self.browsers[email]
        answer = teacher.send(
            "/ask/", teacher.form("/ask/"), url=url, site_content="Prices.", reasons="Maths.",
            risks_and_controls="Adverts; I watch.", extent="page", subject="everyone",
            minimum_age="0", parents_informed="on",
        )  # fmt: skip
        number = number_in(answer)
        assert number, (answer.status_code, answer.headers.get("location"), answer.text[:2000])
        review = f"/requests/{number}/review/"
        reviewed = self.browsers[LEADER].sign(
            review, recommended="yes", risks="Adverts.", controls="A teacher watches."
        )
        assert number_in(reviewed) == number, (reviewed.status_code, reviewed.text[:2000])
        return number

    def opened_after(self, url: str, number: int) -> float:
        """Approve a request; give the milliseconds until the page opens elsewhere."""
        head, path = self.browsers[HEAD], f"/requests/{number}/approve/"
        form = head.form(path)
        is_watching, opened = threading.Event(), list[float]()

        def watch() -> None:
            with self.gateway.client(address="127.8.0.1") as client:
                while client.get(url).status_code == HTTPStatus.FORBIDDEN:
                    is_watching.set()
                    time.sleep(_PAUSE_SECONDS)
                opened.append(time.perf_counter())

        watching = threading.Thread(target=watch)
        watching.start()
        assert is_watching.wait(PATIENCE_SECONDS)
        sent = time.perf_counter()
        answer = head.send(path, form, reasons="For the lesson.", signature=PEOPLE[HEAD][0])
        assert number_in(answer) == number, (answer.status_code, answer.headers.get("location"))
        watching.join(PATIENCE_SECONDS)
        return (opened[0] - sent) * 1000


@contextmanager
def staged() -> Iterator[Place]:
    """Run everything, with everybody signed in a moment ago."""
    with tempfile.TemporaryDirectory() as folder, origin.running(Path(folder)) as site:
        base = Path(folder)
        (base / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
        config = gateway.write_config(
            base,
            people=str(base / "people.yaml"),
            proxy={**gateway.to_origin(site), "workers": WORKERS},
            portal={"enabled": True},
        )
        with gateway.running(config) as running:
            assert eventually(lambda: running.get("health").text == "ok\n")
            make_accounts(config, PEOPLE)
            browsers = {
                email: Browser(running, email, f"127.7.0.{place}")
                for place, email in enumerate(PEOPLE, start=1)
            }
            try:
                yield Place(running, site, browsers)
            finally:
                for browser in browsers.values():
                    browser.close()


def section(rounds: int) -> str:
    """Give the figures in a sentence."""
    found = list[float]()
    with staged() as place:
        for number in range(rounds):
            if number % _AGAIN_AFTER == 0:
                place.prove()
            teacher = TEACHERS[number % len(TEACHERS)]
            url = f"http://www.ebay.co.uk:{place.site.http_port}/bytes/5?lot={number}"
            found.append(place.opened_after(url, place.asked_and_reviewed(teacher, url)))
    return f"""\
## From the headteacher's signature to the open page

Printed by `python -m benchmarks.approval` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs, which the browsers share: {rounds} \
requests asked for, reviewed and approved through a gateway with {WORKERS} workers and SQLite. From \
sending the signed form, through the portal's TLS door, until another device's open connection is let \
through: median {statistics.median(found):.0f} ms, slowest {max(found):.0f} ms. The password had been given \
within five minutes; where it is asked for again, that page comes in between."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.approval",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="requests")
    arguments = parser.parse_args()
    text = section(arguments.rounds)
    print(text)
    if arguments.write:
        write_section("approval", text)


if __name__ == "__main__":
    main()
