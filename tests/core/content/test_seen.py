"""A site is new on the first day on which anybody of the school goes there, and on no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import SeenSites, is_image
from schoolgate.core.content import seen as module

MONDAY, TUESDAY, FRIDAY = "2026-11-23", "2026-11-24", "2026-11-27"


def test_it_is_new_all_day_and_known_from_the_next_on() -> None:
    sites = SeenSites()
    assert sites.is_new("a.test", MONDAY)
    assert sites.is_new("a.test", MONDAY)
    assert not sites.is_new("a.test", TUESDAY)
    assert sites.is_new("b.test", TUESDAY)
    assert not sites.is_new("a.test", FRIDAY)


def test_what_the_journal_knows_is_not_new_and_is_replaced_whole() -> None:
    sites = SeenSites()
    assert sites.is_new("a.test", MONDAY)
    sites.put(SeenSites(["a.test", "b.test"]).image)
    assert not sites.is_new("a.test", MONDAY)
    assert not sites.is_new("b.test", MONDAY)
    sites.put(SeenSites(["c.test"]).image)
    assert sites.is_new("b.test", MONDAY)
    assert sites.is_new("b.test", MONDAY)


def test_an_image_is_told_from_anything_else_and_names_no_site() -> None:
    image = SeenSites(["a.test"]).image
    assert is_image(image)
    assert not is_image(image[:-1])
    assert not is_image(b"x" + image[1:])
    assert b"a.test" not in image


NAMES = st.lists(st.text("abc.", min_size=1, max_size=6), max_size=60)


@given(NAMES, NAMES)
def test_what_was_seen_is_never_new_and_few_others_seem_seen(
    before: list[str], after: list[str]
) -> None:
    sites = SeenSites()
    for name in before:
        sites.is_new(name, MONDAY)
    found = {name: sites.is_new(name, TUESDAY) for name in [*before, *after]}
    assert found == {name: name not in before for name in found}


def test_when_it_is_full_the_last_day_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SET", 6)
    sites = SeenSites(["old.test"])
    assert not sites.is_new("old.test", MONDAY)
    sites.is_new("a.test", MONDAY)
    assert not sites.is_new("a.test", TUESDAY)
    assert sites.is_new("old.test", TUESDAY)
