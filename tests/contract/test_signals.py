"""Innocent pages stay innocent whatever sites they have to do with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from schoolgate.core.content import PageScorer, PhraseModel, Relation, Signal
from schoolgate.lists import phrases_in_force
from tests.content import corpus

ROOT = Path(__file__).resolve().parents[2]
BLIND = ROOT / "tests/content/blind/open"


def innocent_pages() -> Iterator[tuple[str, str]]:
    """Give name and markup of those that were written for the phrases, and of those written blind."""
    for number, page in enumerate(corpus.written("innocent")):
        yield f"{page.subject}-{number}", page.markup()
    for file in sorted(BLIND.glob("innocent*.yaml")):
        for page in yaml.safe_load(file.read_text(encoding="utf-8")):
            yield page["id"], page["html"]


@pytest.fixture(scope="module")
def model() -> PhraseModel:
    return phrases_in_force([ROOT / "categories"])


def test_every_relation_at_its_most_on_a_new_site_blocks_none_of_them(model: PhraseModel) -> None:
    relations = model.relations
    assert set(relations.worth) == set(Relation)
    most = sum(worth.most for worth in relations.worth.values()) * relations.new_factor
    assert most > min(model.thresholds.values()), "or the points would settle it"
    blocked = []
    for name, markup in innocent_pages():
        for category in model.thresholds:
            signal = Signal("asset:all", category, most, yields=True)
            scorer = PageScorer(model, "text/html", signals=[signal])
            scorer.feed(markup.encode())
            if scorer.close() is not None:
                blocked.append((name, category))
    assert blocked == []
