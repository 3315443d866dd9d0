"""Where the journal is taken, as the settings say it."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings import load_settings
from schoolgate.settings.shipping import LokiSettings, SyslogSettings


def read(directory: Path, text: str) -> Path:
    file = directory / "schoolgate.yaml"
    file.write_text(text)
    return file


def test_nothing_leaves_unless_it_is_asked_for(tmp_path: Path) -> None:
    shipping = load_settings(read(tmp_path, "policy: hill\n"), {}).shipping
    assert (shipping.to, shipping.personal, shipping.sites) == ((), "pseudonyms", "none")


def test_receivers_have_kinds_and_their_files_are_from_the_settings_directory(
    tmp_path: Path,
) -> None:
    text = """
shipping:
  to:
    - {kind: syslog, host: logs.example, ca_file: ca.pem}
    - {kind: loki, url: "https://loki.example/loki/api/v1/push", token_file: token, tenant: hill}
"""
    syslog, loki = load_settings(read(tmp_path, text), {}).shipping.to
    assert isinstance(syslog, SyslogSettings)
    assert (syslog.port, syslog.ca_file) == (6514, tmp_path / "ca.pem")
    assert isinstance(loki, LokiSettings)
    assert loki.token_file == tmp_path / "token"


@pytest.mark.parametrize(
    "to",
    [
        "[{kind: carrier-pigeon}]",
        "[{kind: syslog}]",
        "[{kind: syslog, host: a, port: 0}]",
        "[{kind: loki, url: 'ftp://a'}]",
        "[{kind: loki}]",
        "[{kind: journald}, {kind: journald}]",
        "[{kind: journald, name: ../x}]",
    ],
)
def test_what_cannot_be_is_a_fault(tmp_path: Path, to: str) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(read(tmp_path, f"shipping: {{to: {to}}}\n"), {})
