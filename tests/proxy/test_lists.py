"""A running gateway and its index of sites: replaced, damaged, healed, and found again."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists import open_index
from tests import gateway
from tests.gateway import Gateway, eventually
from tests.origin import Origin

RELOAD_ERRORS = r"^schoolgate_reload_errors_total"


@pytest.fixture(scope="module")
def own(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose lists these tests change; each leaves them as it found them."""
    directory = tmp_path_factory.mktemp("lists")
    config = gateway.write_config(directory, proxy=gateway.to_origin(site))
    with gateway.running(config) as running:
        yield running


def index(own: Gateway) -> Path:
    return own.state / "lists" / "sites.index"


def supplied(own: Gateway, category: str) -> Path:
    """Give where a list of others is taken from."""
    path = own.state / "lists" / "feeds" / "theirs" / f"{category}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def version(path: Path) -> str | None:
    """Give the version of an index; None for one that is missing or damaged."""
    try:
        return str(open_index(path).catalogue["version"])
    except ConfigurationError:
        return None


def status(client: httpx.Client, url: str) -> int:
    """Give the status of a page; asked again when it was cut off because the rules changed."""
    try:
        return client.get(url).status_code
    except httpx.RemoteProtocolError:
        return client.get(url).status_code


def _cut_off(image: bytes) -> bytes:
    return image[: len(image) // 2]


def _one_bit(image: bytes) -> bytes:
    return image[:-2000] + bytes([image[-2000] ^ 1]) + image[-1999:]


def _empty(_: bytes) -> bytes:
    return b""


def _another_file(_: bytes) -> bytes:
    return b"bet.example\n" * 1000


@pytest.mark.parametrize(
    ("damage", "want"),
    [
        (_cut_off, "bytes where"),
        (_one_bit, "is damaged within the MiB from byte"),
        (_empty, "is empty"),
        (_another_file, "is not an index of schoolgate"),
    ],
)
def test_a_damaged_index_changes_no_decision_is_named_and_made_anew(
    own: Gateway, site: Origin, damage: Callable[[bytes], bytes], want: str
) -> None:
    path, known = index(own), len(own.lines)
    before = version(path)
    assert before is not None
    aside = path.with_name("damaged")
    aside.write_bytes(damage(path.read_bytes()))
    aside.replace(path)
    with own.client() as client:

        def healed() -> bool:
            answers = [
                status(client, f"http://{host}:{site.http_port}/")
                for host in ("www.bet365.com", "www.bbc.co.uk")
            ]
            assert answers == [403, 200]
            return version(path) == before

        assert eventually(healed)
        assert healed()

    def is_named(line: str) -> bool:
        return str(path) in line and want in line

    assert eventually(lambda: any(is_named(line) for line in own.lines[known:]))
    assert all("schoolgate lists build" in line for line in own.lines[known:] if is_named(line))


def test_a_missing_index_is_made_anew(own: Gateway) -> None:
    path = index(own)
    before = version(path)
    path.unlink()
    assert eventually(lambda: version(path) == before)


@pytest.mark.long
def test_a_list_that_others_made_comes_into_force_without_a_restart(
    own: Gateway, site: Origin
) -> None:
    url = f"http://origin.test:{site.http_port}/"
    path = supplied(own, "gambling")
    with own.client() as client:
        assert status(client, url) == 200
        path.write_text("# theirs\nORIGIN.test\n")
        assert eventually(lambda: status(client, url) == 403)
        assert client.get(url).headers["x-schoolgate-clause"] == "W-6.3.1-gambling"
        path.unlink()
        assert eventually(lambda: status(client, url) == 200), own.lines
    blocked = [line for line in own.journal() if line["host"] == "origin.test"]
    assert ("origin.test", "theirs") in {(line["entry"], line["feed"]) for line in blocked}


ERROR_PAGE = "<html>\n<h1>503 Service Unavailable</h1>\n</html>\n"


@pytest.mark.parametrize(
    ("category", "text", "want"),
    [
        ("gambling", ERROR_PAGE, "is no list: 3 of its 3 lines are no host"),
        ("gamblign", "a.example\n", "there is no category 'gamblign'"),
    ],
)
def test_a_broken_list_is_counted_and_named_and_the_last_good_ones_stay(
    own: Gateway, site: Origin, category: str, text: str, want: str
) -> None:
    url = f"http://origin.test:{site.http_port}/"
    good, broken = supplied(own, "gambling"), supplied(own, category)
    with own.client() as client:
        good.write_text("origin.test\n")
        assert eventually(lambda: status(client, url) == 403)
        kept, errors = version(index(own)), own.metric(RELOAD_ERRORS)
        broken.write_text(text)
        assert eventually(lambda: own.metric(RELOAD_ERRORS) == errors + gateway.WORKERS)
        assert status(client, url) == 403
        assert status(client, f"http://www.bbc.co.uk:{site.http_port}/") == 200
        assert version(index(own)) == kept
        assert eventually(lambda: any(f"{broken}: {want}" in line for line in own.lines))
        for path in {good, broken}:
            path.unlink()
        assert eventually(lambda: status(client, url) == 200)


def test_an_index_built_by_hand_is_taken_up(own: Gateway) -> None:
    """Nobody needs to tell the gateway."""
    known = sum("are in force" in line for line in own.lines)
    built = own.run("lists", "build")
    assert built.returncode == 0, built.stderr
    assert eventually(lambda: sum("are in force" in line for line in own.lines) > known)
    assert own.run("lists", "status").returncode == 0


def test_after_a_kill_the_index_is_opened_and_not_built_again(
    own_config: Path, site: Origin
) -> None:
    def kept(running: Gateway) -> tuple[int, int]:
        found = index(running).stat()
        return found.st_ino, found.st_mtime_ns

    with gateway.running(own_config, ends=-signal.SIGKILL) as killed:
        before = kept(killed)
        killed.process.kill()
        killed.process.wait(30)
    with gateway.running(own_config) as again, again.client() as client:
        assert kept(again) == before
        assert status(client, f"http://www.bet365.com:{site.http_port}/") == 403
        assert not any(line.startswith(("ERROR", "WARNING")) for line in again.lines)
