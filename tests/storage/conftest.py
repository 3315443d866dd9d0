"""A fresh database for each test, closed after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.storage import DecisionStore, open_database
from tests.databases import fresh


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "schoolgate.db"


@pytest.fixture
def url(path: Path) -> Iterator[str]:
    with fresh(path) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> DecisionStore:
    return DecisionStore(engine)
