"""The package, built once, and the Debian 13 that it is installed in."""

from pathlib import Path

import pytest

from tests.deploy import debian
from tests.gateway import ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this directory."""
    for item in items:
        if "tests/deploy/" in item.path.as_posix():
            item.add_marker(pytest.mark.deploy)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this checkout."""
    return debian.built(tmp_path_factory.mktemp("package") / "schoolgate.deb")


@pytest.fixture(scope="session")
def tree() -> Path:
    """A Debian 13 with what the package depends on; nothing is changed in it."""
    return debian.tree(ROOT / "build" / "debian-13")
