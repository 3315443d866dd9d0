"""A URL is read as a browser reads it; what does not parse is refused, never guessed."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import without_root_dot
from schoolgate.core.urls import Url, comparable_path, parse_url, parse_web_url, path_covers
from tests.data import json_vectors

REFUSED = None


def parsed(text: str, base: str | None = None) -> Url | None:
    try:
        return parse_url(text, base)
    except BadAddressError:
        return REFUSED


def web(text: str) -> str | None:
    try:
        return str(parse_web_url(text))
    except BadAddressError:
        return REFUSED


# -- parsing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("https://example.com", Url("https", "example.com", 443, "/")),
        ("HTTP://EXAMPLE.com:80/A?b=C#d", Url("http", "example.com", 80, "/A", "b=C")),
        ("https://example.com:8443/", Url("https", "example.com", 8443, "/")),
        ("https://example.com./", Url("https", "example.com", 443, "/")),
        ("ws://example.com/chat", Url("ws", "example.com", 80, "/chat")),
        ("wss://example.com/chat", Url("wss", "example.com", 443, "/chat")),
        ("ftp://example.com/f", Url("ftp", "example.com", 21, "/f")),
        ("https://user:pw@example.com/", Url("https", "example.com", 443, "/")),
        ("https://good.example:443@evil.example/", Url("https", "evil.example", 443, "/")),
        ("https://good.example\\@evil.example/",
         Url("https", "good.example", 443, "/@evil.example/")),
        ("https:\\\\example.com\\a", Url("https", "example.com", 443, "/a")),
        ("https:example.com", Url("https", "example.com", 443, "/")),
        ("https:///example.com", Url("https", "example.com", 443, "/")),
        (" https://exam\nple.com/\t", Url("https", "example.com", 443, "/")),
        ("http://0x7f.1/", Url("http", "127.0.0.1", 80, "/")),
        ("http://[::ffff:127.0.0.1]/", Url("http", "[::ffff:7f00:1]", 80, "/")),
        ("https://example.com/a/../b/./%2e%2e/c", Url("https", "example.com", 443, "/c")),
        ("https://example.com/%41?", Url("https", "example.com", 443, "/%41")),
        ("https://bücher.example/ü", Url("https", "xn--bcher-kva.example", 443, "/%C3%BC")),
        ("mailto:a@example.com", Url("mailto", "", 0, "a@example.com")),
        ("data:text/plain,x", Url("data", "", 0, "text/plain,x")),
        ("about:blank", Url("about", "", 0, "blank")),
        ("file:///etc/passwd", Url("file", "", 0, "/etc/passwd")),
        ("blob:https://example.com/1", Url("blob", "", 0, "https://example.com/1")),
    ],
)  # fmt: skip
def test_a_url_is_read_as_browsers_read_it(text: str, want: Url) -> None:
    assert parsed(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "", "example.com", "/path", "//example.com/", "https://", "https://#", "https:// /",
        "https://example.com:65536/", "https://example.com:x/", "https://[::1/", "https://a b/",
        "https://exa%00mple.com/", "https://256.0.0.1/", "https://exam\0ple.com/", "https://@/",
        "https://exam\ud800ple.com/",
    ],
)  # fmt: skip
def test_what_the_standard_calls_a_failure_is_refused(text: str) -> None:
    assert parsed(text) is REFUSED


def test_a_lone_surrogate_which_no_connection_can_carry_is_refused() -> None:
    assert parsed("https://example.com/\ud800") is REFUSED


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("c", "https://example.com/a/c"),
        ("../c", "https://example.com/c"),
        ("?q", "https://example.com/a/b?q"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example/x", "http://other.example/x"),
    ],
)
def test_a_relative_url_is_resolved_against_its_base(text: str, want: str) -> None:
    assert str(parsed(text, "https://example.com/a/b")) == want


def test_a_refusal_quotes_no_more_than_two_hundred_characters() -> None:
    with pytest.raises(BadAddressError) as refused:
        parse_url("x" * 5000)
    assert str(refused.value) == repr("x" * 200) + " is not a URL"


# -- showing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "origin", "without_query", "whole"),
    [
        ("https://u:p@example.com:443/a?b#c",
         "https://example.com", "https://example.com/a", "https://example.com/a?b"),
        ("http://example.com:8080/",
         "http://example.com:8080", "http://example.com:8080/", "http://example.com:8080/"),
        ("http://example.com:443/",
         "http://example.com:443", "http://example.com:443/", "http://example.com:443/"),
        ("https://[::1]/?x",
         "https://[::1]", "https://[::1]/", "https://[::1]/?x"),
    ],
)  # fmt: skip
def test_a_shown_url_has_no_userinfo_fragment_or_default_port(
    text: str, origin: str, without_query: str, whole: str
) -> None:
    url = parse_url(text)
    assert (url.origin_text, url.without_query, str(url)) == (origin, without_query, whole)


@given(
    st.sampled_from(["http", "https", "ws", "wss"]),
    st.sampled_from(["example.com", "EXAMPLE.com.", "0x7f.1", "[::1]", "bücher.example"]),
    st.integers(1, 65535),
    st.text(st.characters(codec="utf-8")),
)
def test_a_web_url_reads_the_same_when_it_is_shown_and_read_again(
    scheme: str, host: str, port: int, rest: str
) -> None:
    url = parse_url(f"{scheme}://{host}:{port}/{rest}")
    assert parse_url(str(url)) == url


# -- web requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("http://example.com", "http://example.com/"),
        ("example.com", "https://example.com/"),
        ("example.com/a?b", "https://example.com/a?b"),
        ("example.com:8443", "https://example.com:8443/"),
        (" example.com\n", "https://example.com/"),
        ("//example.com/a", "https://example.com/a"),
        ("[::1]/a", "https://[::1]/a"),
        ("10.1", "https://10.0.0.1/"),
        ("example.com/?u=http://other.example/", "https://example.com/?u=http://other.example/"),
        ("wss://example.com/", "wss://example.com/"),
        ("ftp://example.com/", REFUSED),
        ("file:///etc/passwd", REFUSED),
        ("about:blank", REFUSED),
        ("mailto:a@example.com", None),
        ("javascript:alert(1)", REFUSED),
        ("foo://example.com/", REFUSED),
        ("", REFUSED),
        ("   ", REFUSED),
        ("a b", REFUSED),
        ("https://", REFUSED),
    ],
)
def test_a_bare_host_is_taken_as_https_and_what_no_web_proxy_carries_is_refused(
    text: str, want: str | None
) -> None:
    assert web(text) == want


@pytest.mark.parametrize(
    "rest", ["web/2020/http://other.example/", "#://", "a;u=https://other.example/"]
)
def test_a_bare_address_may_hold_another_address_in_its_path(rest: str) -> None:
    assert web(f"example.com/{rest}") == str(parse_url(f"https://example.com/{rest}"))


@pytest.mark.parametrize("text", ["http:/example.com", "https:\\\\example.com", "ftp:/example.com"])
def test_the_name_of_a_scheme_is_never_guessed_to_be_the_host(text: str) -> None:
    shown = web(text)
    assert shown is REFUSED or parse_url(shown).host == "example.com"


@pytest.mark.parametrize(
    ("url", "want"),
    [
        (Url("https", "example.com", 443, "/"), True),
        (Url("ws", "example.com", 80, "/"), True),
        (Url("https", "", 443, "/"), False),
        (Url("ftp", "example.com", 21, "/"), False),
    ],
)
def test_a_proxy_can_be_asked_for_web_schemes_with_a_host(url: Url, want: bool) -> None:
    assert url.is_web is want


# -- paths -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("a/b", "/a/b"),
        ("/a/b/", "/a/b"),
        ("/A/B", "/a/b"),
        ("/STRASSE", "/strasse"),
        ("/Straße", "/strasse"),
        ("/%61/b", "/a/b"),
        ("/a%2Fb", "/a/b"),
        ("/a%2fb", "/a/b"),
        ("/%C3%BC", "/ü"),
        ("/%C3%9C", "/ü"),
        ("//a///b", "/a/b"),
        ("/a%2F%2Fb", "/a/b"),
        ("/./a/./b", "/a/b"),
        ("/x/../a/b", "/a/b"),
        ("/a/x/%2e%2E/b", "/a/b"),
        ("/../../a/b", "/a/b"),
        ("\\a\\b", "/a/b"),
        ("/a%5Cb", "/a/b"),
        ("/x/..%5Ca/b", "/a/b"),
        ("/a;v=1/b;w", "/a/b"),
        ("/a/b.html", "/a/b.html"),
        ("/a%2561", "/aa"),  # however often it was encoded
        ("/a%", "/a%"),
        ("/a...b/...", "/a...b/..."),
    ],
)
def test_spellings_of_one_path_compare_equal(path: str, want: str) -> None:
    assert comparable_path(path) == want


@pytest.mark.parametrize("path", ["/x/..;/a/b", "/a/.;/b", "/a/.;v=1/b", "/x/%2e%2e;v/a/b"])
def test_parameters_on_a_dot_segment_do_not_hide_it(path: str) -> None:
    # Tomcat and its kin drop path parameters before they resolve dot segments.
    assert comparable_path(path) == "/a/b"


_SPELLINGS = {
    "a": ["a", "A", "%61", "%41"],
    "b": ["b", "B", "%62", "b;v=1"],
    "é": ["é", "É", "%C3%A9", "%c3%89"],
}


@given(st.data(), st.lists(st.sampled_from(sorted(_SPELLINGS)), max_size=5))
def test_any_mixture_of_spellings_gives_the_plain_path(
    data: st.DataObject, segments: list[str]
) -> None:
    slash = st.sampled_from(["/", "//", "%2F", "\\", "%5c", "/./", "/x/../", "/%2E/"])
    spelled = "".join(
        data.draw(slash) + data.draw(st.sampled_from(_SPELLINGS[segment])) for segment in segments
    ) + data.draw(st.sampled_from(["", "/", "//", "/."]))
    assert comparable_path(spelled) == "/" + "/".join(segments)


@given(st.text(st.sampled_from("/\\.ab%2eEfF5cC"), max_size=20))
def test_a_comparable_path_holds_no_empty_or_dot_segment(path: str) -> None:
    shown = comparable_path(path)
    assert shown.startswith("/")
    assert not {"", ".", ".."} & set(shown.split("/")[1:]) or shown == "/"


@pytest.mark.parametrize(
    ("entry", "path", "want"),
    [
        ("/", "/", True),
        ("/", "/a/b", True),
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a", "/a.html", False),
        ("/a", "/", False),
        ("/a", "/b/a", False),
        ("/a/b", "/a", False),
        ("/a/b", "/a/b/c", True),
        ("/a/b", "/a/bc", False),
    ],
)
def test_an_entry_covers_its_path_and_what_lies_below_by_whole_segments(
    entry: str, path: str, want: bool
) -> None:
    assert path_covers(entry, path) is want


# -- vectors by others ---------------------------------------------------------------------------


def _agrees(vector: dict[str, Any]) -> bool:
    """Ask whether we read a vector as it says; one root dot is dropped by us by design."""
    got = parsed(vector["input"], vector.get("base"))
    if vector.get("failure"):
        return got is REFUSED
    return got is not REFUSED and (got.scheme, got.host, got.path, got.query) == (
        vector["protocol"].removesuffix(":"),
        without_root_dot(vector["hostname"]),
        vector["pathname"],
        vector["search"].removeprefix("?"),
    )


def test_our_own_url_vectors_agree() -> None:
    success = {
        "input": "x\\y?q", "base": "http://EXAMPLE.org.:80/a/b", "protocol": "http:",
        "hostname": "example.org.", "pathname": "/a/x/y", "search": "?q",
    }  # fmt: skip
    assert _agrees(success)
    assert _agrees({"input": "http://exa mple/", "base": None, "failure": True})
    assert not _agrees(success | {"hostname": "example.com"})
    assert not _agrees({"input": "http://example/", "base": None, "failure": True})


@pytest.mark.parametrize(
    ("name", "count", "failures"),
    [
        ("urltestdata.json", 891, 267),
        ("ada_extra_urltestdata.json", 28, 12),
        ("ada_long_urltestdata.json", 1, 0),
    ],
)
def test_every_url_vector_of_wpt_agrees(name: str, count: int, failures: int) -> None:
    vectors = json_vectors(f"cases/02-url/wpt-via-ada/{name}")
    assert [vector for vector in vectors if not _agrees(vector)] == []
    assert len(vectors) == count
    assert sum(bool(vector.get("failure")) for vector in vectors) == failures


def test_every_url_vector_of_rust_agrees_where_the_newer_standard_still_does() -> None:
    # Rust's copy is older: it still refuses ASCII labels that begin with xn-- and are no
    # punycode. The standard, and WPT's newer copy with it, has since let them stand.
    vectors = json_vectors("cases/02-url/rust-url/url/tests/urltestdata.json")
    newer = json_vectors("cases/02-url/wpt-via-ada/urltestdata.json")
    outdated = [vector for vector in vectors if not _agrees(vector)]
    assert len(vectors) == 869
    assert len(outdated) == 8
    for vector in outdated:
        assert "xn--" in vector["input"].lower()
        assert vector["failure"]
        assert [_agrees(other) for other in newer if other["input"] == vector["input"]] == [True]


@given(
    st.sampled_from(["http", "https", "ws", "wss"]),
    st.from_regex(r"[A-Za-z0-9.:-]{1,20}", fullmatch=True),
    st.text("aZ0_~!$&()*+,;=:@%./-2eE ?#'\\\"<é", max_size=20),
)
@example("http", "a.example:80", "b/%2E%2e/c")
@example("http", "a.example", ".hidden")
@example("http", "0x7f.1", "")
def test_a_url_that_is_plain_is_read_as_by_the_parser_of_the_standard(
    scheme: str, authority: str, rest: str
) -> None:
    """The short cut for most URLs gives what the whole parser gives, or leaves it to that."""
    text = f"{scheme}://{authority}/{rest}"

    def read(base: str | None) -> Url | None:
        # With a base, which an absolute URL does not need, the short cut is not taken.
        try:
            return parse_url(text, base)
        except BadAddressError:
            return None

    assert read(None) == read("https://base.example/")
