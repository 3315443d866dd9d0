"""System tests need Debian programs: a missing one is a skip that says which, and a failure in CI."""

import os
import shutil

import pytest


def program(name: str) -> str:
    """Give the path of a program, or skip; deploy/ci-packages.txt says where it comes from."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed (deploy/install-ci-packages)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this directory."""
    for item in items:
        if "tests/system/" in item.path.as_posix():
            item.add_marker(pytest.mark.system)
