"""One origin and one gateway for all tests that drive traffic; none changes what another relies on."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import gateway, origin
from tests.data import ABSENT
from tests.gateway import Gateway
from tests.origin import Origin

# A busy machine must not make a property fail; in CI, hypothesis chooses its own profile that says so.
hypothesis.settings.register_profile(
    "default", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)

# Longest first, so that the processes of `make test-system` end at about the same time.
LONGEST = (
    "tests/portal/test_hostile.py",
    "tests/system/test_players.py",
    "tests/system/test_postgresql.py",
    "tests/system/test_trust_scene.py",
    "tests/core/index/test_real_lists.py",
    "tests/system/test_rehearsal_tunnels.py",
    "tests/system/test_backup.py",
    "tests/system/test_rehearsal.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; each process must find the same order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """An origin that every test name leads to."""
    with origin.running(tmp_path_factory.mktemp("origin")) as running:
        yield running


@pytest.fixture(scope="session")
def gate(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The real command on the Wellstead policy."""
    directory = tmp_path_factory.mktemp("gateway")
    with gateway.running(gateway.write_config(directory, proxy=gateway.to_origin(site))) as running:
        yield running


@pytest.fixture
def own_config(site: Origin, tmp_path: Path) -> Path:
    """The configuration of a gateway that one test may do with as it likes."""
    return gateway.write_config(tmp_path, proxy=gateway.to_origin(site))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip is a failure, but for data by others that is not there."""
    if os.environ.get("CI") != "true":
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    wrong = [report for report in skipped if ABSENT not in str(report.longrepr)]
    if wrong:
        print(f"\n{len(wrong)} tests were skipped, which is a failure in CI")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
