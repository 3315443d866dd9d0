"""The settings of the program that judges pictures."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings import load_settings


def read(tmp_path: Path, text: str) -> object:
    file = tmp_path / "schoolgate.yaml"
    file.write_text(f"pictures: {{{text}}}\n")
    return load_settings(file, {}).pictures


def test_nobody_is_asked_unless_an_address_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, "").classifier == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("classifier: ftp://a.example/", "is not an address such as"),
        ("classifier: 'http://me:secret@a.example/'", "is not an address such as"),
        ("timeout_seconds: 60", "timeout_seconds"),
        ("least_score: 0", "least_score"),
        ("unanswered: maybe", "unanswered"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        read(tmp_path, text)
