"""The phrases of `categories/phrases` hold against pages: innocent ones pass, the others are found."""

from pathlib import Path

import pytest

from schoolgate.core.content import PageScorer, PhraseModel, Score
from schoolgate.lists.category_files import category_names
from schoolgate.lists.phrase_files import lint_phrases, load_phrases
from tests.content import corpus
from tests.data import shared

CATEGORIES = Path(__file__).resolve().parents[2] / "categories"
INNOCENT = list(corpus.written("innocent"))
# Of the pages of a category, at least.
RECALL = 0.8


@pytest.fixture(scope="module")
def model() -> PhraseModel:
    return load_phrases(CATEGORIES / "phrases")


def verdict(model: PhraseModel, page: bytes, charset: str = "utf-8") -> Score | None:
    scorer = PageScorer(model, "text/html", charset)
    scorer.feed(page)
    return scorer.close()


def test_the_files_are_without_fault() -> None:
    assert lint_phrases(CATEGORIES / "phrases", category_names([CATEGORIES])) == []


@pytest.mark.parametrize("page", INNOCENT, ids=[f"{p.subject}-{i}" for i, p in enumerate(INNOCENT)])
def test_no_innocent_page_is_blocked(model: PhraseModel, page: corpus.WrittenPage) -> None:
    assert verdict(model, page.markup().encode()) is None


@pytest.mark.parametrize("folder", ["open", "sealed"])
def test_most_pages_of_a_category_are_found_and_none_as_another(
    model: PhraseModel, folder: str
) -> None:
    found: dict[str, list[bool]] = {}
    for page in corpus.written(folder):
        score = verdict(model, page.markup().encode())
        assert score is None or score.category == page.subject, page.title
        found.setdefault(page.subject, []).append(score is not None)
    assert {name: sum(each) / len(each) >= RECALL for name, each in found.items()} == dict.fromkeys(
        found, True
    )


@pytest.mark.parametrize(
    ("language", "charset"),
    [
        ("pl", "iso-8859-2"),
        ("pl", "windows-1250"),
        ("pl", "utf-16"),
        ("ar", "windows-1256"),
        ("ro", "iso-8859-16"),
    ],
)
@pytest.mark.parametrize("claimed", ["right", "utf-8"])
def test_a_page_is_found_in_whatever_charset_and_whatever_its_header_says(
    model: PhraseModel, language: str, charset: str, claimed: str
) -> None:
    pages = [page for page in corpus.written("open") if page.language == language]
    for page in pages:
        encoded = page.markup(charset).encode(charset, "replace")
        score = verdict(model, encoded, charset if claimed == "right" else claimed)
        assert score
        assert score.category == page.subject


@pytest.mark.parametrize(
    "file",
    [
        "cases/08-text/better_profanity/benchmarking/data/paragraphs/0010paras-000per/original.txt",
        "cases/08-text/scunthorpe-notebook/README.md",
    ],
)
def test_clean_strings_by_others_pass(model: PhraseModel, file: str) -> None:
    for page in corpus.pages_of(shared(file).read_text(encoding="utf-8"), "text"):
        assert verdict(model, page.encode()) is None


@pytest.mark.system
@pytest.mark.long
def test_no_page_of_what_debian_packs_is_blocked(model: PhraseModel) -> None:
    """The Bible, dictionaries, quotations, history: packages of deploy/ci-packages.txt."""
    pages = 0
    for name, text in corpus.debian_texts():
        for page in corpus.pages_of(text, name):
            pages += 1
            assert verdict(model, page.encode()) is None, (name, page[:2000])
    assert pages > 10_000
