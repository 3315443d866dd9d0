"""A minute of fuzzing: whatever stands in a file or a list, the native index stays within its memory."""

from pathlib import Path

import pytest

from tests.fuzz import soak
from tests.system.conftest import program

pytestmark = pytest.mark.long

MOST_FILES = 300
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program("clang")
    directory = tmp_path_factory.mktemp("fuzz")
    soak.build(directory)
    return directory


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "seconds", "executions", "edges"),
    # A tenth of the executions on a busy machine. The edges show that images and lists are taken,
    # not all refused at the door.
    [("reader", 30, 20_000, 150), ("builder", 25, 500, 300), ("crc", 5, 5_000, 15)],
)
def test_a_minute_of_fuzzing_finds_nothing(
    built: Path, name: str, seconds: int, executions: int, edges: int
) -> None:
    outcome = soak.run(name, seconds, built)
    print(outcome)
    assert outcome.code == 0, outcome.output
    assert outcome.executions > executions
    assert outcome.edges > edges


def test_the_kept_corpus_is_small() -> None:
    sizes = [path.stat().st_size for path in soak.CORPUS.rglob("*") if path.is_file()]
    assert 0 < len(sizes) <= MOST_FILES
    assert sum(sizes) <= MOST_BYTES
