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


def test_a_centre_is_no_school(tmp_path: Path) -> None:
    file = tmp_path / "schoolgate.yaml"
    file.write_text("trust: {school: elm, gateway: gw1, portal: true}\n")
    with pytest.raises(ConfigurationError, match="which is no school"):
        load_settings(file, {})


def test_the_copies_of_schools_lie_beside_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "schoolgate.yaml"
    file.write_text("trust: {portal: true, schools_dir: ../schools}\n")
    assert load_settings(file, {}).trust.schools_dir == tmp_path.parent / "schools"
