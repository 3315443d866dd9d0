"""How a trust's centre stands, read from its ledger and from what it serves."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from schoolgate.bootstrap import centre_figures
from schoolgate.bootstrap.centre import authority_of, ledger_of, repository_dir
from schoolgate.bootstrap.centre_figures import centre_figure
from schoolgate.bootstrap.clock import now
from schoolgate.enrolment.certificates import GATEWAY_LIFE, Named, certify, request_of
from schoolgate.monitoring.centre_metrics import CentreFigure
from schoolgate.settings import Settings, load_settings
from tests.school import write_school

KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(write_school(tmp_path / "centre").config, {})


def test_a_centre_of_nobody_counts_nobody(settings: Settings) -> None:
    assert centre_figure(settings) == CentreFigure({"enrolled": 0, "revoked": 0, "ended": 0}, None)


def test_each_gateway_is_enrolled_revoked_or_has_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, authority, at = ledger_of(settings), authority_of(settings), now()
    for named, enrolled_at in (
        (Named("hill", "gw1"), at),
        (Named("hill", "gw2"), at),
        (Named("vale", "gw1"), at - timedelta(days=1)),
    ):
        ledger.add(named, certify(authority, named, request_of(KEY, named), enrolled_at))
    ledger.revoke(Named("hill", "gw2"), at)
    assert centre_figure(settings).gateways == {"enrolled": 2, "revoked": 1, "ended": 0}
    monkeypatch.setattr(centre_figures, "now", lambda: at + GATEWAY_LIFE - timedelta(hours=1))
    assert centre_figure(settings).gateways == {"enrolled": 1, "revoked": 1, "ended": 1}


def test_until_when_what_is_served_is_believed_is_what_its_timestamp_says(
    settings: Settings,
) -> None:
    file = repository_dir(settings) / "metadata" / "timestamp.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"signed": {"expires": "2027-01-15T08:00:00Z"}}')
    assert centre_figure(settings).believed_until == 1_800_000_000.0
    file.write_text("{}")
    assert centre_figure(settings).believed_until is None


def test_a_ledger_that_cannot_be_used_is_said_to_be_one(settings: Settings) -> None:
    ledger_of(settings).file.mkdir(parents=True)
    assert centre_figure(settings).gateways is None
