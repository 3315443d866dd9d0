"""The report of a week or a term as text: figures, and never a name, an address or a site."""

import re
from dataclasses import replace

import pytest

from schoolgate.services.evidence import Facts
from schoolgate.services.evidence.facts import OpenedByHand, OwnLine
from schoolgate.services.figures import Figures, OverBlock, Row
from schoolgate.services.regular_reports import Kind, text_of
from schoolgate.services.safeguarding_figures import Count, SafeguardingFigures
from tests.school import NOON
from tests.services.evidence.gathered import SINCE, UNTIL, facts_of, school_in

FIGURES = SafeguardingFigures(
    12, (Count("self-harm", 7),), (Count("danger", 5), Count("caution", 7)), 1, 5,
    (Count("supported", 5),), 5, None, None, 3.5,
)  # fmt: skip
ASKED = Figures(
    SINCE, UNTIL, 5, Row("all", 900, 90, 30), (), (), (), (), (Row("doh", 8, None, 6),),
    (Row("secret-site.example", 9, None, 9),), (OverBlock("games.example", SINCE, 4),), {},
)  # fmt: skip


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    gathered = facts_of(school_in(tmp_path_factory.mktemp("regular")))
    grant = OpenedByHand(
        "https://secret.example/page",
        "one person",
        NOON,
        NOON,
        "headteacher",
        "For J. Smith.",
        1,
        True,
    )
    own = OwnLine("allow.txt", "secret.example", "for j.smith@hill.example at 192.0.2.7")
    return replace(gathered, safeguarding=FIGURES, figures=ASKED, opened=(grant,), own_lines=(own,))


@pytest.mark.parametrize("kind", list(Kind))
def test_no_name_no_address_and_no_site_is_in_it(facts: Facts, kind: Kind) -> None:
    text = text_of(kind, "week from 16 November", facts)
    for secret in ("@", "://", "www.", ".example", "Smith", "jsmith", "192.0.2"):
        assert secret not in text
    assert not re.search(r"\b\d+\.\d+\.\d+\.\d+\b", text)
    for found in facts.roles:
        assert not any(address in text for address in found.addresses)


def test_it_says_what_happened(facts: Facts) -> None:
    text = text_of(Kind.WEEKLY, "week from 16 November", facts)
    for said in (
        "Hill School: week from 16 November", "alerts: 12 (danger 5, caution 7)", "by theme: self harm 7",
        "incidents closed: 5 (support was given in school 5)", "requests: 900, blocked: 90",
        "stopped, doh: 8", "exceptions in force: 1", "incidents open now: few",
    ):  # fmt: skip
        assert said in text
    assert "Policy and reviews" not in text
    assert "The policy: due 28.02.2025, overdue" in text_of(Kind.TERMLY, "term", facts)


def test_what_is_not_known_is_said(facts: Facts) -> None:
    blind = replace(facts, safeguarding=None, figures=None, access=None, opened=None)
    assert text_of(Kind.TERMLY, "term", blind).count("not known") >= 4
