"""Self-labels of sites: in `meta` and in headers."""

import pytest

from schoolgate.core.content import PageScorer, PhraseModel, label_of_header


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
