"""The hosts that a page's tags name, whatever chunks it comes in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content import host_of, host_of_refresh
from schoolgate.core.content.beside import MOST_HOSTS, MOST_LINKS
from schoolgate.core.content.visible import VisibleText


def read(*chunks: str) -> VisibleText:
    page = VisibleText()
    for chunk in chunks:
        page.feed(chunk)
    page.close()
    return page


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.Example.test/a?b", "www.example.test"),
        ("http://example.test:8080", "example.test"),
        ("//cdn.example.test/x.js", "cdn.example.test"),
        ("  HTTPS://example.test#top", "example.test"),
        ("https://user:word@example.test/", "example.test"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("/path//double", None),
        ("script.js", None),
        ("data:image/png;base64,//8=", None),
        ("mailto:a@example.test", None),
        ("https://", None),
        ("https://exa mple", "exa"),
        ("https://a%00b.test/", None),
        ("", None),
    ],
)
def test_the_host_of_an_address(address: str, host: str | None) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("content", "host"),
    [
        ("0; url=https://a.test/", "a.test"),
        ("5;URL='//a.test'", "a.test"),
        ("0,https://a.test", "a.test"),
        ("30", None),
        ("0; url=/next", None),
        ("", None),
    ],
)
def test_the_host_that_a_refresh_leads_to(content: str, host: str | None) -> None:
    assert host_of_refresh(content) == host


PAGE = """<head><link rel=icon href="https://icons.test/i.png"><script src=//js.test/a.js></script>
<script>var a = "https://no.test"</script><link rel="stylesheet" href="/own.css"></head>
<body><a href="https://one.test/">One</a><a name=x>none</a><a href="https://ONE.test/2">again</a>
<img src="https://pics.test/a.png" alt="A"><iframe src="https://frame.test/"></iframe>
<a href="http://two.test:81">Two</a><style></style><h1>Title</h1></body>"""


def test_what_is_fetched_and_what_is_linked_are_told_apart() -> None:
    beside = read(PAGE).beside
    assert beside.assets == ["icons.test", "js.test", "pics.test", "frame.test"]
    assert beside.links == ["one.test", "two.test"]


@given(st.lists(st.integers(1, len(PAGE) - 1), max_size=8))
def test_chunks_change_nothing(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(PAGE)]
    chunks = [PAGE[start:end] for start, end in pairwise(ends)]
    beside, whole = read(*chunks).beside, read(PAGE).beside
    assert (beside.assets, beside.links) == (whole.assets, whole.links)


def test_a_page_of_links_is_looked_at_as_far_as_any_and_its_scripts_all_the_same() -> None:
    links = "".join(f"<a href='https://h{i}.test/'>x</a>" for i in range(5000))
    beside = read(links, "<script src='//js.test'></script>").beside
    assert beside.links == [f"h{i}.test" for i in range(MOST_HOSTS)]
    assert beside.assets == ["js.test"]
    own = "".join("<a href='/own'>x</a>" for _ in range(MOST_LINKS))
    assert read(own, "<a href='//late.test'>x</a>").beside.links == []
