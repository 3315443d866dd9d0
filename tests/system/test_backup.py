"""The whole state in one file and back, with a gateway at work, and killed in the middle of it."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, select

from schoolgate import bootstrap
from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.services.approvals import Approvals
from schoolgate.settings import load_settings
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, open_database, schema
from schoolgate.storage.connections import reading, writing
from tests import gateway
from tests.gateway import COMMAND, PATIENCE_SECONDS, ROOT, schoolgate
from tests.services.requested import (
    APPROVE,
    HEAD,
    LEAD,
    REVIEW,
    TEACHER,
    approvals,
    form,
    scope,
)

pytestmark = pytest.mark.long

KILLS = 10
EVERYONE = Subject.parse("everyone")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with a policy, people, local lists and a key file of their own."""
    shutil.copytree(ROOT / "config/policies", tmp_path / "policies")
    for name in ("ages.yaml", "services.yaml", "unfolding.yaml"):
        shutil.copy(ROOT / "config" / name, tmp_path)
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({"neighbours": False}))
    (tmp_path / "mail.password").write_text("secret\n")
    file = gateway.write_config(
        tmp_path,
        policies_dir="policies",
        people="people.yaml",
        lists={"local": "local"},
        mail={"password_file": "mail.password"},
    )
    (tmp_path / "local" / "block.txt").write_text("before.example\n")
    return file


def requested(url: str, times: int) -> None:
    """Ask, review and approve so many times."""
    database = open_database(url)
    service: Approvals = approvals(ApprovalStore(database))
    for _ in range(times):
        now = bootstrap.now()
        request = service.submit(form(scope(now=now)), TEACHER, now)
        request = service.act(request.id, request.version, REVIEW, LEAD, now)
        service.act(request.id, request.version, APPROVE, HEAD, now)
    database.dispose()


def counts(url: str) -> dict[str, int]:
    """Give how much each table holds."""
    database = open_database(url)
    tables = (schema.requests, schema.grants, schema.outbox, schema.audit, schema.request_history)
    with reading(database) as connection:
        found = {
            table.name: int(
                connection.execute(select(func.count()).select_from(table)).scalar_one()
            )
            for table in tables
        }
    assert AuditTrail(database).verify().fault is None
    database.dispose()
    return found


def contents(directory: Path) -> dict[str, str]:
    """Give the sum of every file below a directory, but for what serves a single process."""
    apart = ("running.lock", "portal.lock", ".db", ".db-wal", ".db-shm")
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.endswith(apart)
        and "before-restore-" not in str(path)
    }  # fmt: skip


def database_url(config: Path) -> str:
    return f"sqlite:///{config.parent}/state/schoolgate.db"


def test_the_whole_state_goes_into_a_file_and_back_while_others_write(config: Path) -> None:
    base, file = config.parent, config.parent / "backup.tar.gz"
    with gateway.running(config) as own, working(database_url(config)) as done:
        assert gateway.eventually(lambda: done() > 5)
        least = done()
        made = own.run("backup", str(file), "--journal", "--lists")
        assert made.returncode == 0, made.stderr
        assert gateway.eventually(lambda: done() > least + 5)
        refused = own.run("restore", str(file))
        assert refused.returncode == 1
        assert "stop the gateway, the portal and the jobs first" in refused.stderr
        within = own.run("backup", str(own.state / "backup.tar.gz"))
        assert within.returncode == 1
        assert "name one outside of the state" in within.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    then = contents(base / "state")
    now = counts(database_url(config))
    (base / "local" / "block.txt").write_text("after.example\n")
    (base / "local" / "allow.txt").write_text("more.example\n")
    (base / "mail.password").write_text("other\n")
    (base / "policies" / "wellstead.yaml").write_text("nonsense: [\n")
    shutil.rmtree(base / "state" / "ca")
    done_ = schoolgate("restore", str(file), "--config", str(config))
    assert done_.returncode == 0, done_.stderr
    restored = counts(database_url(config))
    assert least <= restored["requests"] < now["requests"]
    assert restored["grants"] in (restored["requests"], restored["requests"] - 1)
    assert (base / "local" / "block.txt").read_text() == "before.example\n"
    assert not (base / "local" / "allow.txt").exists()
    assert (base / "mail.password").read_text() == "secret\n"
    assert contents(base / "state")["ca/schoolgate-ca.crt"] == then["ca/schoolgate-ca.crt"]
    assert schoolgate("policy", "check", "--config", str(config)).returncode == 0
    [kept] = (base / "local").glob("before-restore-*")
    assert (kept / "block.txt").read_text() == "after.example\n"
    [kept] = (base / "state").glob("before-restore-*")
    assert counts(f"sqlite:///{kept}/schoolgate.db") == now
    with gateway.running(config) as own, own.client() as client:
        assert gateway.clause(client, "http://before.example/") != ""


