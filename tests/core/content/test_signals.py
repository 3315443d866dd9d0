"""Signals add to phrases; alone only a site's own word is enough."""

from schoolgate.core.content import PageScorer, PhraseModel, Signal
from tests.core.content.conftest import FILLER


def verdict(model: PhraseModel, text: str, *signals: Signal) -> object:
    scorer = PageScorer(model, "text/plain", signals=signals)
    scorer.feed(text.encode())
    score = scorer.close()
    return score and (score.category, score.evidence[0])


def test_a_hint_alone_is_no_verdict(model: PhraseModel) -> None:
    assert verdict(model, FILLER, Signal("host:casino", "gambling", 90)) is None


def test_a_hint_adds_to_phrases_that_are_not_enough_alone(model: PhraseModel) -> None:
    text = f"free spins, place your bets, odds {FILLER}"
    hint = Signal("host:casino", "gambling", 8)
    assert verdict(model, text) is None
    assert verdict(model, text, hint) == ("gambling", "host:casino")


def test_what_a_site_says_of_itself_is_enough(model: PhraseModel) -> None:
    assert verdict(model, "short", Signal("label:rta", "adult", 50, True)) == ("adult", "label:rta")
