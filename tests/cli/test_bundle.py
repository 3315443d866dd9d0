"""`schoolgate trust bundle` at a centre and `schoolgate bundle` at a gateway that runs meanwhile."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.bundles.centres import served
from tests.cli.ended import DONE, NO, OUT_OF_REACH, WRONG, lines, refused, run
from tests.gateway import eventually, running
from tests.publisher import Publisher, publishing
from tests.school import POLICY, School, write_school

SCHOOLS_OWN = """\
id: hill
school: Hill School
document: Our own rules
contact: office@hill.example
extends: vale
clauses: {H-1: {title: Chess at noon}}
rules:
  - {id: chess, clause: H-1, when: {hosts: [chess.example]}, then: allow}
"""
LOCK = "    then: block\n    note: Not in lessons.\n"


@pytest.fixture
def centre(tmp_path: Path) -> School:
    """A centre whose policy is "vale"."""
    found = write_school(tmp_path / "centre")
    found.policy.unlink()
    _base(found, POLICY)
    return found


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as found:
        yield found


@pytest.fixture
def gateway(school: School, centre: School, publisher: Publisher) -> School:
    """A school of the trust that has nothing of it yet but its root."""
    assert run(centre, "trust", "bundle", "keys").returncode == DONE
    school.policy.write_text(SCHOOLS_OWN)
    root = centre.state / "trust/repository/metadata/1.root.json"
    asked = {"url": publisher.base, "root_file": str(root), "base": "vale"}
    school.write_config(bundles=asked, state_dir=str(school.state))
    return school


def _base(centre: School, policy: str) -> None:
    text = policy.replace("id: hill", "id: vale", 1)
    (centre.policy.parent / "vale.yaml").write_text(text)


def _let_out(centre: School, publisher: Publisher, number: int) -> None:
    for words in (("make", "vale"), ("stage", str(number)), ("release", str(number))):
        assert run(centre, "trust", "bundle", *words).returncode == DONE, words
    publisher.lists.clear()
    publisher.lists.update(served(centre.state / "trust/repository"))


def _verdict(gateway: School, site: str) -> str:
    said = run(gateway, "check", site, "--json").stdout
    found: str = yaml.safe_load(said)["verdict"]
    return found


@pytest.mark.long
def test_a_gateway_takes_what_is_let_out_and_goes_back(
    gateway: School, centre: School, publisher: Publisher
) -> None:
    # Without its base the school's policy is none.
    said = run(gateway, "policy", "check")
    assert said.returncode == WRONG
    assert "there is no policy 'vale'" in said.stderr
    refused(run(gateway, "bundle", "fetch"), OUT_OF_REACH, "The centre cannot be asked")
    _let_out(centre, publisher, 1)
    assert lines(run(gateway, "bundle", "fetch")) == ["Version 2 (bundle 1) is in force."]
    assert lines(run(gateway, "bundle", "fetch")) == ["Nothing changed."]
    assert _verdict(gateway, "chess.example") == "allow"

    _base(centre, POLICY.replace(LOCK, LOCK + "    lock: rules\n"))
    _let_out(centre, publisher, 2)
    # The school's rule is overtaken by the lock, and does not keep it away.
    done = run(gateway, "bundle", "fetch")
    assert lines(done) == ["Version 4 (bundle 2) is in force."]
    assert _verdict(gateway, "chess.example") == "block"

    assert lines(run(gateway, "bundle", "rollback")) == ["Version 2 is in force, instead of 4."]
    assert _verdict(gateway, "chess.example") == "allow"
    assert lines(run(gateway, "bundle", "fetch")) == ["Nothing changed."]
    shown = lines(run(gateway, "bundle", "status"))
    assert shown[0] == "in force   version 2 (bundle 1, ring all)"
    assert "held       until something newer than 4 comes: rolled back here" in shown

    assert lines(run(centre, "trust", "bundle", "withdraw", "2")) == [
        "all: bundle 1 again, as version 5.",
        "canary: bundle 1 again, as version 6.",
    ]
    refused(run(centre, "trust", "bundle", "withdraw", "1"), NO, "no bundle before 1")
    refused(run(centre, "trust", "bundle", "release", "2"), NO, "canaries do not have")
    assert lines(run(centre, "trust", "bundle", "list"))[-1].split() == ["2"]
    # Bundle 1 is in force, and stays for that.
    assert lines(run(centre, "trust", "bundle", "make", "vale", "--keep", "1")) == [
        "Bundle 3 is made of 1 files; 'stage 3' gives it to canaries.",
        "Bundles removed: 1 (in no ring, and none of the last 1).",
    ]


@pytest.mark.long
def test_a_running_gateway_blocks_what_a_new_bundle_locks_and_says_which_is_in_force(
    gateway: School, centre: School, publisher: Publisher
) -> None:
    _let_out(centre, publisher, 1)
    assert run(gateway, "bundle", "fetch").returncode == DONE
    with running(gateway.config) as here, here.client() as client:
        assert here.metric("^schoolgate_bundle_version") == 2
        assert client.get("http://new.example/").headers.get("x-schoolgate-clause") != "C-1"
        locked = POLICY.replace(
            "hosts: [play.example/now]", "hosts: [play.example/now, new.example]"
        )
        _base(centre, locked)
        _let_out(centre, publisher, 2)
        assert run(gateway, "bundle", "fetch").returncode == DONE
        assert eventually(
            lambda: client.get("http://new.example/").headers.get("x-schoolgate-clause") == "C-1"
        )
        assert here.metric("^schoolgate_bundle_version") == 4
        # Nobody listens there any more: what was in force stays, and that it failed is said.
        publisher.lists.clear()
        assert run(gateway, "bundle", "fetch").returncode == OUT_OF_REACH
        assert eventually(lambda: here.metric("^schoolgate_bundle_failures") == 1)
        assert client.get("http://new.example/").headers["x-schoolgate-clause"] == "C-1"


@pytest.mark.long
def test_a_bundle_with_which_the_schools_policy_is_at_fault_is_not_taken(
    gateway: School, centre: School, publisher: Publisher
) -> None:
    _let_out(centre, publisher, 1)
    assert run(gateway, "bundle", "fetch").returncode == DONE
    _base(centre, POLICY.replace("C-5:", "H-1:"))
    _let_out(centre, publisher, 2)
    said = run(gateway, "bundle", "fetch")
    assert said.returncode == WRONG
    assert "'H-1' comes from the policy 'vale' already" in said.stderr
    assert lines(run(gateway, "bundle", "status"))[0].startswith("in force   version 2")


def test_a_key_is_rotated_its_copy_on_the_server_too_and_the_root_is_renewed(
    centre: School, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    for words in (("keys", "--keys", str(stick)), ("make", "vale")):
        assert run(centre, "trust", "bundle", *words).returncode == DONE
    here = centre.state / "trust/keys/online.key"
    here.parent.mkdir()
    shutil.copy(stick / "online.key", here)
    before = here.read_bytes()
    said = lines(run(centre, "trust", "bundle", "rotate", "online", "--keys", str(stick)))
    assert said[0].startswith("Root 2 names a new key for online, until ")
    assert said[-1] == f"{here} is the new one, too."
    assert here.read_bytes() == (stick / "online.key").read_bytes() != before
    assert here.stat().st_mode & 0o777 == 0o600
    assert run(centre, "trust", "bundle", "refresh").returncode == DONE
    refused(run(centre, "trust", "bundle", "renew"), OUT_OF_REACH, r"root\.key cannot be read")
    renewed = lines(run(centre, "trust", "bundle", "renew", "--keys", str(stick)))
    assert renewed[0].startswith("Root 3 is good until ")
    assert lines(run(centre, "trust", "bundle", "list"))[0].startswith("root 3, until ")
