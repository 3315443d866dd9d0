"""Files made by the programs of Debian, whatever they are called, and those that any machine has."""

import gzip
import mimetypes
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.core.files import Recogniser
from schoolgate.core.urls import parse_url
from tests.core.files.made import MADE, documents_at_hand, make_all, missing
from tests.core.files.samples import recognised, told

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {' '.join(missing())}"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_all(tmp_path_factory.mktemp("made"))


def _pieces(path: Path, size: int = 65_536) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


@pytest.mark.parametrize("name", MADE)
def test_recognises_what_programs_make(name: str, files: dict[str, Path]) -> None:
    made = Recogniser(parse_url(f"https://a.example/{name}"), disposition="attachment")
    for piece in _pieces(files[name]):
        made.feed(piece)
        if made.done:
            break
    made.end()
    assert told(made.finding) == MADE[name][1]


# Told by a name beside the bytes: a Snap is a file system as others are.
_OF_ITS_NAME = {"x.snap": "software/squashfs"}


@pytest.mark.parametrize(
    "name", [name for name in MADE if not name.startswith(("bomb", "x.fat32", "zeros"))]
)
def test_by_another_name_and_type_it_is_the_same(name: str, files: dict[str, Path]) -> None:
    data = files[name].read_bytes()
    want = _OF_ITS_NAME.get(name, MADE[name][1])
    assert told(recognised(data, "holiday.jpg", content_type="image/jpeg")) == want
    assert told(recognised(gzip.compress(data, 1), "holiday.pdf")) == want.replace(
        "media/media", "none"
    )


@pytest.mark.parametrize(
    "name", [name for name in MADE if not name.startswith(("bomb", "x.fat32", "zeros"))]
)
def test_wherever_it_is_cut_it_is_the_same(name: str, files: dict[str, Path]) -> None:
    data = files[name].read_bytes()
    chance = random.Random(name)
    for most in (40, 5000, len(data)):
        cuts = [chance.randrange(min(most, len(data))) for _ in range(9)]
        assert told(recognised(data, name, cuts)) == MADE[name][1]
    assert told(recognised(data, name, list(range(1, min(len(data), 6000))))) == MADE[name][1]


def test_no_document_page_picture_or_font_of_this_machine_is_stopped() -> None:
    """Served as pages are; scripts with a first line that runs them are left out, as they are some."""
    documents = documents_at_hand()
    stopped = []
    for path in documents:
        data = path.read_bytes()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if data.startswith(b"#!") or path.suffix in (".txt", ".bin"):
            continue
        made = Recogniser(parse_url(f"https://a.example/{path.name}"), kind)
        made.feed(data)
        made.end()
        finding = made.finding
        if finding is not None:
            stopped.append((str(path), finding))
    assert not stopped
    assert len(documents) > 1000
