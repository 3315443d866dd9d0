"""Phrases are whole words, and the longer one holds."""

import pytest

from schoolgate.core.content import PhraseModel
from schoolgate.core.content.folding import fold
from schoolgate.core.content.model import pattern_of


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a jackpot, the JACKPOT", ["gambling", "gambling"]),
        ("jackpots crackpot", []),
        ("online casinos", ["gambling"]),
        ("onlinecasino", []),
        ("breast", ["adult"]),
        ("breast cancer", ["health"]),
        ("jackpot roulette odds", ["gambling"] * 3),
        ("KASYNO na zywo", ["gambling"]),
        ("addiction", []),
    ],
)
def test_what_is_found(model: PhraseModel, text: str, want: list[str]) -> None:
    found = model.found(fold(text))
    placed = [entry.subject for _, (entries, _) in found.placed for entry in entries]
    innocent = [entry.subject for (entries, _), _ in found.innocent for entry in entries]
    assert placed + innocent == want


def test_a_star_is_any_ending() -> None:
    assert pattern_of("casino*") == b" casino"
    assert pattern_of("Free spins") == b" free  spins "


def test_phrase_ids_name_category_and_language_and_no_phrase(model: PhraseModel) -> None:
    ((_, (entries, _)),) = model.found(fold("free spins")).placed
    assert entries[0].id.startswith("gambling/en/")
    assert "spins" not in entries[0].id
