"""The words of a search are found where each engine has them, and kept of those whom a clause names."""

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import KeptSearches
from schoolgate.core.policy.searches import LONGEST_SEARCH
from schoolgate.settings.services_file import load_services
from tests.core.policy.example import PUPIL, TEACHER, ask, engine
from tests.gateway import ROOT

SERVICES = load_services(ROOT / "config" / "services.yaml")
BUILT = engine(services=SERVICES, searches=(KeptSearches("C-1", frozenset({"pupils"})),))


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://www.google.com/search?q=whales", "whales"),
        ("https://www.google.co.uk/search?hl=en&q=blue+whales%20%20&safe=off", "blue whales"),
        ("https://google.cat/search?q=balena", "balena"),
        ("https://www.google.com/search?q=%C3%A9t%C3%A9", "été"),
        ("https://www.google.com/search?q=%ff", "\ufffd"),
        ("https://www.bing.com/images/search?q=whales", "whales"),
        ("https://duckduckgo.com/?q=whales&kp=-2", "whales"),
        ("https://search.brave.com/images?q=whales", "whales"),
        ("https://uk.search.yahoo.com/search?p=whales", "whales"),
        ("https://www.ecosia.org/search?q=whales", "whales"),
        ("https://yandex.com/search/?text=whales", "whales"),
        ("https://www.youtube.com/results?search_query=whales", "whales"),
        # What is not sent off, what is no search, and what is another site.
        ("https://www.google.com/complete/search?q=wha", ""),
        ("https://duckduckgo.com/ac/?q=wha", ""),
        ("https://www.google.com/search?q=", ""),
        ("https://www.google.com/search", ""),
        ("https://www.google.com/maps?q=whales", ""),
        ("https://mail.google.com/search?q=whales", ""),
        ("https://example.com/search?q=whales", ""),
    ],
)
def test_what_was_searched_for(url: str, want: str) -> None:
    assert BUILT.search_of(ask(url)) == want


@pytest.mark.parametrize(
    ("client", "want"),
    [(PUPIL, "whales"), (TEACHER, ""), (Client("10.0.0.9", "guests"), "")],
)
def test_it_is_kept_of_those_alone_whom_a_clause_names(client: Client, want: str) -> None:
    assert BUILT.search_of(ask("https://www.bing.com/search?q=whales", client)) == want


def test_without_such_a_clause_nothing_is_kept() -> None:
    built = engine(services=SERVICES)
    assert built.search_of(ask("https://www.bing.com/search?q=whales")) == ""


def test_a_page_that_was_pasted_is_not_kept_whole() -> None:
    words = "whale+" * 1_000
    found = BUILT.search_of(ask(f"https://www.bing.com/search?q={words}"))
    assert len(found) == LONGEST_SEARCH
