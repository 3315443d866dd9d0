"""What one request shows."""

import pytest

from schoolgate.core.safeguarding import (
    Asked,
    Lexicon,
    Matcher,
    Phrases,
    Severity,
    SiteSign,
    Source,
    Theme,
    Watch,
)
from schoolgate.core.urls import parse_url

WATCH = Watch(
    Matcher([Lexicon(Theme.VIOLENCE, "en", (Phrases(Severity.DANGER, ("make bomb",)),))]),
    {"weapons": SiteSign(Theme.VIOLENCE, Severity.ADVISORY)},
    frozenset({"news"}),
)
PAGE, PLAIN = "https://forum.example/make-bomb/", "https://forum.example/"


@pytest.mark.parametrize(
    ("url", "search", "categories", "by_hand", "found"),
    [
        (PLAIN, "make bomb", (), True, (Severity.DANGER, Source.SEARCH)),
        # A search is one, whoever sends it off.
        (PLAIN, "make bomb", (), False, (Severity.DANGER, Source.SEARCH)),
        (PLAIN, "make cake", ("weapons",), True, None),
        (PLAIN, "", (), True, None),
        # Who follows a link did not write it.
        (PAGE, "", (), True, (Severity.CAUTION, Source.ADDRESS)),
        (PAGE, "", (), False, None),
        (PAGE, "", ("news",), True, None),
        (PLAIN, "", ("weapons",), True, (Severity.ADVISORY, Source.CATEGORY)),
        # The worse of two signs of one theme.
        (PAGE, "", ("weapons",), True, (Severity.CAUTION, Source.ADDRESS)),
    ],
)
def test_signs(
    url: str,
    search: str,
    categories: tuple[str, ...],
    by_hand: bool,
    found: tuple[Severity, Source] | None,
) -> None:
    asked = Asked(parse_url(url), search, frozenset(categories), by_hand)
    signs = [(each.severity, each.source) for each in WATCH.concerns(asked)]
    assert signs == ([found] if found else [])
