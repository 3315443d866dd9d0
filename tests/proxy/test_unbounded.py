"""Answers without bounds come to an end: some of those that the fuzzer draws."""

import random

import pytest

from schoolgate.core.content import PhraseModel
from schoolgate.lists.phrase_files import load_phrases
from tests.content import corpus
from tests.fuzz import bounds, pages


@pytest.fixture(scope="module")
def model() -> PhraseModel:
    return load_phrases(pages.ROOT / "categories" / "phrases")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_nothing_of_an_answer_is_looked_at_for_good(model: PhraseModel, seed: int) -> None:
    """Endless, nested 100,000 deep, bombs of every encoding, cut off, in another charset than it says."""
    draw = random.Random(seed)
    written = [page.markup().encode() for page in corpus.written("innocent")]
    answer = bounds.drawn(draw, written, pages.ENCODERS)
    kind, charset = draw.choice(pages.KINDS), draw.choice(pages.CHARSETS)
    watch = pages.watch(model, kind, charset, answer.encoding)
    bounds.taken(watch, answer)
    assert watch.score is None
