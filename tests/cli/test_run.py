"""`schoolgate run`: where everything is; and what it needs and cannot have ends it with a sentence."""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from schoolgate.authority.store import CERTIFICATE, KEY_AND_CERTIFICATE
from tests import gateway
from tests.cli.ended import OUT_OF_REACH, Here, lines, refused, run
from tests.school import School


@pytest.fixture
def taken() -> Iterator[str]:
    """An address that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def free_port() -> str:
    return f"127.0.0.1:{gateway.free_port()}"


def left_in_session(leader: int) -> list[str]:
    """Give the processes that are left of a session, by the session number in /proc."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            left.append(stat.parent.name)
    return left


@pytest.mark.parametrize(
    ("busy", "want"),
    [
        ("proxy", "The proxy cannot listen on {}: .*set proxy.listen to another address"),
        ("metrics", "The metrics cannot be served on {}: .*set metrics.listen to another address"),
    ],
)
def test_a_port_in_use_ends_with_3_and_leaves_nothing_half_started(
    school: School, taken: str, busy: str, want: str
) -> None:
    other = "metrics" if busy == "proxy" else "proxy"
    free = free_port()
    school.write_config(**{busy: {"listen": taken}, other: {"listen": free}})
    process = subprocess.Popen(
        [*gateway.COMMAND, "run", "--config", str(school.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, err = process.communicate(timeout=60)
    ended = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    assert gateway.eventually(lambda: left_in_session(process.pid) == [])
    host, port = free.split(":")
    with socket.create_server((host, int(port))):
        pass  # free again
    refused(ended, OUT_OF_REACH, want.format(re.escape(taken)))


def _damage(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _open_to_all(file: Path) -> None:
    file.chmod(0o644)


def _unreadable(file: Path) -> None:
    file.unlink()
    file.mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("spoil", "want"),
    [
        (_damage, "is damaged: .* Restore it from a backup"),
        (_open_to_all, r"can be read by others \(mode 0644\)\. Run 'chmod 600' on it"),
        (_unreadable, "cannot be read: Is a directory"),
    ],
    ids=["damaged", "readable by others", "unreadable"],
)
def test_a_ca_that_cannot_be_trusted_ends_with_3(
    with_ca: School, here: Here, spoil: Callable[[Path], None], want: str
) -> None:
    spoil(with_ca.state / "ca" / KEY_AND_CERTIFICATE)
    for command in (["run"], ["ca", "show"]):
        refused(here(*command), OUT_OF_REACH, want)
    # The index of the lists is no part of what runs.
    assert {path.name for path in with_ca.state.iterdir()} == {"ca", "lists"}


def test_a_state_directory_that_cannot_be_made_ends_with_3(school: School) -> None:
    ended = run(school, "run", "--state", str(school.config / "state"))
    refused(ended, OUT_OF_REACH, r"The state directory .* cannot be made: Not a directory")


def test_a_journal_that_cannot_be_written_ends_with_3(school: School) -> None:
    school.write_config(journal={"dir": str(school.policy / "journal")})
    ended = run(school, "run")
    refused(ended, OUT_OF_REACH, r"The journal cannot be written to .*: Not a directory")


@pytest.mark.parametrize(
    "command", [["run"], ["check", "a.example"], ["grants", "list"]], ids=" ".join
)  # fmt: skip
def test_a_corrupt_database_ends_with_3_and_is_left_as_it_is(
    school: School, command: Sequence[str]
) -> None:
    school.state.mkdir()
    database = school.state / "schoolgate.db"
    database.write_bytes(b"this is no database" * 500)
    refused(run(school, *command), OUT_OF_REACH, r"the database .* cannot be used \(.*\): ")
    assert database.read_bytes() == b"this is no database" * 500


def test_a_ca_for_origins_that_is_not_there_ends_with_3(school: School) -> None:
    school.write_config(proxy={"listen": "127.0.0.1:0", "upstream_ca": "nowhere.pem"})
    ended = run(school, "run")
    refused(ended, OUT_OF_REACH, r"The CA file .*nowhere\.pem of proxy\.upstream_ca cannot be read")


def test_run_prints_where_everything_is_and_doctor_finds_that_it_filters(school: School) -> None:
    proxy, metrics = free_port(), free_port()
    school.write_config(
        state_dir=str(school.state),
        proxy={"listen": proxy, "workers": 2},
        metrics={"listen": metrics},
    )
    with gateway.running(school.config) as own:
        assert own.lines == [
            f"proxy    http://{proxy}",
            "no portal: portal.enabled is false",
            f"metrics  http://{metrics}/metrics",
            f"health   http://{metrics}/healthz",
            f"CA       {school.state / 'ca' / CERTIFICATE}",
            f"journal  {school.state / 'journal'}",
            "clauses not enforced yet: 1 (schoolgate policy check)",
            "schoolgate is filtering (policy hill, 5 domains, 2 workers)",
        ]
        found = lines(run(school, "doctor"))
        second = run(school, "run")
    # Of a machine whose clock nobody sets, or whose disk is small, it is noted; so is a missing licence.
    about = [line for line in found if not re.match(r"\w+ +(clock|disk|locked lists)", line)]
    assert [line.split()[0] for line in about] == ["ok"] * (len(found) - 3)
    assert any("feeds: no lists of others are fetched" in line for line in found)
    assert any("blocked categories: a site of each is refused (gambling" in line for line in found)
    assert any(" workers: 2 of 2 serve" in line for line in found)
    refused(second, OUT_OF_REACH, "cannot")
