"""The timetable through a real gateway whose clock the test sets."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import origin
from tests.gateway import (
    COMMAND,
    Gateway,
    clause,
    eventually,
    put,
    running,
    to_origin,
    write_config,
)
from tests.origin import Origin
from tests.system.conftest import program

STAFF = "127.0.1.1"
PEOPLE = {
    "networks": {"wired": {"ranges": ["127.0.1.0/24"], "group": "staff"}},
    "neighbours": False,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Origin]:
    with origin.running(tmp_path) as running_origin:
        yield running_origin


def clock_of(command: list[str], file: Path) -> list[str]:
    """Give a command that takes the time of day from a file."""
    faketime = program("faketime")
    library = subprocess.run(
        [faketime, "2026-11-16 10:00:00", "printenv", "LD_PRELOAD"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    return [
        "env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={file}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "TZ=UTC", *command,
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_staff_are_blocked_in_the_lesson_and_not_at_lunch_on_one_connection(
    tmp_path: Path, site: Origin, scheme: str
) -> None:
    """The policy of Twiss Green as it comes with the product, on a Monday."""
    (tmp_path / "people.yaml").write_text(yaml.safe_dump(PEOPLE))
    config = write_config(
        tmp_path, policy="twiss-green", people=str(tmp_path / "people.yaml"), proxy=to_origin(site)
    )
    clock = tmp_path / "clock"

    def it_is(moment: str) -> None:
        # The time goes on from there.
        put(clock, f"@{moment}\n")

    it_is("2026-11-16 10:20:00")
    port = site.http_port if scheme == "http" else site.https_port
    url = f"{scheme}://www.facebook.com:{port}/"
    with (
        running(config, clock_of(list(COMMAND), clock)) as gateway,
        gateway.client(address=STAFF) as client,
    ):
        assert clause(client, url) == "T-5-lesson"
        it_is("2026-11-16 12:10:00")
        assert eventually(lambda: clause(client, url) == "")
        it_is("2026-11-16 13:00:30")
        assert eventually(lambda: clause(client, url) == "T-5-lesson")
        assert eventually(lambda: told(gateway, url) == {"lessons", "lunch"})


def told(gateway: Gateway, url: str) -> set[str]:
    """Give the periods that the journal names for an address."""
    return {line["period"] for line in gateway.journal() if line.get("url") == url}
