"""The names of a gateway of a trust."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings import load_settings
from schoolgate.settings.shipping import NatsSettings

NATS = "shipping: {to: [{kind: nats, credentials_file: gw1.creds}]}\n"


def read(directory: Path, text: str) -> Path:
    file = directory / "schoolgate.yaml"
    file.write_text(text)
    return file


def test_a_gateway_is_of_no_trust_unless_it_says_so(tmp_path: Path) -> None:
    trust = load_settings(read(tmp_path, "policy: hill\n"), {}).trust
    assert (trust.school, trust.gateway) == ("", "")


def test_a_gateway_of_a_trust_may_ship_to_nats(tmp_path: Path) -> None:
    text = "trust: {school: hermitage, gateway: gw1}\n" + NATS
    settings = load_settings(read(tmp_path, text), {})
    assert (settings.trust.school, settings.trust.gateway) == ("hermitage", "gw1")
    [nats] = settings.shipping.to
    assert isinstance(nats, NatsSettings)
    assert nats.credentials_file == tmp_path / "gw1.creds"


@pytest.mark.parametrize(
    "text",
    [
        "trust: {school: hermitage}",
        "trust: {gateway: gw1}",
        "trust: {school: Hermitage, gateway: gw1}",
        "trust: {school: a.b, gateway: gw1}",
        "trust: {school: '>', gateway: gw1}",
        "trust: {school: a_b, gateway: gw1}",
        f"trust: {{school: {'a' * 41}, gateway: gw1}}",
        NATS,
    ],
)
def test_what_cannot_be_is_a_fault(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(read(tmp_path, text), {})
