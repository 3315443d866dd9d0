"""What an answer is decides by the first rule that minds, unless somebody in charge opened the site."""

from typing import Any

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.clients import Client
from schoolgate.core.media import LIVE, UNKNOWN, Length, at_least, ended
from schoolgate.core.policy import (
    Content,
    ContentRule,
    Inspection,
    PolicyEngine,
    Reason,
    Rule,
    Verdict,
)
from schoolgate.core.policy.contents import ContentRules, duration
from schoolgate.core.policy.inspection import Need
from tests.core.policy.example import (
    NOON,
    PUPIL,
    TEACHER,
    ask,
    engine,
    grant,
    hosts,
    listed,
    local_allow,
)

LIVE_RULE = ContentRule(
    Need("live", "C-1", frozenset({"education"}), hosts("training.example")),
    frozenset({Content.LIVE}),
)
CLIPS = ContentRule(
    Need("clips", "C-2", groups=frozenset({"pupils"})), longer_than=600, note="Ask a teacher."
)
FILES = ContentRule(Need("files", "C-3"), frozenset({Content.SOFTWARE, Content.MACROS}))
RULES = (LIVE_RULE, CLIPS, FILES)


def built(**more: Any) -> PolicyEngine:
    entries = (listed("school.example", "education"),)
    return engine(
        entries, contents=RULES, inspection=Inspection(needs=tuple(r.need for r in RULES)), **more
    )


def ids(found: ContentRules) -> list[str]:
    return [rule.need.id for rule in found.rules]


@pytest.mark.parametrize(
    ("url", "who", "want"),
    [
        ("https://a.example/", PUPIL, ["live", "clips", "files"]),
        ("https://a.example/", TEACHER, ["live", "files"]),
        ("https://school.example/", PUPIL, ["clips", "files"]),
        ("https://www.training.example/", TEACHER, ["files"]),
    ],
)
def test_rules_reach_whom_and_what_they_concern(url: str, who: Client, want: list[str]) -> None:
    engine = built()
    request = ask(url, who)
    assert ids(engine.contents_of(request, engine.decide(request, NOON), NOON)) == want


def test_what_was_opened_by_hand_is_not_looked_into() -> None:
    opened = built(overlay=Overlay(1, (grant("a.example"),)))
    allowed = built(local=(local_allow("a.example"),))
    request = ask("https://a.example/film", PUPIL)
    for each, reason in ((opened, Reason.GRANT), (allowed, Reason.LOCAL_ALLOW)):
        decision = each.decide(request, NOON)
        assert decision.reason is reason
        assert not each.contents_of(request, decision, NOON)


@pytest.mark.parametrize(
    ("length", "want"),
    [
        (LIVE, "live"),
        (ended(601), "clips"),
        (at_least(601), "clips"),
        (ended(600), None),
        (UNKNOWN, None),
    ],
)
def test_how_long_it_plays(length: Length, want: str | None) -> None:
    decision = ContentRules(RULES).on_length(length)
    assert (decision.rule if decision else None) == want


def test_the_page_says_length_and_limit() -> None:
    decision = ContentRules(RULES).on_length(ended(5400))
    assert decision is not None
    assert decision.note == (
        "It plays for 1 hour 30 minutes; clips of up to 10 minutes are allowed. Ask a teacher."
    )
    assert (decision.reason, decision.clause) == (Reason.CONTENT, "C-2")


def test_what_a_file_is() -> None:
    rules = ContentRules(RULES)
    assert rules.on(Content.MACROS) == FILES.decision()
    assert rules.on(Content.FILESHARING) is None
    assert rules.for_files
    assert not ContentRules((CLIPS,)).for_files


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        (1, "1 second"),
        (89, "89 seconds"),
        (120, "2 minutes"),
        (3600, "1 hour"),
        (5460, "1 hour 31 minutes"),
    ],
)
def test_lengths_in_words(seconds: float, want: str) -> None:
    assert duration(seconds) == want


def judging(then: Verdict | None) -> PolicyEngine:
    """Give an engine whose rules have games blocked, shops warned of, and news closed to pupils."""
    rules = (
        Rule("games", "C-1", Verdict.BLOCK, categories=("games",)),
        Rule("shops", "C-2", Verdict.WARN, categories=("shopping",)),
        Rule("papers", "C-3", Verdict.MONITOR, categories=("news",), groups=frozenset({"pupils"})),
    )
    need = Need("texts", "C-4", frozenset({"education"}))
    says = frozenset({"games", "shopping", "news", "dating"})
    return engine(
        [listed("school.example", "education"), listed("toys.example", "games")],
        local=[local_allow("allowed.example")],
        rules=rules,
        contents=(ContentRule(need, says=says, then=then),),
        inspection=Inspection(needs=(need,)),
    )


@pytest.mark.parametrize(
    ("says", "url", "who", "then", "want"),
    [
        ("games", "https://a.example/", PUPIL, None, (Verdict.BLOCK, "C-1", "games")),
        ("shopping", "https://a.example/", PUPIL, None, (Verdict.WARN, "C-2", "shops")),
        ("news", "https://a.example/", PUPIL, None, (Verdict.MONITOR, "C-3", "papers")),
        ("news", "https://a.example/", TEACHER, None, None),
        ("dating", "https://a.example/", PUPIL, None, None),
        ("poetry", "https://a.example/", PUPIL, None, None),
        ("games", "https://school.example/", PUPIL, None, None),
        ("games", "https://allowed.example/", PUPIL, None, None),
        ("dating", "https://a.example/", PUPIL, Verdict.BLOCK, (Verdict.BLOCK, "C-4", "texts")),
        ("games", "https://a.example/", PUPIL, Verdict.MONITOR, (Verdict.MONITOR, "C-4", "texts")),
    ],
)
def test_a_text_is_answered_as_a_site_that_is_listed_or_as_its_rule_says(
    says: str, url: str, who: Client, then: Verdict | None, want: tuple[Verdict, str, str] | None
) -> None:
    rules, request = judging(then), ask(url, who)
    found = rules.on_text(request, rules.decide(request, NOON), says, NOON)
    assert (found and (found.verdict, found.clause, found.rule)) == want
    if found:
        assert (found.reason, found.category) == (Reason.CONTENT, says)
        assert "by its content" in found.note


def test_whose_rules_are_about_texts() -> None:
    engine, request = judging(None), ask("https://a.example/")
    rules = engine.contents_of(request, engine.decide(request, NOON), NOON)
    assert (engine.judges_texts, rules.for_texts) == (True, True)
    assert (built().judges_texts, ContentRules(RULES).of_texts.rules) == (False, ())
    assert "pages that are dating, games" in rules.rules[0].sought
