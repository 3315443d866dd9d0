"""Self-labels of sites: in `meta`, in headers, in age-de.xml."""

import pytest

from schoolgate.core.content import PageScorer, PhraseModel, age_of_label, label_of_header


def test_rta_in_a_page_is_a_verdict(model: PhraseModel) -> None:
    scorer = PageScorer(model, "text/html")
    scorer.feed(b'<meta name="rating" content="RTA-5042-1996-1400-1577-RTA"><p>Enter')
    score = scorer.close()
    assert score
    assert (score.category, score.evidence) == ("adult", ("label:rta",))


@pytest.mark.parametrize(
    ("name", "value", "want"),
    [
        ("Rating", "RTA-5042-1996-1400-1577-RTA", "label:rta"),
        ("Rating", "general", None),
        ("Server", "RTA-5042-1996-1400-1577-RTA", None),
    ],
)
def test_a_header_may_carry_it(model: PhraseModel, name: str, value: str, want: str | None) -> None:
    found = label_of_header(model.labels, name, value)
    assert (found.id if found else None) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("<age-declaration><default-age>18</default-age></age-declaration>", 18),
        ("<x><age>12</age><age country='de'> 16 </age></x>", 16),
        ("<html>not found</html>", None),
        ("", None),
    ],
)
def test_the_highest_age_counts(text: str, want: int | None) -> None:
    assert age_of_label(text) == want
