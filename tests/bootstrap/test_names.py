"""The names that `bootstrap` gives are those that it says it has, each loaded when it is asked for."""

import subprocess
import sys

import pytest

from schoolgate import bootstrap


@pytest.mark.parametrize("name", bootstrap.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(bootstrap, name).__name__ == name


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = bootstrap.nothing


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        ("import schoolgate.cli", {"schoolgate.bootstrap", "sqlalchemy", "cryptography"}),
        (
            "from schoolgate.bootstrap import load_engine",
            {"sqlalchemy", "alembic", "tldextract", "icalendar", "cryptography"},
        ),
        (
            "from schoolgate.bootstrap import Gateway",
            {"alembic", "tldextract", "requests", "icalendar", "ldap3", "django"},
        ),
    ],
)
def test_what_takes_long_to_load_is_left_out_where_it_is_not_needed(
    command: str, spared: set[str]
) -> None:
    asked = [sys.executable, "-c", f"import sys; {command}; print(*sys.modules)"]
    loaded = set(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split())
    assert loaded & spared == set()
