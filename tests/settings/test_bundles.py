"""Where bundles are fetched is an address of the web, in one of the rings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from schoolgate.settings.bundles import BundleSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://centre.example"}, {"url": "centre"}, {"url": "https://a b"}, {"ring": "../all"},
        {"base": "a.yaml"}, {"keep": 1}, {"every_seconds": 1}, {"most_mb": 0}, {"rings": "all"},
    ],
)  # fmt: skip
def test_what_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BundleSettings.model_validate(wrong)


def test_the_root_is_beside_the_settings() -> None:
    settings = BundleSettings(root_file=Path("root.json")).anchored(Path("/etc/schoolgate"))
    assert settings.root_file == Path("/etc/schoolgate/root.json")
    assert BundleSettings().anchored(Path("/etc")).root_file is None
