"""A store of requests for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, open_database
from tests.databases import fresh
from tests.services.requested import approvals


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    with fresh(tmp_path / "schoolgate.db") as url:
        opened = open_database(url)
        yield opened
        opened.dispose()


@pytest.fixture
def service(database: Engine) -> Approvals:
    return approvals(ApprovalStore(database))
