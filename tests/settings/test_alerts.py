"""Which programs are told of alerts, as the settings say it."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About
from schoolgate.services import configuration
from schoolgate.settings import Settings, load_settings


def read(directory: Path, webhooks: str) -> Settings:
    file = directory / "schoolgate.yaml"
    file.write_text(f"alerts:\n  webhooks: {webhooks}\n")
    return load_settings(file, {})


def test_of_what_a_webhook_is_told_unless_more_is_asked_for(tmp_path: Path) -> None:
    settings = read(tmp_path, '[{name: a, url: "https://hooks.example/T0KEN", secret_file: s}]')
    [hook] = settings.alerts.webhooks
    assert hook.secret_file == tmp_path / "s"
    assert (hook.severities, hook.concerning) == ((Severity.DANGER,), (About.PUPILS,))
    assert not any("T0KEN" in one.value for one in configuration.shown(settings, {}))


@pytest.mark.parametrize(
    ("webhooks", "said"),
    [
        ('[{url: "http://hooks.example/", secret_file: s}]', "https://"),
        ('[{url: "ftp://127.0.0.1/", secret_file: s}]', "https://"),
        ('[{url: "https://a.example/"}]', "secret_file"),
        ('[{name: "A b", url: "https://a.example/", secret_file: s}]', "name"),
        ('[{url: "https://a.example/", secret_file: s}, {url: "https://b.example/", secret_file: s}]',
         "same name"),
        ('[{url: "https://a.example/", secret_file: s, severities: [bad]}]', "severities"),
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_told(tmp_path: Path, webhooks: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read(tmp_path, webhooks)
