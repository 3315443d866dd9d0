"""Pages by hands that have not seen the phrases: no innocent one is blocked, most others are found."""

from pathlib import Path

import pytest

from schoolgate.core.content import PageScorer, PhraseModel, Score
from schoolgate.documents import read_document
from schoolgate.lists.phrase_files import load_phrases

ROOT = Path(__file__).resolve().parents[2]
# Open halves, one by each author. They say what was learnt, not what is missed elsewhere.
OPEN = [ROOT / "tests" / "content" / author / "open" for author in ("blind", "second")]
INNOCENT = [*OPEN, ROOT / "tests" / "content" / "third" / "open"]
# Of all pages of an author, and of those of each category, at least.
OF_ALL, OF_EACH = 0.8, 0.6


@pytest.fixture(scope="module")
def model() -> PhraseModel:
    return load_phrases(ROOT / "categories" / "phrases")


def verdict(model: PhraseModel, page: str) -> Score | None:
    scorer = PageScorer(model, "text/html", "utf-8")
    scorer.feed(page.encode())
    return scorer.close()


def pages(file: Path) -> list[str]:
    return [page["html"] for page in read_document(file).data if "html" in page]


@pytest.mark.parametrize("folder", INNOCENT, ids=lambda folder: folder.parent.name)
def test_no_innocent_page_is_blocked(model: PhraseModel, folder: Path) -> None:
    innocent = pages(folder / "innocent.yaml")
    assert len(innocent) >= 30
    assert [page for page in innocent if verdict(model, page)] == []


@pytest.mark.parametrize("folder", OPEN, ids=lambda folder: folder.parent.name)
def test_most_pages_of_all_and_of_each_category_are_found(model: PhraseModel, folder: Path) -> None:
    found = {
        file.stem: [
            score is not None and score.category == file.stem
            for score in (verdict(model, page) for page in pages(file))
        ]
        for file in sorted(folder.glob("*.yaml"))
        if file.stem != "innocent"
    }
    together = [each for pages_of in found.values() for each in pages_of]
    assert sum(together) >= OF_ALL * len(together) > 0
    assert {name for name, each in found.items() if sum(each) < OF_EACH * len(each)} == set()
