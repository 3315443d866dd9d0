"""Providers in the settings: what is not one school's is refused when the file is read."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schoolgate.core.errors import ConfigurationError
from schoolgate.settings import Settings, load_settings

TENANT = "11111111-2222-3333-4444-555555555555"
GIVEN = {
    "id": "hill", "name": "Hill", "issuer": "https://login.hill.example/", "client_id": "portal",
    "client_secret_file": "hill.secret", "domains": ["Hill.example"],
}  # fmt: skip
WITHOUT = {"issuer": ""}


def load(directory: Path, *providers: dict[str, Any]) -> Settings:
    file = directory / "schoolgate.yaml"
    file.write_text(yaml.safe_dump({"portal": {"oidc": list(providers)}}))
    return load_settings(file, {})


def test_a_provider_is_read(tmp_path: Path) -> None:
    [one] = load(tmp_path, GIVEN | {"ca_file": "ca.pem"}).portal.oidc
    assert one.issuer_url == "https://login.hill.example"
    assert one.domains == ("hill.example",)
    assert (one.client_secret_file, one.ca_file) == (tmp_path / "hill.secret", tmp_path / "ca.pem")
    assert not one.auto_link
    assert one.second_factor
    assert one.default_role is None


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        (WITHOUT | {"kind": "google"}, "https://accounts.google.com"),
        (
            WITHOUT | {"kind": "entra", "tenant": TENANT},
            f"https://login.microsoftonline.com/{TENANT}/v2.0",
        ),
    ],
)
def test_the_issuers_of_google_and_entra_are_known(
    tmp_path: Path, changed: dict[str, Any], want: str
) -> None:
    [one] = load(tmp_path, GIVEN | changed).portal.oidc
    assert one.issuer_url == want


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    secret = {"client_secret": "swordfish", "client_secret_file": None}
    settings = load(tmp_path, GIVEN | secret)
    assert "swordfish" not in f"{settings!r} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (WITHOUT, "give the issuer"),
        ({"issuer": "https://accounts.google.com"}, "write kind: google"),
        ({"issuer": "http://login.hill.example"}, "is not an address such as"),
        ({"issuer": "https://a@login.hill.example"}, "is not an address such as"),
        ({"issuer": "https://login.hill.example/?a"}, "is not an address such as"),
        ({"issuer": "https://login.microsoftonline.com/common/v2.0"}, "is for everybody"),
        ({"kind": "entra"}, "'tenant' belongs to kind entra"),
        ({"tenant": TENANT}, "'tenant' belongs to kind entra"),
        ({"kind": "entra", "tenant": "common"}, "tenant"),
        ({"domains": []}, "domains"),
        ({"domains": ["a b"]}, "domains"),
        ({"client_secret": "x"}, "give either client_secret or client_secret_file"),
        ({"client_secret_file": None}, "give either client_secret or client_secret_file"),
        ({"id": "a/b"}, "id"),
        ({"roles": {"heads": ["king"]}}, "roles"),
        ({"pkce": False}, "unknown key 'pkce'"),
    ],
)
def test_what_is_not_one_schools_is_refused(
    tmp_path: Path, changed: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, GIVEN | changed)
    assert any(problem in str(fault) for fault in caught.value.faults), caught.value.faults


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="same id"):
        load(tmp_path, GIVEN, GIVEN | {"name": "Another", "domains": ["other.example"]})
