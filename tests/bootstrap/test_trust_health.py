"""The centre knows what it has let out and whom it enrolled; a machine that is none knows of neither."""

from pathlib import Path

import pytest

from schoolgate.bootstrap import trust_health
from schoolgate.bootstrap.centre import ledger_of, repository_dir
from schoolgate.bootstrap.trust_health import enrolled_of, released_of
from schoolgate.bundles.keys import make_keys
from schoolgate.bundles.repository import ALL, CANARY, Repository
from schoolgate.enrolment.certificates import Named, make_authority
from schoolgate.services.gateway_drift import Drift, Released
from schoolgate.settings import Settings, load_settings
from schoolgate.storage.gateway_states import GatewayState, Report
from schoolgate.storage.trust_gateways import TrustReports
from tests import gateway
from tests.storage.days import at


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(gateway.write_config(tmp_path), {})


def test_a_machine_that_is_no_centre_knows_nothing_and_nothing_is_made(settings: Settings) -> None:
    assert (released_of(settings), enrolled_of(settings)) == ({}, {})
    assert not settings.state_dir.exists()


def test_what_is_let_out_is_known_by_ring_with_when(settings: Settings, tmp_path: Path) -> None:
    keys, repository = tmp_path / "keys", Repository(repository_dir(settings))
    make_keys(keys)
    repository.found(keys, at(8))
    assert released_of(settings) == {}
    for _ in range(2):
        repository.make({"policies/x.yaml": Path(__file__)})
    for ring, bundle, hour in ((ALL, 1, 9), (CANARY, 2, 10)):
        repository.let_out(ring, bundle, keys, at(hour))
    assert released_of(settings) == {
        ALL: Released(1, 1, at(9)),
        CANARY: Released(2, 2, at(10)),
    }
    repository.withdraw(2, keys, at(11))
    assert released_of(settings)[CANARY] == Released(1, 3, at(11))


def test_who_is_enrolled_is_known_and_who_was_put_out(settings: Settings) -> None:
    ledger = ledger_of(settings)
    for name in ("gw1", "gw2"):
        certificate = make_authority(settings.state_dir / f"{name}.pem", at(8)).certificate
        ledger.add(Named("hill", name), certificate)
    ledger.revoke(Named("hill", "gw2"), at(9))
    assert enrolled_of(settings) == {("hill", "gw1"): False, ("hill", "gw2"): True}


def test_who_was_put_out_and_is_silent_is_not_shown_any_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ledger_of(settings)
    for name in ("gw1", "gw2", "gw3"):
        certificate = make_authority(settings.state_dir / f"{name}.pem", at(8)).certificate
        ledger.add(Named("hill", name), certificate)
    for name in ("gw2", "gw3"):
        ledger.revoke(Named("hill", name), at(9))
    heard = {"gw1": at(10), "gw2": at(10), "gw3": at(12)}
    said = TrustReports(
        at(12),
        tuple(
            Report(GatewayState("hill", name, "0.1.0", at(8)), when, when)
            for name, when in heard.items()
        ),
    )
    monkeypatch.setattr(trust_health, "read_trust", lambda _: said)
    found = trust_health.health_of(settings, "postgresql://watch@/trust")
    assert [(one.gateway, one.kind) for one in found.findings] == [
        ("gw1", Drift.SILENT),
        ("gw3", Drift.REVOKED),
    ]
    assert [each.state.gateway for each in found.reports.reports] == ["gw1", "gw3"]
