"""A list of hashes closes what a list in the clear with the same entries would."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.locked import HashedEntries, HashForm, Hashing, Page, PlainEntries, Spelling
from schoolgate.core.locked.addresses import folded_pieces
from schoolgate.core.urls import comparable_path, parse_web_url
from tests.core.locked.spelled import HOSTS, PATHS, QUERIES, spellings

SAFE = Spelling.SAFE_BROWSING


def published(form: HashForm, *texts: str) -> HashedEntries:
    """Hash texts as a publisher does, by the standard library alone."""

    def made(text: str) -> bytes:
        return hashlib.new(form.algorithm, form.salt + text.encode()).digest()[: form.size]

    return HashedEntries(form, [made(text) for text in texts])


@pytest.mark.parametrize(
    ("form", "listed", "url", "want"),
    [
        (HashForm(), "bad.example", "https://WWW.bad.example/x", True),
        (HashForm(), "bad.example", "https://notbad.example/", False),
        (HashForm(), "bad.example/a/b", "https://bad.example/A/%62/c?x=1", True),
        (HashForm(), "bad.example/a/b", "https://bad.example/a", False),
        (HashForm(), "bad.example/a?id=5", "https://bad.example/a/?ID=%35", True),
        (HashForm(), "bad.example/a?id=5", "https://bad.example/a?id=6", False),
        (HashForm(), "bad.example?id=5", "https://bad.example/?id=5", True),
        (HashForm(), "bad.example:8080/a", "https://bad.example:8080/a", True),
        (HashForm(of=Hashing.PATH), "bad.example/a?id=5", "https://bad.example/a?id=5", False),
        (HashForm(of=Hashing.HOST), "bad.example", "https://www.bad.example/a", True),
        (HashForm(of=Hashing.HOST), "bad.example/a", "https://bad.example/a", False),
        (HashForm("sha1", 20), "bad.example/a", "https://bad.example/a", True),
        (HashForm("md5", 16), "bad.example/a", "https://bad.example/a", True),
        (HashForm("sha512", 12), "bad.example/a", "https://bad.example/a", True),
        (HashForm(salt=b"s"), "bad.example/a", "https://bad.example/a", True),
        (HashForm(has_scheme=True), "http://bad.example/a", "https://bad.example/a", True),
        (HashForm(), "http://bad.example/a", "http://bad.example/a", False),
        (HashForm(), "2.7", "https://192.0.2.7/", False),
        (HashForm(), "192.0.2.7", "https://0xC0000207/", True),
        (HashForm(spelling=SAFE), "bad.example/", "https://www.bad.example/a", True),
        (HashForm(spelling=SAFE), "bad.example/a/", "https://bad.example/a/b/c", True),
        (HashForm(spelling=SAFE), "bad.example/a/b", "https://bad.example//a/./x/../%62", True),
        (HashForm(spelling=SAFE), "bad.example/a/b?id=5", "https://bad.example/a/b?id=5", True),
        (HashForm(spelling=SAFE), "bad.example/a/b", "https://bad.example/a/b?id=5", True),
        (HashForm(spelling=SAFE), "bad.example/A", "https://bad.example/a", False),
    ],
)  # fmt: skip
def test_a_hash_covers(form: HashForm, listed: str, url: str, want: bool) -> None:
    assert (published(form, listed).find(parse_web_url(url)) is not None) is want


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("/%25%32%35", "/%25"),
        ("/%25%32%35%25%32%35", "/%25%25"),
        ("/asdf%25%32%35asd", "/asdf%25asd"),
        ("/blah/..", "/"),
        ("/a//b", "/a/b"),
        ("/%C3%A9", "/%C3%A9"),
        ("/caf%c3%a9/", "/caf%C3%A9/"),
        ("/a%23b", "/a%23b"),
    ],
)
def test_safe_browsing_writes_a_path_so(path: str, want: str) -> None:
    """As "URLs and Hashing" of the Safe Browsing API says."""
    entries = published(HashForm(spelling=SAFE), f"bad.example{want}")
    assert entries.find(parse_web_url(f"http://bad.example{path}")) is not None


PAGES = st.tuples(HOSTS, PATHS, QUERIES)


@given(st.lists(PAGES, max_size=3), PAGES, st.data())
def test_in_the_form_of_this_gateway_hashes_close_what_the_clear_list_does(
    listed: list[tuple[str, str, str]], page: tuple[str, str, str], data: st.DataObject
) -> None:
    """But for a query among others: of a hash only the whole query is known."""
    texts = [
        host + comparable_path(path).removesuffix("/") + ("?" + "&".join(folded_pieces(query)))
        for host, path, query in listed
    ]
    hashed = published(HashForm(), *(text.removesuffix("?") for text in texts))
    url = parse_web_url(data.draw(spellings(*page)))
    same_query = [each for each in listed if not each[2] or each[2] == page[2]]
    plain = PlainEntries(
        Page.parse(f"https://{h}{p}" + (f"?{q}" if q else "")) for h, p, q in same_query
    )
    assert (hashed.find(url) is None) is (plain.find(url) is None)


def test_a_list_of_hosts_says_which_hosts_have_parts() -> None:
    form = HashForm()
    hosts = [form.digest("bad.example")]
    known = HashedEntries(form, [form.digest("bad.example/a")], hosts)
    assert (known.has_parts("www.bad.example"), known.has_parts("other.example")) == (True, False)
    assert not known.reads_everywhere
    assert HashedEntries(form, hosts).reads_everywhere
    assert not HashedEntries(HashForm(of=Hashing.HOST), hosts).reads_everywhere


@pytest.mark.parametrize(
    "url", ["https://" + "a." * 100 + "example/", "https://a.example" + "/a" * 2000]
)
def test_a_long_address_costs_no_more_hashes_than_a_bound(url: str) -> None:
    for spelling in Spelling:
        assert len(list(HashForm(spelling=spelling).texts(parse_web_url(url)))) <= 200


@given(HOSTS, PATHS)
def test_what_stands_for_an_entry_is_the_beginning_of_its_hash(host: str, path: str) -> None:
    form = HashForm()
    text = host + comparable_path(path).removesuffix("/")
    found = published(form, text).find(parse_web_url(f"https://{host}{path}"))
    assert found == hashlib.sha256(text.encode()).hexdigest()[:16]