@contextmanager
def working(url: str) -> Iterator["Counter"]:
    """Let a process ask, review and approve without a pause."""
    ending = threading.Event()
    counter = Counter()

    def work() -> None:
        while not ending.is_set():
            requested(url, 1)
            counter.done += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield counter
    finally:
        ending.set()
        thread.join(PATIENCE_SECONDS)


class Counter:
    """How often something was done."""

    done = 0

    def __call__(self) -> int:
        return self.done


@pytest.fixture
def two_states(config: Path) -> tuple[Path, dict[str, str], dict[str, str]]:
    """A back-up, and what there is of the old state and would be of the new one."""
    base, file = config.parent, config.parent.parent / f"{config.parent.name}.tar.gz"
    requested(database_url(config), 2)
    make_ca(base / "state" / "ca", "new")
    made = schoolgate("backup", str(file), "--config", str(config))
    assert made.returncode == 0, made.stderr
    new = state_of(config)
    requested(database_url(config), 3)
    make_ca(base / "state" / "ca", "old")
    (base / "local" / "block.txt").write_text("after.example\n")
    (base / "local" / "allow.txt").write_text("more.example\n")
    (base / "mail.password").write_text("other\n")
    return file, state_of(config), new


def make_ca(directory: Path, text: str) -> None:
    """Put something into the CA's place, which a back-up takes as it is."""
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(20):
        (directory / f"key-{number}").write_text(text * 1000)


def state_of(config: Path) -> dict[str, str]:
    """Give everything that a restore changes."""
    files = contents(config.parent)
    return {
        # What a restore that was cut off had laid ready is nobody's.
        **{name: one for name, one in files.items() if "/.restore" not in f"/{name}"},
        "requests": str(counts(database_url(config))["requests"]),
    }


@pytest.mark.timeout(600)
def test_killed_in_the_middle_of_it_there_is_the_old_state_or_the_new(
    config: Path, two_states: tuple[Path, dict[str, str], dict[str, str]]
) -> None:
    file, old, new = two_states
    base = config.parent
    before = base.parent / f"{base.name}.before"
    shutil.copytree(base, before)
    seed = int(os.environ.get("SCHOOLGATE_TEST_SEED") or random.randrange(2**32))
    print(f"SCHOOLGATE_TEST_SEED={seed}")
    chance = random.Random(seed)
    began = time.monotonic()
    assert schoolgate("restore", str(file), "--config", str(config)).returncode == 0
    whole = time.monotonic() - began
    assert state_of(config) == new
    for number in range(KILLS):
        shutil.rmtree(base)
        shutil.copytree(before, base)
        # Half of them where it is written, which is the last part of it.
        after = chance.uniform(0.5 * whole if number % 2 else 0, whole)
        said = killed([*COMMAND, "restore", str(file), "--config", str(config)], after)
        # The next command finishes what began.
        assert schoolgate("grants", "list", "--config", str(config)).returncode == 0
        state = state_of(config)
        assert state in (old, new)
        print(f"{number}: {'killed' if said else 'ended'} after {after:.2f} s: {state == new}")


