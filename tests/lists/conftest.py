"""The lists of a small school."""

from pathlib import Path

import pytest

from tests.lists.kept import Lists


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    """Two categories, one of them protected; nothing is built yet."""
    return Lists(tmp_path)
