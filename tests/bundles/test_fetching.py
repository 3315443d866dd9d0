"""A gateway puts in force what its trust has let out into its ring, whole, and nothing else."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.bundles.manifest import Manifest
from schoolgate.bundles.repository import ALL, CANARY
from schoolgate.core.errors import ConfigurationError, Fault, RefusedError, UnavailableError
from tests.bundles.centres import (
    FILES,
    NOW,
    Fetching,
    Trust,
    answering_ranges,
    closing_once,
    later,
    trusted,
)
from tests.publisher import Handler

NEWER = {**FILES, "policies/trust.yaml": b"id: trust # newer\n"}
NO = (RefusedError, UnavailableError, ConfigurationError)


@pytest.fixture
def trust(tmp_path: Path) -> Iterator[Trust]:
    with trusted(tmp_path / "trust") as found:
        yield found


@pytest.fixture
def gateway(trust: Trust, tmp_path: Path) -> Fetching:
    return Fetching(trust, tmp_path / "gateway")


def test_what_is_let_out_comes_into_force_and_nothing_is_fetched_twice(
    trust: Trust, gateway: Fetching
) -> None:
    trust.let_out(FILES)
    found = gateway.fetch()
    assert found is not None
    assert (found.version, found.bundle, gateway.in_force()) == (1, 1, FILES)
    assert gateway.fetch() is None
    trust.let_out(NEWER)
    trust.publisher.asked.clear()
    assert gateway.fetch() is not None
    assert gateway.in_force() == NEWER
    # Only the file that changed came.
    assert len([path for path in trust.publisher.paths() if path.startswith("blobs/")]) == 1
    status = gateway.store.status()
    assert (status.highest, status.failures, status.fault) == (2, 0, "")


def test_canaries_have_it_first_and_all_when_it_is_released(
    trust: Trust, gateway: Fetching, tmp_path: Path
) -> None:
    canary = Fetching(trust, tmp_path / "canary", CANARY)
    trust.let_out(FILES)
    trust.let_out(FILES, CANARY)
    assert gateway.fetch()
    assert canary.fetch()
    trust.let_out(NEWER, CANARY)
    assert gateway.fetch() is None
    assert canary.fetch()
    assert (gateway.in_force(), canary.in_force()) == (FILES, NEWER)
    trust.repository.let_out(ALL, 3, trust.keys, NOW)
    trust.serve()
    assert gateway.fetch()
    assert gateway.in_force() == NEWER


def test_what_is_withdrawn_is_replaced_by_the_one_before_under_a_later_version(
    trust: Trust, gateway: Fetching
) -> None:
    trust.let_out(FILES)
    trust.let_out(NEWER)
    assert gateway.fetch()
    [again] = trust.repository.withdraw(2, trust.keys, NOW)
    trust.serve()
    assert (again.version, again.bundle) == (3, 1)
    assert gateway.fetch()
    assert gateway.in_force() == FILES


def test_rolled_back_at_the_gateway_it_stays_so_until_something_newer_comes(
    trust: Trust, gateway: Fetching
) -> None:
    for files in (FILES, NEWER):
        trust.let_out(files)
        assert gateway.fetch()
    assert gateway.store.roll_back() == (2, 1)
    assert gateway.in_force() == FILES
    assert gateway.fetch() is None
    trust.let_out({**NEWER, "services.yaml": b"x"})
    assert gateway.fetch()
    assert len(gateway.in_force()) == 3
    with pytest.raises(RefusedError, match="no bundle of version 9"):
        gateway.store.roll_back(9)


def test_only_the_last_few_are_kept(trust: Trust, gateway: Fetching) -> None:
    for number in range(5):
        trust.let_out({**FILES, "services.yaml": b"%d" % number})
        assert gateway.fetch()
    assert gateway.store.kept() == [3, 4, 5]


def test_what_this_gateway_cannot_work_with_is_not_put_in_force(
    trust: Trust, gateway: Fetching
) -> None:
    def faulty(_directory: Path) -> None:
        raise ConfigurationError([Fault("hill.yaml", 3, "unknown group 'sixth'")])

    trust.let_out(FILES)
    assert gateway.fetch()
    trust.let_out(NEWER)
    with pytest.raises(ConfigurationError, match="unknown group"):
        replace(gateway, check=faulty).fetch()
    assert gateway.in_force() == FILES
    assert gateway.store.status().fault == "hill.yaml:3: unknown group 'sixth'"
    # What is wrong was the school's own policy: once that is right, the bundle is taken.
    assert gateway.fetch()


def test_a_file_that_is_cut_off_again_and_again_goes_on_where_it_was(
    trust: Trust, gateway: Fetching
) -> None:
    manifest = trust.let_out(FILES)
    [large] = [each for each in manifest.files if each.length > 1000]
    content = FILES[large.path]
    # Four tries of a quarter each.
    served = answering_ranges(content, cut_after=len(content) // 4)
    trust.publisher.lists[f"blobs/{large.sha256}"] = served
    assert gateway.fetch()
    assert gateway.in_force() == FILES
    ranges = [
        headers.get("Range") for path, headers in trust.publisher.asked if large.sha256 in path
    ]
    assert ranges == [None, "bytes=1200-", "bytes=2400-", "bytes=3600-"]


def test_a_kept_connection_that_is_closed_while_it_is_asked_is_no_failure(
    trust: Trust, gateway: Fetching
) -> None:
    manifest = trust.let_out(FILES)
    for each in manifest.files:
        trust.publisher.lists[f"blobs/{each.sha256}"] = closing_once(FILES[each.path])
    assert gateway.fetch()
    assert gateway.in_force() == FILES


def test_the_rest_of_a_fetch_that_was_given_up_is_brought_by_the_next(
    trust: Trust, gateway: Fetching
) -> None:
    manifest = trust.let_out(FILES)
    [large] = [each for each in manifest.files if each.length > 1000]
    content = FILES[large.path]
    place = f"blobs/{large.sha256}"
    trust.publisher.lists[place] = answering_ranges(content, cut_after=len(content) // 10)
    with pytest.raises(UnavailableError, match=r"cut off|cannot be had"):
        gateway.fetch()
    trust.publisher.lists[place] = answering_ranges(content)
    trust.publisher.asked.clear()
    assert gateway.fetch()
    [asked] = [headers for path, headers in trust.publisher.asked if path == place]
    assert asked["Range"] == f"bytes={4 * (len(content) // 10)}-"


def _forged(trust: Trust) -> None:
    """Somebody without the keys changes what the manifest says."""
    for path, content in trust.files().items():
        if path.endswith(".all.json"):
            trust.publisher.lists[path] = content.replace(b'"bundle": 2', b'"bundle": 9')


def _forged_metadata(trust: Trust) -> None:
    content = json.loads(trust.files()["metadata/timestamp.json"])
    content["signed"]["version"] += 1
    trust.publisher.lists["metadata/timestamp.json"] = json.dumps(content).encode()


def _forged_file(trust: Trust) -> None:
    for path in trust.files():
        if path.startswith("blobs/"):
            trust.publisher.lists[path] = b"id: trust # forged\n"


def _of_another_trust(trust: Trust) -> None:
    """All is in order, and signed by the keys of others."""
    with trusted(trust.root / "other") as other:
        for _ in range(3):
            other.let_out({"policies/trust.yaml": b"id: theirs\n"})
        trust.publisher.lists.clear()
        trust.publisher.lists.update(other.files())


def _without_anything(trust: Trust) -> None:
    trust.publisher.lists.clear()


def _claims_a_gigabyte(trust: Trust) -> None:
    """A server says that a file is far longer than it was signed to be, and goes on sending."""

    def endless(handler: Handler) -> None:
        handler.begin(1_000_000_000)
        for _ in range(100):
            handler.wfile.write(bytes(1 << 16))

    for path in trust.files():
        if path.startswith("blobs/"):
            trust.publisher.lists[path] = endless


def _signs_a_gigabyte(trust: Trust) -> None:
    """The centre itself lets out more than a gateway takes."""
    made = trust.repository.directory / "bundles/2.json"
    said = json.loads(made.read_bytes())
    said[0]["length"] = 1_000_000_000
    made.write_text(json.dumps(said))
    trust.repository.let_out(ALL, 2, trust.keys, NOW)
    trust.serve()


def _leads_out(trust: Trust) -> None:
    """A manifest that is signed and names a file outside."""
    from schoolgate.bundles import repository

    class Careless(Manifest):
        def as_bytes(self) -> bytes:
            return super().as_bytes().replace(b"policies/trust.yaml", b"../../../etc/passwd")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "Manifest", Careless)
        trust.repository.let_out(ALL, 2, trust.keys, NOW)
    trust.serve()


def _swapped_rings(trust: Trust) -> None:
    """The manifest of the canaries is served in the place of that for all."""
    trust.let_out({"policies/trust.yaml": b"id: trust # untried\n"}, CANARY)
    files = trust.files()
    canary = next(content for path, content in files.items() if path.endswith(".canary.json"))
    for path in files:
        if path.endswith(".all.json"):
            trust.publisher.lists[path] = canary


def _expired(trust: Trust) -> None:
    trust.let_out(NEWER, now=later(-8))


def _expired_bundle(trust: Trust) -> None:
    """It is said today that this is the newest, and it is too old all the same."""
    trust.let_out(NEWER, now=later(-2), days=1)


@pytest.mark.parametrize(
    "attack",
    [
        _forged, _forged_metadata, _forged_file, _of_another_trust, _without_anything,
        _claims_a_gigabyte, _signs_a_gigabyte, _leads_out, _swapped_rings, _expired, _expired_bundle,
    ],
)  # fmt: skip
def test_what_is_hostile_is_refused_and_what_was_in_force_stays(
    trust: Trust, gateway: Fetching, attack: Callable[[Trust], None]
) -> None:
    trust.let_out(FILES)
    assert gateway.fetch()
    trust.let_out(NEWER)
    attack(trust)
    with pytest.raises(NO):
        gateway.fetch()
    assert gateway.in_force() == FILES
    status = gateway.store.status()
    assert (status.highest, status.failures) == (1, 1)
    assert status.fault


def test_an_older_state_of_the_centre_is_refused_with_and_without_the_trusted_metadata(
    trust: Trust, gateway: Fetching
) -> None:
    """Replayed: all of it was signed once."""
    trust.let_out(FILES)
    old = trust.files()
    trust.let_out(NEWER)
    assert gateway.fetch()
    trust.publisher.lists.clear()
    trust.publisher.lists.update(old)
    with pytest.raises(RefusedError, match="version"):
        gateway.fetch()
    # Somebody lost the folder; the bundle itself was seen.
    for path in sorted(gateway.store.metadata.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with pytest.raises(RefusedError, match="version 1 is older than 2"):
        gateway.fetch()
    assert gateway.in_force() == NEWER


def test_a_frozen_centre_is_refused_when_its_signature_runs_out(
    trust: Trust, gateway: Fetching
) -> None:
    trust.let_out(FILES, now=later(-6.9))
    assert gateway.fetch()
    trust.repository.refresh(trust.keys, later(-7.1))
    trust.serve()
    with pytest.raises(RefusedError, match="expired"):
        gateway.fetch()
    trust.repository.refresh(trust.keys, NOW)
    trust.serve()
    assert gateway.fetch() is None
    assert gateway.in_force() == FILES


@pytest.mark.long
def test_whatever_is_truncated_at_any_tenth_byte_is_refused(
    trust: Trust, gateway: Fetching, tmp_path: Path
) -> None:
    trust.let_out({"policies/trust.yaml": b"id: trust\n"})
    assert gateway.fetch()
    whole = trust.files()
    # The root after the one it was given is not there, and need not be.
    asked = [path for path in trust.publisher.paths() if path in whole]
    assert len(asked) == 5
    cuts = [(path, end) for path in asked for end in range(0, len(whole[path]), 10)]
    for number, (path, end) in enumerate(cuts):
        trust.publisher.lists[path] = whole[path][:end]
        fresh = Fetching(trust, tmp_path / f"fresh-{number}")
        with pytest.raises(NO):
            fresh.fetch()
        assert fresh.in_force() == {}
        trust.publisher.lists[path] = whole[path]


@pytest.mark.parametrize("stalls", ["silent", "dripping"])
def test_a_server_that_stalls_is_given_up(trust: Trust, gateway: Fetching, stalls: str) -> None:
    trust.let_out(FILES)

    def stall(handler: Handler) -> None:
        handler.begin(5000)
        for _ in range(1000 if stalls == "dripping" else 1):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)
        if stalls == "silent":
            time.sleep(3)

    trust.publisher.lists["metadata/timestamp.json"] = stall
    hurried = replace(gateway, most_seconds=0.3, silent_seconds=0.3)
    with pytest.raises(UnavailableError, match=r"too slow|timed out"):
        hurried.fetch()
    assert gateway.in_force() == {}


_KILLED = """
import os, signal, sys
from pathlib import Path
from schoolgate.bundles import store
from schoolgate.lists import generations