def killed(command: list[str], after: float) -> bool:
    """Run a command and kill it; give whether it still ran."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return True
    return False


def test_cut_off_at_each_write_there_is_the_old_state_or_the_new(
    config: Path, two_states: tuple[Path, dict[str, str], dict[str, str]]
) -> None:
    file, old, new = two_states
    base = config.parent
    before = base.parent / f"{base.name}.before"
    shutil.copytree(base, before)
    number = 0
    found: list[str] = []
    while not found or found[-1] != "ended":
        shutil.rmtree(base)
        shutil.copytree(before, base)
        number += 1
        ended = subprocess.run(
            [*COMMAND_WITH_CUT, str(number), "restore", str(file), "--config", str(config)],
            cwd=ROOT, stdout=subprocess.DEVNULL, check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert ended.returncode in (0, -signal.SIGKILL)
        assert schoolgate("grants", "list", "--config", str(config)).returncode == 0
        state = state_of(config)
        assert state in (old, new), number
        found.append("ended" if ended.returncode == 0 else "old" if state == old else "new")
    print(f"{number - 1} cuts: {found}")
    # First the old one, then the new one, and never the old one again.
    assert found == sorted(found, key=["old", "new", "ended"].index)
    assert {"old", "new"} < set(found)


# Kills itself before the rename or link of that number.
CUT = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv.pop(1))
def cut(do):
    def done(*given, **more):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return do(*given, **more)
    return done
Path.rename, Path.replace, os.link = cut(Path.rename), cut(Path.replace), cut(os.link)
from schoolgate.cli import main
main()
"""
COMMAND_WITH_CUT = [COMMAND[0], "-c", CUT]


