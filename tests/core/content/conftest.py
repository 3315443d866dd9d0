"""A small model, so that each test shows all the phrases that matter to it."""

import re

import pytest

from schoolgate.core.content import (
    HostWord,
    HostWords,
    Label,
    Language,
    PhraseModel,
    Subject,
    Weights,
)
from schoolgate.core.content.visible import Zone


@pytest.fixture(scope="session")
def model() -> PhraseModel:
    """Gambling and adult in two languages, with a register of health."""
    return PhraseModel.compiled(
        [
            Subject(
                "gambling",
                {
                    "en": Language(
                        {
                            "free spins": 6,
                            "online casino*": 6,
                            "place your bets": 6,
                            "jackpot": 4,
                            "roulette": 4,
                            "odds": 2,
                        },
                        ("addiction",),
                    ),
                    "pl": Language({"kasyno na żywo": 6, "zakłady bukmacherskie": 6}),
                },
                threshold=20,
            ),
            Subject("adult", {"en": Language({"breast": 6, "nude girls": 8})}, threshold=20),
        ],
        [Subject("health", {"en": Language({"breast cancer": 6, "nurse": 4, "treatment": 4})})],
        Weights(zones={Zone.TITLE: 1.5, Zone.LINK: 0.5}, least_words=20, least_phrases=3),
        [Label("rta", frozenset({"rating"}), re.compile("rta-5042.*"), "adult", 50, True)],
        HostWords([HostWord("casino", "gambling", 6)], ["best"]),
    )


FILLER = " ".join(["word"] * 30)
GAMBLING = f"Online casinos with free spins. Place your bets on roulette for the jackpot. {FILLER}"