place = sys.argv[1]
holder = store if hasattr(store, place) else store.BundleStore
original = getattr(holder, place)

def killed(*args, **keys):
    original(*args, **keys)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(holder, place, killed)

from schoolgate.bundles.client import Centre
from schoolgate.bundles.fetching import Gateway, fetch
from schoolgate.bundles.store import BundleStore
from datetime import datetime, UTC

centre = Centre(sys.argv[2], Path(sys.argv[3]).read_bytes(), "all")
fetch(Gateway(BundleStore(Path(sys.argv[4])), lambda _: None, 3, 10**7, lambda: datetime.now(UTC)),
      lambda: centre)
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "place", ["begin", "lay_out", "finish", "put_status", "make_live", "forget_old"]
)
def test_killed_after_any_step_of_the_swap_the_old_or_the_new_is_in_force_and_the_next_fetch_ends_it(
    trust: Trust, gateway: Fetching, place: str
) -> None:
    trust.let_out(FILES)
    assert gateway.fetch()
    trust.let_out(NEWER)
    ended = subprocess.run(
        [
            sys.executable, "-c", _KILLED, place, trust.publisher.base,
            str(trust.repository.root_file), str(gateway.store.directory),
        ],
        check=False,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL
    is_live = place in ("make_live", "forget_old")
    assert gateway.in_force() == (NEWER if is_live else FILES)
    assert (gateway.fetch() is None) == is_live
    assert gateway.in_force() == NEWER
    assert not list((gateway.store.directory / "generations").glob(".new-*"))
