"""What `schoolgate doctor` looks at of a trust and a pair: what the settings name, and nothing else."""

import os
from pathlib import Path

import pytest

from schoolgate.bootstrap import examination_trust
from schoolgate.bootstrap.examination_trust import beyond
from schoolgate.services.probing import Finding
from schoolgate.settings import load_settings
from tests.gateway import free_port
from tests.school import School, write_school


@pytest.fixture
def school(tmp_path: Path) -> School:
    return write_school(tmp_path / "school")


def found(school: School) -> list[Finding]:
    return list(beyond(load_settings(school.config, {})))


def test_a_gateway_of_its_own_has_nothing_of_it(school: School) -> None:
    assert found(school) == []


def test_each_part_that_is_named_is_looked_at_and_is_a_note_where_it_is_not_well(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination_trust, "_KEEPALIVED", (tmp_path / "keepalived.pid",))
    school.write_config(
        trust={"school": "hill", "gateway": "gw1"},
        bundles={"url": "https://centre.example/bundles"},
        network={"addresses": ["127.0.21.9"], "pair": ["127.0.21.10"]},
        shipping={"to": [{"kind": "nats", "url": f"nats://127.0.0.1:{free_port()}"}]},
    )
    said = found(school)
    assert [one.what for one in said] == [
        "bundle", "fetching bundles", "enrolment", "pair", "receiver nats",
    ]  # fmt: skip
    assert all(one.ok and one.is_note for one in said)
    (tmp_path / "keepalived.pid").write_text(f"{os.getpid()}\n")
    assert [one.is_note for one in found(school) if one.what == "pair"] == [False]


def test_a_damaged_bundle_is_a_fault_and_a_damaged_enrolment_a_note(school: School) -> None:
    school.write_config(bundles={"url": "https://centre.example/bundles"})
    settings = load_settings(school.config, {})
    settings.bundles_dir.mkdir(parents=True)
    (settings.bundles_dir / "status.json").write_text("{")
    settings.enrolment_dir.mkdir(parents=True)
    (settings.enrolment_dir / "gateway.pem").write_text("nothing")
    bundle, enrolment = found(school)
    assert (bundle.what, bundle.ok) == ("bundle", False)
    assert "enrol anew" in enrolment.said
    assert enrolment.is_note


def test_a_server_that_is_away_is_a_fault_of_whoever_keeps_it(
    school: School, tmp_path: Path
) -> None:
    school.write_config(database=f"postgresql://hill@/trust?host={tmp_path}")
    [server] = found(school)
    assert (server.what, server.ok) == ("database server", False)
    assert "whoever keeps the database server" in server.said
