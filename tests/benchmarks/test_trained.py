"""The linear model learns, and what is made of it and the phrases is counted as it is told."""

from pathlib import Path

import pytest

from benchmarks.content.linear import BUCKETS, Example, features_of, trained
from benchmarks.content.trained import (
    HALF,
    HALF_TOO,
    MODEL,
    PHRASES_ALONE,
    STRONG_TOO,
    Page,
    thresholds,
    verdict,
    written_pages,
)
from schoolgate.core.content.folding import fold

BETS = ("bet on the match", "odds of the match", "a bet with better odds", "the best odds to bet")
TEAS = ("tea with milk", "a cup of the tea", "milk in the cup", "the tea and the milk")


def features(text: str) -> frozenset[int]:
    return features_of(fold(text))


def page(category: str, gambling: float, *, phrases: str = "", half: str = "") -> Page:
    by_phrases = {PHRASES_ALONE: phrases, HALF: half, HALF_TOO: half, STRONG_TOO: half}
    return Page("own", category, 0, "", True, by_phrases, {"gambling": gambling, "hate": -9.0})


def test_features_are_words_pairs_of_words_and_parts_of_words() -> None:
    assert features("Odds") < features("better odds")
    assert features("better odds") - features("odds better")
    assert features("betting") & features("better") - features("bet")
    assert all(0 <= bucket < BUCKETS for bucket in features("odds"))


def test_what_marks_a_zone_is_no_word() -> None:
    assert features("\x07\x02 odds") == features("odds")


def test_a_model_tells_apart_what_it_was_shown_and_is_the_same_each_time() -> None:
    examples = [
        *(Example(features(text), "gambling") for text in BETS),
        *(Example(features(text), "") for text in TEAS),
    ]
    model = trained(examples)
    assert model == trained(examples)
    assert model.categories == ("gambling",)
    assert model.scores(features("odds of a bet"))["gambling"] > 0
    assert model.scores(features("tea in a cup"))["gambling"] < 0
    assert model.size == 4 * len(model.weights)


def test_a_threshold_is_what_the_model_says_of_the_most_suspect_innocent_page() -> None:
    pages = [page("", -2.0), page("", 1.0), page("gambling", 3.0)]
    assert thresholds(pages, MODEL)["gambling"] == 1.0
    assert thresholds(pages, HALF_TOO) == {}


@pytest.mark.parametrize(
    ("way", "judged", "expected"),
    [
        (PHRASES_ALONE, page("gambling", 9.0), ""),
        (PHRASES_ALONE, page("gambling", -9.0, phrases="gambling"), "gambling"),
        (HALF, page("gambling", -9.0, half="gambling"), "gambling"),
        (MODEL, page("gambling", 1.1), "gambling"),
        (MODEL, page("gambling", 0.9, phrases="gambling"), ""),
        (HALF_TOO, page("gambling", 1.1), ""),
        (HALF_TOO, page("gambling", 1.1, half="gambling"), "gambling"),
        (HALF_TOO, page("gambling", 0.9, half="gambling"), ""),
        (STRONG_TOO, page("gambling", -9.0, phrases="hate"), "hate"),
    ],
)
def test_a_verdict_is_of_the_phrases_the_model_or_both(
    way: str, judged: Page, expected: str
) -> None:
    assert verdict(judged, way, {"gambling": 1.0, "hate": 1.0}) == expected


def test_nothing_is_learnt_from_what_is_sealed(tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    with pytest.raises(SystemExit, match="is sealed"):
        list(written_pages([sealed], by_hand=False))
