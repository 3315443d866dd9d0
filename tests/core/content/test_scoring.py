"""A verdict needs enough text and several strong, independent phrases, and must beat the innocent."""

from dataclasses import replace

import pytest

from schoolgate.core.content import HostWords, Language, PhraseModel, Subject, Weights
from schoolgate.core.content.folding import fold
from schoolgate.core.content.scoring import Tally
from tests.core.content.conftest import FILLER, GAMBLING


def category(model: PhraseModel, text: str) -> str | None:
    tally = Tally(model)
    tally.add(fold(text))
    score = tally.verdict()
    return score.category if score else None


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (GAMBLING, "gambling"),
        ("free spins online casino place your bets jackpot", None),  # too few words
        (f"{'free spins ' * 20} {FILLER}", None),  # one phrase, however often
        (f"jackpot roulette odds {FILLER}", None),  # none that is strong
        (f"{GAMBLING} {' '.join(['word'] * 9000)}", None),  # lost in a long text
        (f"addiction {GAMBLING}", None),  # cleared by what stands near
        (f"{GAMBLING} {FILLER} addiction", None),  # from afar it makes more necessary,
        (f"{GAMBLING} {GAMBLING} {FILLER} addiction", "gambling"),  # which there may be
        (f"{GAMBLING} nurse", "gambling"),  # a little of a register is outweighed,
        (f"{GAMBLING} nurse treatment breast cancer", None),  # not much of it
        (FILLER, None),
        ("", None),
    ],
)
def test_what_makes_a_verdict(model: PhraseModel, text: str, want: str | None) -> None:
    assert category(model, text) == want


def test_a_register_that_weighs_more_clears_the_page(model: PhraseModel) -> None:
    weak = f"free spins, online casino, place your bets, odds {FILLER}"
    innocent = "nurse treatment breast cancer " * 4
    assert category(model, weak) == "gambling"
    assert category(model, f"{weak} {FILLER} {innocent}") is None


def test_the_evidence_is_ids_the_heaviest_first(model: PhraseModel) -> None:
    tally = Tally(model)
    tally.add(fold(GAMBLING))
    score = tally.verdict()
    assert score
    assert len(score.evidence) == 5
    assert all(each.startswith("gambling/en/") for each in score.evidence)
    assert score.points >= score.threshold


@pytest.mark.parametrize(
    ("many", "factor", "more", "want"),
    [
        (5, 1.0, "", "gambling"),
        (6, 1.0, "", None),
        (5, 9.0, "", None),
        (5, 1.0, "nurse treatment breast cancer", None),
    ],
)
def test_many_weak_phrases_do_without_a_strong_one(
    model: PhraseModel, many: int, factor: float, more: str, want: str | None
) -> None:
    weights = replace(
        model.weights, strong_weight=7, least_strong=1, many_phrases=many, many_factor=factor
    )
    assert category(replace(model, weights=weights), f"{GAMBLING} {more}") == want


def test_so_many_exculpations_count_and_no_more() -> None:
    words = [f"museum{letter}" for letter in "abcdef"]
    model = PhraseModel.compiled(
        [
            Subject(
                "x", {"en": Language({f"p{n}": 6 for n in range(12)}, tuple(words))}, threshold=20
            )
        ],
        [],
        Weights(zones={}, least_words=5, clearing_points=8, most_clearing=3),
        [],
        HostWords([], []),
    )
    found = " ".join(f"p{n}" for n in range(8))
    afar = " ".join(["word"] * 60)
    assert category(model, f"{found} {afar} {words[0]} {words[0]}") == "x"
    # 48 points; 20 and three times 8 are needed, whatever else is said.
    assert category(model, f"{found} {afar} {' '.join(words)}") == "x"
    assert category(model, f"{' '.join(found.split()[:7])} {afar} {' '.join(words)}") is None
