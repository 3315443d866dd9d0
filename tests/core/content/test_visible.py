"""What is seen comes out with its zone; what is not seen does not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content.visible import MARK, MOST_TAGS, VisibleText, Zone


def seen(markup: str, cut: int = 10**9) -> str:
    visible = VisibleText()
    parts = [visible.feed(markup[i : i + cut]) for i in range(0, len(markup), cut)]
    return "".join("".join(pieces) for pieces in (*parts, visible.close()))


def plain(markup: str) -> str:
    return " ".join(re.sub(f"{MARK}.", " ", seen(markup)).split())


@pytest.mark.parametrize(
    ("markup", "want"),
    [
        ("<p>one<p>two", "one two"),
        ("po<b>ker</b> na<span>ked</span>", "poker naked"),
        ("<script>casino</script>a<style>b</style>c<!-- d -->", "a c"),
        ("<script>if (a<b) '<p>'</script>text", "text"),
        ("<noscript>seen</noscript><textarea><b>as it is", "seen <b>as it is"),
        ("caf&eacute; &#x70;oker", "café poker"),
        ("<template>hidden</template>seen", "seen"),
        ("<script>never closed", ""),
    ],
)
def test_only_what_people_see(markup: str, want: str) -> None:
    assert plain(markup) == want


@pytest.mark.parametrize(
    ("markup", "zone"),
    [
        ("<title>here</title>", Zone.TITLE),
        ("<meta name=Description content=here>", Zone.META),
        ("<meta property=og:title content=here>", Zone.META),
        ("<h2>here</h2>", Zone.HEADING),
        ("<h2><a href=/>here</a></h2>", Zone.HEADING),
        ("<a href=/>here</a>", Zone.LINK),
        ("<a href=/><img alt=here></a>", Zone.ALT),
        ("<a href=/>x</a>here", Zone.BODY),
        ("<h1>x</h1>here", Zone.BODY),
        ("<a href=/><h3>x</h3>here</a>", Zone.LINK),
        ("here", Zone.BODY),
    ],
)
def test_each_text_stands_in_its_zone(markup: str, zone: Zone) -> None:
    before = seen(markup).partition("here")[0]
    mark = before.rfind(MARK)
    found = Zone(ord(before[mark + 1])) if mark >= 0 else Zone.BODY
    assert found is zone


def test_what_a_page_says_of_itself_is_kept() -> None:
    visible = VisibleText()
    visible.feed("<meta name=RATING content=adult><meta http-equiv=pics-label content=x>")
    assert visible.labels == [("rating", "adult"), ("pics-label", "x")]


PIECES = (
    "<p> </p> <a\tx='y>z'> </a> <h1> </h1> <script> </script> <title> <!-- --> &amp; &am word < >"
)
MARKUP = st.lists(st.sampled_from([" ", "<img alt='b'>", *PIECES.split(" ")])).map("".join)


@given(MARKUP, st.integers(1, 20))
def test_the_same_text_in_whatever_chunks(markup: str, cut: int) -> None:
    assert seen(markup, cut) == seen(markup)


def test_tags_are_looked_at_up_to_a_number() -> None:
    visible = VisibleText()
    text = "".join(visible.feed("<i></i>" * (MOST_TAGS // 2 + 1) + "late"))
    assert visible.exhausted
    assert "late" not in text
    assert visible.feed("<p>later") == []
