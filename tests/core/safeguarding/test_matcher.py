"""Phrases in short texts: whole words, choices, gaps, exceptions, surroundings, and disguises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.safeguarding import Lexicon, Matcher, Phrases, Severity, Theme
from schoolgate.core.safeguarding.words import MOST_CHARS

DANGER, CAUTION = Severity.DANGER, Severity.CAUTION


def matcher(
    *danger: str,
    firm: bool = False,
    innocent: tuple[str, ...] = (),
    surroundings: tuple[str, ...] = (),
    concepts: dict[str, tuple[str, ...]] | None = None,
) -> Matcher:
    shared = Lexicon(None, "en", fillers=("the", "a", "to", "really"))
    groups = (Phrases(DANGER, danger, firm),)
    theme = Lexicon(Theme.VIOLENCE, "en", groups, concepts or {}, innocent, surroundings)
    return Matcher([shared, theme])


def is_found(phrase: str, text: str, **given: object) -> bool:
    return bool(matcher(phrase, **given).hits(text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("make bomb", "how to make a bomb", True),
        ("make bomb", "Make A BOMB!!", True),
        ("make bomb", "bomb make", False),
        ("make bomb", "make bombastic claims", False),
        ("make bomb", "remake bomb", False),
        ("make bomb*", "make bombs", True),
        ("make/build bomb", "build the bomb", True),
        ("make/build bomb", "defuse the bomb", False),
        ("pipe_bomb/grenade how", "pipe bomb how", True),
        ("pipe_bomb/grenade how", "pipe grenade how", True),
        ("pipe_bomb/grenade how", "pipe how", False),
        ("make my? bomb", "make my bomb", True),
        ("make my? bomb", "make bomb", True),
        ("make your? bomb", "make my bomb", False),
        ("make .. bomb", "make one of those bombs bomb", False),
        ("make .. bomb", "make one of those bomb", True),
        ("bomb + school", "bomb at my school", True),
        ("bomb + school", "my school needs one bomb", True),
        ("bomb + school", "bomb one two three four five school", False),
        ("= bomb", "bomb", True),
        ("= bomb", "the bomb", True),
        ("= bomb", "bomb shelter", False),
        ("suicide~", "suiside", True),
        ("suicide~", "suicde", True),
        ("suicide~", "siucide", True),
        ("suicide~", "suside", False),
        ("bomb", "b0mb", True),
        ("bomb", "bombbbb", True),
        ("bomb", "b o m b", True),
        ("bomb", "b@mb", False),
        ("bąk", "BAK", True),
        ("dont", "don't", True),
    ],
)
def test_phrases_find_whole_words_in_their_order(phrase: str, text: str, found: bool) -> None:
    assert is_found(phrase, text) is found


def test_concepts_stand_for_their_words() -> None:
    concepts = {"weapon": ("gun", "flick knife")}
    assert is_found("buy <weapon>", "buy a flick knife", concepts=concepts)
    assert is_found("buy <weapon>/bomb", "buy a bomb", concepts=concepts)
    assert not is_found("buy <weapon>", "buy a knife", concepts=concepts)


def test_a_list_may_name_another() -> None:
    concepts = {"weapon": ("<gun>", "knife"), "gun": ("pistol",)}
    assert is_found("buy <weapon>", "buy a pistol", concepts=concepts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("he hit me", True),
        ("me it was that he one day in the school bus without a word hit", True),
        ("he hit", False),
        ("he hurt me with words and she hit", True),
    ],
)
def test_parts_joined_by_an_ampersand_stand_wherever_in_the_text(text: str, found: bool) -> None:
    assert is_found("he/she & hit & me", text) is found


def test_no_two_parts_share_a_word() -> None:
    assert not is_found("hit/me & me", "me")
    assert is_found("hit/me & me", "me me")
    assert not is_found("my_mum & mum", "my mum")


def test_a_part_keeps_its_own_order() -> None:
    assert is_found("hit me & bus", "on the bus they hit me")
    assert not is_found("hit me & bus", "me hit bus")


def test_words_are_known_as_they_are_typed() -> None:
    """In texts and in phrases, so that a phrase may be written either way."""
    shared = Lexicon(None, "en", spellings={"ppl": "people", "u": "you"})
    for phrase in ("people hit", "ppl hit"):
        theme = Lexicon(Theme.BULLYING, "en", (Phrases(DANGER, (phrase,)),))
        assert Matcher([shared, theme]).hits("PPL hit u")


def test_words_of_a_title_count_for_nothing_and_others_beside_it_do() -> None:
    given = {"innocent": ("bath bomb",)}
    assert not is_found("make .. bomb", "make a bath bomb", **given)
    assert is_found("make .. bomb", "make a bath bomb and a bomb", **given)


def test_beside_surroundings_only_firm_phrases_hold() -> None:
    given = {"surroundings": ("essay",)}
    assert not is_found("bomb", "essay on the bomb", **given)
    assert is_found("bomb", "essay on the bomb", firm=True, **given)


def test_surroundings_and_titles_of_one_theme_are_none_of_another() -> None:
    both = [
        Lexicon(theme, "en", (Phrases(DANGER, ("bomb",)),), {}, innocent, around)
        for theme, innocent, around in (
            (Theme.VIOLENCE, ("bath bomb",), ("essay",)),
            (Theme.RADICALISATION, (), ()),
        )
    ]
    assert [hit.theme for hit in Matcher(both).hits("bath bomb essay")] == [Theme.RADICALISATION]


def test_the_worst_phrase_of_a_theme_counts_and_its_id_comes_first() -> None:
    groups = (Phrases(CAUTION, ("bomb",)), Phrases(DANGER, ("make bomb",)))
    (hit,) = Matcher([Lexicon(Theme.VIOLENCE, "en", groups)]).hits("make bomb")
    assert hit.severity is DANGER
    assert len(hit.phrase_ids) == 2
    assert all(each.startswith("violence/en/") for each in hit.phrase_ids)


WORD = st.sampled_from(["make", "bomb", "the", "now", "x"])


@given(st.lists(WORD, max_size=12), st.integers(0, 3))
def test_gaps_are_as_a_naive_search_finds_them(words: list[str], gap: int) -> None:
    phrase = "make .. bomb" if gap else "make bomb"
    kept = [word for word in words if word != "the"]
    reach = 3 if gap else 0
    naive = any(
        first == "make" and "bomb" in kept[at + 1 : at + 2 + reach] for at, first in enumerate(kept)
    )
    # Four letters alone are a word spelt out, and stand as one.
    if words.count("x") < 4:
        assert is_found(phrase, " ".join(words)) is naive


@given(st.lists(WORD, max_size=12))
def test_parts_are_as_a_naive_search_finds_them(words: list[str]) -> None:
    naive = {"make", "bomb", "now"} <= set(words)
    if words.count("x") < 4:
        assert is_found("make & bomb & now", " ".join(words)) is naive


@given(st.text(max_size=600))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(
        matcher("make .. bomb", "bomb + school", "razor*", "suicide~").hits(text), list
    )


def test_what_is_beyond_the_longest_search_is_not_looked_at() -> None:
    assert is_found("bomb", "x" * (MOST_CHARS - 5) + " bomb")
    assert not is_found("bomb", "x" * MOST_CHARS + " bomb")
