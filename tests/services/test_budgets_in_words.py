"""The public pages name the budgets that the engine counts by."""

from datetime import date

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import WebRequest
from schoolgate.core.policy.model import with_groups_around
from schoolgate.core.urls import parse_url
from schoolgate.services.budgets_in_words import amount, for_parents, for_pupils
from schoolgate.services.public_page import Audience, as_text
from schoolgate.services.public_policy import public_policy
from schoolgate.services.rules_in_words import RulesInWords
from tests.services.test_public_policy import MONDAY, PACKS, engine


@pytest.mark.parametrize("pack", PACKS)
def test_everybody_finds_the_budget_that_burdens_them(pack: str) -> None:
    asked = engine(pack)
    policy, section = asked.policy, for_parents(RulesInWords(asked))
    lines = list(section.points) if section else []
    for group in policy.groups.values():
        request = WebRequest(
            parse_url("https://nothing-known.example/"), Client("10.0.0.1", group.id)
        )
        budget = asked.metering(request, asked.decide(request, MONDAY))
        around = with_groups_around(policy.groups, [group.id])
        titles = [policy.groups[id_].title for id_ in around]
        fits = [line for line in lines if line.startswith("Everybody: ")
                or any(title in line.partition(":")[0] for title in titles)]  # fmt: skip
        assert bool(fits) is (budget is not None)
        if budget is not None:
            assert amount(budget) in fits[0]
            assert f"({budget.clause})" in fits[0]


def test_the_pages_of_wellstead() -> None:
    today = date(2026, 11, 23)
    parents = as_text(public_policy(engine("wellstead"), Audience.PARENTS, today))
    assert "* Governors and Staff: 30 minutes and 1,000 MB a day; not counted: " in parents
    assert "* Everybody: 20 minutes and 600 MB a day; not counted: " in parents
    assert "bbc.co.uk/bitesize (W-6.3.1-stream)." in parents
    assert "Open as long as there is audio and video left for the day | W-6.3.1-stream" in parents
    pupils = as_text(public_policy(engine("wellstead"), Audience.PUPILS, today))
    assert "You can watch and listen for 20 minutes a day." in pupils


def test_a_school_without_budgets_says_nothing_of_them() -> None:
    rules = RulesInWords(engine("uk-baseline"))
    assert for_parents(rules) is None
    assert for_pupils(rules, None) is None
