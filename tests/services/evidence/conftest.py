"""Facts of the small school, gathered once."""

import pytest

from schoolgate.services.evidence import Facts
from tests.services.evidence.gathered import facts_of, school_in


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return facts_of(school_in(tmp_path_factory.mktemp("evidence")))
