r"""What the portal takes when the whole staff asks within a minute, through a real gateway's TLS door.

Each person has a device and a browser of their own. First all sign in, within one minute; then each opens
the form and sends it, at a moment of chance within another; and at last all send one more at once.

    python -m benchmarks.portal            print
    python -m benchmarks.portal --write    and write docs/performance.md
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx
import yaml
from argon2.low_level import Type, hash_secret_raw

from benchmarks.page import write_section
from schoolgate.portal.accounts.hashing import Argon2
from schoolgate.settings import load_settings
from schoolgate.storage import ApprovalStore, open_database
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.portal.people import Browser, filled_in, make_accounts, number_in

PEOPLE = 200
SECONDS = 60.0
WORKERS = 2
_HASHES = 20


@dataclass
class Taken:
    """How long a step took whom, in milliseconds, and what went wrong."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def of(
        self, step: Callable[[], httpx.Response], wanted: Callable[[httpx.Response], bool]
    ) -> str:
        """Time a step; give the page that came, "" where it is not the one that was wanted."""
        began = time.perf_counter()
        try:
            answer = step()
        except httpx.HTTPError as error:
            self.errors.append(repr(error))
            return ""
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        if not wanted(answer):
            self.errors.append(f"{answer.status_code}: {answer.text[-1000:]}")
            return ""
        return answer.text

    def row(self, name: str) -> str:
        """Give it as a line of a table."""
        found = sorted(self.milliseconds) or [0.0]
        last = found[max(0, -(-len(found) * 95 // 100) - 1)]
        return (
            f"| {name} | {len(found)} | {len(self.errors)} | {statistics.median(found):.0f} "
            f"| {last:.0f} | {found[-1]:.0f} |"
        )


@dataclass
class Staff:
    """Everybody, each with a browser, and what they did so far."""

    gateway: Gateway
    browsers: list[Browser]
    signed_in: Taken = field(default_factory=Taken)
    opened: Taken = field(default_factory=Taken)
    sent: Taken = field(default_factory=Taken)
    sent_at_once: Taken = field(default_factory=Taken)

    def all_do(self, step: Callable[[int], None], seconds: float, seed: int = 0) -> None:
        """Let everybody do something, at moments of chance within some seconds."""
        chance = random.Random(seed)
        waits = [chance.uniform(0, seconds) for _ in self.browsers]
        together = threading.Barrier(len(self.browsers))

        def one(place: int) -> None:
            together.wait()
            time.sleep(waits[place])
            step(place)

        with ThreadPoolExecutor(len(self.browsers)) as threads:
            list(threads.map(one, range(len(self.browsers))))

    def sign_in(self, place: int) -> None:
        """Sign in, from an empty browser."""
        self.signed_in.of(
            self.browsers[place].sign_in, lambda answer: answer.status_code == HTTPStatus.FOUND
        )

    def ask(self, place: int) -> None:
        """Open the form, and send it."""
        browser = self.browsers[place]
        page = self.opened.of(
            lambda: browser.get("/ask/"), lambda answer: answer.status_code == HTTPStatus.OK
        )
        if page:
            self._send(place, filled_in(page), self.sent)

    def ask_at_once(self, forms: list[dict[str, str]]) -> Callable[[int], None]:
        """Give what sends the forms that are open already."""
        return lambda place: self._send(place, forms[place], self.sent_at_once)

    def _send(self, place: int, form: dict[str, str], taken: Taken) -> None:
        url = f"https://site-{place}.example/lesson"
        typed = {
            "url": url, "site_content": "Prices.", "reasons": "Maths.", "extent": "domain",
            "risks_and_controls": "Adverts; I watch.", "subject": "group:staff",
        }  # fmt: skip
        taken.of(
            lambda: self.browsers[place].send("/ask/", form, **typed),
            lambda answer: number_in(answer) > 0,
        )


@contextmanager
def staff(people: int) -> Iterator[Staff]:
    """Run a gateway with its portal, and give everybody an account and a browser."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
        config = gateway.write_config(
            base,
            people=str(base / "people.yaml"),
            proxy={"workers": WORKERS},
            portal={"enabled": True},
        )
        names = {f"t{n}@school.example": (f"T. Eacher {n}", "teacher") for n in range(people)}
        with gateway.running(config) as running:
            assert eventually(lambda: running.get("health").text == "ok\n")
            make_accounts(config, names)
            browsers = [
                Browser(running, email, f"127.7.{place // 200}.{place % 200 + 1}")
                for place, email in enumerate(names)
            ]
            try:
                yield Staff(running, browsers)
            finally:
                for browser in browsers:
                    browser.close()


def stored(here: Staff) -> int:
    """Give how many requests are kept."""
    database = open_database(load_settings(here.gateway.config).database_url)
    try:
        with ApprovalStore(database).reading() as kept:
            return len(kept.requests())
    finally:
        database.dispose()


def work(here: Staff, seconds: float) -> None:
    """Let everybody sign in, ask, and ask once more at once."""
    here.all_do(here.sign_in, seconds)
    here.all_do(here.ask, seconds)
    forms = [filled_in(browser.get("/ask/").text) for browser in here.browsers]
    here.all_do(here.ask_at_once(forms), 0.0)


def hashing() -> float:
    """Give the milliseconds of a processor that one password takes, as the portal keeps it; the median."""
    found = []
    for _ in range(_HASHES):
        began = time.process_time()
        hash_secret_raw(
            b"three words nobody uses", os.urandom(16), Argon2.time_cost, Argon2.memory_cost,
            Argon2.parallelism, 32, Type.ID,
        )  # fmt: skip
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.portal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="within which all do it")
    arguments = parser.parse_args()
    text = section(arguments.people, arguments.seconds)
    print(text)
    if arguments.write:
        write_section("portal", text)


def section(people: int, seconds: float) -> str:
    """Give the table."""
    password = hashing()
    with staff(people) as here:
        work(here, seconds)
        kept = stored(here)
    parts = (here.signed_in, here.opened, here.sent, here.sent_at_once)
    for taken in parts:
        for error in taken.errors[:3]:
            print(error)
    names = ("sign in (form and password)", "open the form", "send it", "send another, all at once")
    rows = "\n".join(taken.row(name) for name, taken in zip(names, parts, strict=True))
    return f"""\
## The whole staff asks within a minute

Printed by `python -m benchmarks.portal` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, \
Python {platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs, which the browsers share: \
{people} people, each with a device of their own, through the TLS door of a gateway with {WORKERS} \
workers and SQLite; within {seconds:.0f} seconds each. {kept} requests are stored. One password \
(Argon2id, 46 MiB) takes {password:.0f} ms of a processor.

| step | times | errors | median ms | 95 % ms | max ms |
|---|---|---|---|---|---|
{rows}"""


if __name__ == "__main__":
    main()
