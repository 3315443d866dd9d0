"""What is said of precision and recall is counted from the texts that are here."""

import pytest
import yaml

from benchmarks.safeguarding import LABELLED, ROOT, Judge, Rate, Text, labelled, table
from schoolgate.core.safeguarding import Concern, Severity
from schoolgate.lists.safeguarding_files import load_safeguarding


def test_the_table_is_that_of_the_texts_that_are_here() -> None:
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    said = (ROOT / "docs" / "safeguarding.md").read_text(encoding="utf-8")
    assert table(list(labelled()), judge) in said


@pytest.mark.parametrize(
    "first", ["sg-", "so-", "st-"], ids=["first-open-half", "second-open-half", "third-set"]
)
def test_danger_is_found_on_the_texts_that_are_here(first: str) -> None:
    """An upper bound: the phrases were changed with these texts in view."""
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    signs = [
        item["text"]
        for path in LABELLED.glob("blind*.yaml")
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))
        if item["id"].startswith(first) and item.get("severity") == Severity.DANGER
    ]
    found = [text for text in signs if is_danger(judge(Text(text)))]
    assert len(signs) > 70
    assert len(found) / len(signs) >= 0.95


def test_alerts_of_danger_are_right_on_the_texts_that_are_here() -> None:
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    raised = [text for text in labelled() if is_danger(judge(text))]
    assert sum(text.severity is not None for text in raised) / len(raised) >= 0.97


def is_danger(found: list[Concern]) -> bool:
    return any(each.severity is Severity.DANGER for each in found)


@pytest.mark.parametrize("asked", ["mix ket and vodka", "can u mix ket and vodka"])
def test_a_common_word_of_one_language_is_no_surrounding_of_another(asked: str) -> None:
    """Without its accent the Welsh word for a song is *can*."""
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    assert is_danger(judge(Text(asked)))


def test_counts_and_an_interval() -> None:
    assert str(Rate(9, 10)) == "0.90 (9 of 10; 0.60–0.98)"
    assert str(Rate(0, 0)) == "–"


def test_texts_are_signs_or_none() -> None:
    texts = list(labelled([LABELLED]))
    assert all(bool(text.theme) is (text.severity is not None) for text in texts)
    assert sum(text.severity is None for text in texts) > 200
