r"""What locked lists cost each request, and how soon a change of them and of the school's own lists holds.

python -m benchmarks.locked            print
python -m benchmarks.locked --write    and write docs/performance.md
"""

import argparse
import os
import platform
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.page import write_section
from schoolgate.bootstrap.rules import load_rules
from schoolgate.core.locked import HashedEntries, HashForm, Page, PlainEntries, Spelling
from schoolgate.core.locked.lists import Entries
from schoolgate.core.urls import parse_web_url
from schoolgate.lists import LockedPlace, load_local_lists, read_locked_lists
from schoolgate.services.engines import Engines
from schoolgate.settings import load_settings
from tests import gateway, origin
from tests.gateway import Gateway, put
from tests.lists.locked import put_list

ROUNDS = 50
# As many as the Internet Watch Foundation says that its list has.
ENTRIES = 6_000
DEVICES = ("127.0.3.2", "127.0.3.3")
SITE = "origin.test"
URLS = {
    "a host of three labels": "https://www.example.org/",
    "four segments": "https://www.example.org/news/2026/11/story.html",
    "and a query": "https://www.example.org/news/2026/11/story.html?id=5&page=2",
    "a listed host, another page": "https://h7.example/news/2026/11/story.html?id=5",
}
_PAUSE_SECONDS = 0.0005


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.locked",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="changes of each kind")
    arguments = parser.parse_args()
    text = section(arguments.rounds)
    print(text)
    if arguments.write:
        write_section("locked", text)


def section(rounds: int) -> str:
    """Give the tables."""
    looks = "\n".join(
        f"| {name} | " + " | ".join(f"{micros:.1f}" for micros in found) + " |"
        for name, found in look_ups().items()
    )
    with tempfile.TemporaryDirectory() as folder:
        loads = put_in_force(Path(folder), rounds)
    with staged() as running:
        held = until_it_holds(*running, rounds)
    rows = "\n".join(
        f"| {name} | {statistics.median(found):.1f} | {max(found):.1f} |"
        for name, found in {**loads, **held}.items()
    )
    return f"""\
## Locked lists and the school's own

Printed by `python -m benchmarks.locked` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs. \
A look-up in a list of {ENTRIES:,} entries, in µs:

| address | in the clear | hashed | hashed, as Safe Browsing |
|---|---|---|---|
{looks}

A change, {rounds} times each; the last two rows with a gateway of two workers, from the rename until a \
device at each has met it, their looks at the files and the requests included:

| change | median ms | max ms |
|---|---|---|
{rows}"""


def look_ups() -> dict[str, list[float]]:
    """Give the microseconds of a look-up, for each address and form of list."""
    lines = [f"h{number}.example/a/b{number}?id={number}" for number in range(ENTRIES)]
    forms = HashForm(), HashForm(spelling=Spelling.SAFE_BROWSING)
    plain = PlainEntries(map(Page.parse, lines))
    hashed = [HashedEntries(form, [form.digest(line) for line in lines]) for form in forms]
    lists: list[Entries] = [plain, *hashed]
    return {name: [_micros(each.find, text) for each in lists] for name, text in URLS.items()}


def _micros(find: Callable[..., object], text: str) -> float:
    url, times = parse_web_url(text), 20_000
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(times):
            find(url)
        best = min(best, time.perf_counter() - started)
    return best / times * 1e6


def put_in_force(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Give the milliseconds of each step from a change that was noticed to the engine in force."""
    settings = load_settings(gateway.write_config(folder))
    local, directory = folder / "local", folder / "locked"
    directory.mkdir()
    place = LockedPlace(directory, owner=os.getuid())
    engines = Engines(load_rules(settings).engine)
    found: dict[str, list[float]] = {
        "`block.txt` of 1,000 lines, read and put in force": [],
        f"a locked list of {ENTRIES:,} entries, read and put in force": [],
        "for comparison: everything read and put in force": [],
    }
    for number in range(rounds):
        lines = [f"h{number}-{line}.example\n" for line in range(1000)]
        put(local / "block.txt", "".join(lines))
        pages = [f"https://h{line}.example/{number}\n" for line in range(ENTRIES)]
        put_list(directory, "".join(pages))
        steps: list[Callable[[], None]] = [
            lambda: engines.put_local(load_local_lists(local)),
            lambda: engines.put_locked(read_locked_lists(place, datetime.now(UTC))),
            lambda: engines.put_policy(load_rules(settings).engine),
        ]
        for times, step in zip(found.values(), steps, strict=True):
            started = time.perf_counter()
            step()
            times.append((time.perf_counter() - started) * 1000)
    return found


@contextmanager
def staged() -> Iterator[tuple[Gateway, str]]:
    """Run an origin and a gateway; give it and the address of a page."""
    with tempfile.TemporaryDirectory() as folder, origin.running(Path(folder)) as site:
        base = Path(folder)
        (base / "locked").mkdir()
        put_list(base / "locked", "first.example\n")
        config = gateway.write_config(base, proxy=gateway.to_origin(site))
        with gateway.running(config) as running:
            yield running, f"http://{SITE}:{site.http_port}/bytes/"


def until_it_holds(running: Gateway, page: str, rounds: int) -> dict[str, list[float]]:
    """Give the milliseconds from a change of a file until both workers refuse a page."""
    base = running.config.parent

    def local(path: str) -> None:
        put(base / "local" / "block.txt", f"{SITE}{path}\n" if path else "# nothing\n")

    def locked(path: str) -> None:
        put_list(base / "locked", f"{SITE}{path}\n" if path else "first.example\n")

    changes = {"`block.txt`, by its rename": local, "a locked list, by its rename": locked}
    return {
        name: [_until_refused(running, page, change) for _ in range(rounds)]
        for name, change in changes.items()
    }


def _until_refused(running: Gateway, page: str, change: Callable[[str], None]) -> float:
    with ExitStack() as opened:
        clients = [opened.enter_context(running.client(address=device)) for device in DEVICES]
        path = f"/bytes/{1 + secrets.randbelow(1000)}"
        address = page.removesuffix("/bytes/") + path

        def wait(want: int) -> None:
            for client in clients:
                while client.get(address).status_code != want:
                    time.sleep(_PAUSE_SECONDS)

        wait(200)
        started = time.perf_counter()
        change(path)
        wait(403)
        took = time.perf_counter() - started
        change("")
        wait(200)
    return took * 1000


if __name__ == "__main__":
    main()
