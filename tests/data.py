"""Test data by others, which is read where it lies and never copied into the project."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "SCHOOLGATE_TEST_DATA"
# How the one allowed skip begins.
ABSENT = "test data by others"
_ROOT = Path(__file__).resolve().parents[1]


def shared(path: str) -> Path:
    """Give a file of the test data by others; where it is absent the test is skipped and says why."""
    found = _ROOT / (os.environ.get(VARIABLE) or "../shared") / path
    if not found.exists():
        pytest.skip(f"{ABSENT}: {path} is absent (set {VARIABLE} to the folder with it)")
    return found


def json_vectors(path: str) -> list[dict[str, Any]]:
    """Give the vectors of a JSON file of the Web Platform Tests; the strings among them are comments."""
    items = json.loads(shared(path).read_text(encoding="utf-8"))
    return [item for item in items if isinstance(item, dict)]
