"""What is said of precision and recall is counted from the texts that are here."""

from benchmarks.safeguarding import LABELLED, ROOT, Judge, Rate, labelled, table
from schoolgate.core.safeguarding import Severity
from schoolgate.lists.safeguarding_files import load_safeguarding


def test_the_table_is_that_of_the_texts_that_are_here() -> None:
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    said = (ROOT / "docs" / "safeguarding.md").read_text(encoding="utf-8")
    assert table(list(labelled()), judge) in said


def test_danger_is_right_and_found_on_the_texts_that_are_here() -> None:
    """An upper bound: the phrases were changed with these texts in view."""
    judge = Judge(load_safeguarding(ROOT / "categories" / "safeguarding"))
    texts = list(labelled())
    raised = [t for t in texts if any(c.severity is Severity.DANGER for c in judge(t))]
    signs = [t for t in texts if t.severity is Severity.DANGER]
    assert sum(t.severity is not None for t in raised) / len(raised) >= 0.95
    assert sum(t in raised for t in signs) / len(signs) >= 0.8


def test_counts_and_an_interval() -> None:
    assert str(Rate(9, 10)) == "0.90 (9 of 10; 0.60–0.98)"
    assert str(Rate(0, 0)) == "–"


def test_texts_are_signs_or_none() -> None:
    texts = list(labelled([LABELLED]))
    assert all(bool(text.theme) is (text.severity is not None) for text in texts)
    assert sum(text.severity is None for text in texts) > 200