def test_what_is_broken_or_newer_changes_nothing(
    config: Path, two_states: tuple[Path, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    file, old, _ = two_states
    for change, want in (
        ({"schema": "9999"}, "made by a newer schoolgate"),
        ({"broken": "chain"}, "its audit trail is broken: entry 1 was changed"),
    ):
        other = tmp_path.parent / f"{tmp_path.name}.{'-'.join(change)}.tar.gz"
        remade(file, other, change)
        ended = schoolgate("restore", str(other), "--config", str(config))
        assert ended.returncode == 1
        assert want in ended.stderr
        assert state_of(config) == old


def remade(file: Path, other: Path, change: dict[str, str]) -> None:
    """Write a back-up anew, with another fact, or with a changed entry of the audit trail."""
    from schoolgate.services.archive import unpack, write_archive

    directory = other.parent / f"{other.name}.files"
    directory.mkdir()
    manifest = unpack(file, directory)
    if "broken" in change:
        database = open_database(f"sqlite:///{directory}/database/schoolgate.db")
        with writing(database) as connection:
            connection.exec_driver_sql("DROP TRIGGER audit_refuses_update")
            connection.execute(
                schema.audit.update().where(schema.audit.c.id == 1).values(actor="x")
            )
        database.dispose()
    members = [(name, directory / name) for name in manifest.sums]
    write_archive(other, members, {**manifest.facts, **change})


def test_on_a_new_machine_all_of_it_comes_back(config: Path, tmp_path: Path) -> None:
    base, file = config.parent, tmp_path.parent / f"{tmp_path.name}.tar.gz"
    database = open_database(database_url(config))
    now = bootstrap.now()
    DecisionStore(database).add_grant(
        ListEntry.parse("one.example", "grant", "grant"), EVERYONE, now, now.replace(year=3000),
        Role.SLT, reason="x", actor="account:a", now=now,
    )  # fmt: skip
    database.dispose()
    assert schoolgate("backup", str(file), "--config", str(config)).returncode == 0
    with tarfile.open(file) as archive:
        names = archive.getnames()
    assert not any(name.startswith(("journal/", "state/lists/")) for name in names)
    there = tmp_path / "new" / "schoolgate.yaml"
    place = ("--config", str(there))
    refused = schoolgate("restore", str(file), *place, "--state", str(there.parent / "state"))
    assert refused.returncode == 1
    assert "its settings keep the state in" in refused.stderr
    assert not there.exists()
    env = {"SCHOOLGATE_STATE_DIR": str(there.parent / "state")}
    ended = schoolgate("restore", str(file), *place, env=env)
    assert ended.returncode == 0, ended.stderr
    assert there.read_bytes() == config.read_bytes()
    listed = schoolgate("grants", "list", *place, env=env)
    assert "one.example" in listed.stdout
    assert (there.parent / "policies" / "wellstead.yaml").is_file()
    assert (there.parent / "ages.yaml").is_file()
    assert contents(base / "local") == contents(there.parent / "local")


def test_what_a_killed_restore_left_is_not_backed_up_and_swept(
    config: Path, two_states: tuple[Path, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    file, _, new = two_states
    left = [config.parent / "local" / name for name in (".restore-x", "before-restore-x")]
    for directory in left:
        directory.mkdir()
        (directory / "allow.txt").write_text("left.example\n")
    other = tmp_path.parent / f"{tmp_path.name}.other.tar.gz"
    assert schoolgate("backup", str(other), "--config", str(config)).returncode == 0
    with tarfile.open(other) as archive:
        assert not any("restore-x" in name for name in archive.getnames())
    assert schoolgate("restore", str(file), "--config", str(config)).returncode == 0
    assert state_of(config) == new
    assert [directory.exists() for directory in left] == [False, True]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_each_file_to_its_owner(
    config: Path, two_states: tuple[Path, dict[str, str], dict[str, str]]
) -> None:
    file, _, _ = two_states
    state, local = config.parent / "state", config.parent / "local"
    os.chown(state, 12345, 12346)
    os.chown(config.parent / "mail.password", 0, 12346)
    (config.parent / "mail.password").chmod(0o640)
    os.chown(local / "block.txt", 12347, 12348)
    os.chown(state / "ca" / "key-1", 12347, 12348)
    elsewhere = config.parent / "elsewhere"
    elsewhere.write_text("root's")
    (state / "running.lock").unlink(missing_ok=True)
    (state / "running.lock").symlink_to(elsewhere)
    led = schoolgate("restore", str(file), "--config", str(config))
    assert led.returncode != 0
    assert elsewhere.stat().st_uid == 0
    (state / "running.lock").unlink()
    ended = schoolgate("restore", str(file), "--config", str(config))
    assert ended.returncode == 0, ended.stderr

    def owner(path: Path) -> tuple[int, int, int]:
        status = path.stat()
        return status.st_uid, status.st_gid, status.st_mode & 0o777

    assert owner(config.parent / "mail.password") == (0, 12346, 0o640)
    assert owner(local / "block.txt")[:2] == (12347, 12348)
    assert owner(state / "ca" / "key-1")[:2] == (12347, 12348)
    [kept] = state.glob("before-restore-*")
    assert owner(kept) == (12345, 12346, 0o700)


def test_secrets_of_single_sign_on_are_in_it_and_other_categories_are_named(tmp_path: Path) -> None:
    (tmp_path / "oidc.secret").write_text("secret\n")
    (tmp_path / "policies").mkdir()
    (tmp_path / "categories").mkdir()
    provider = {
        "id": "school", "name": "School", "issuer": "https://id.example",
        "client_id": "x", "client_secret_file": "oidc.secret", "domains": ["school.example"],
    }  # fmt: skip
    settings = load_settings(
        gateway.write_config(
            tmp_path,
            policies_dir="policies",
            portal={"oidc": [provider]},
            lists={"dirs": ["categories", str(ROOT / "categories")]},
        )
    )
    requested(settings.database_url, 1)
    done = bootstrap.back_up(settings, tmp_path / "file.tar.gz")
    assert done.left_out == (tmp_path / "categories",)
    with tarfile.open(tmp_path / "file.tar.gz") as archive:
        assert "config/beside/oidc.secret" in archive.getnames()
