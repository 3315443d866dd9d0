"""Names are cut into words, and an innocent reading goes first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import HostWord, HostWords

WORDS = HostWords(
    [HostWord("casino", "gambling", 6), HostWord("sex", "adult", 4), HostWord("penis", "adult", 4)],
    ["best", "essex", "pen", "island", "land", "es", "online", "council", "the", "rapist"],
)


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("bestcasino.com", ["host:casino"]),
        ("best-casino-777.co.uk", ["host:casino"]),
        ("www.casino.online.bet", ["host:casino"]),
        ("essexcouncil.gov.uk", []),
        ("penisland.net", []),
        ("sextant.org", []),
        ("casinox.com", []),
        ("casino", []),
        ("xn--casino-abc.com", []),
    ],
)
def test_words_of_a_category_in_a_name(host: str, want: list[str]) -> None:
    assert [signal.id for signal in WORDS.signals(host)] == want


KNOWN = ["ab", "abc", "c", "a", "bc", "cab"]


@given(st.text(alphabet="abc", max_size=12))
def test_cut_into_the_fewest_words_as_a_naive_search_would(part: str) -> None:
    def fewest(rest: str) -> float:
        if not rest:
            return 0
        ends = [1 + fewest(rest[len(word) :]) for word in KNOWN if rest.startswith(word)]
        return min(ends, default=float("inf"))

    cut = HostWords([], KNOWN).cut(part)
    want = fewest(part)
    assert "".join(cut) == ("" if want == float("inf") else part)
    assert len(cut) == (0 if want == float("inf") else want)
