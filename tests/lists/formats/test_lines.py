"""Lists of lines: blocks at once, the rest line by line; what is no list is refused with a sentence."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats import LINE_FORMATS, PLAIN, NoListError
from schoolgate.lists.formats.lines import blocks, refuse_what_is_no_text, shown, site, united
from tests.lists.formats.reading import faults, read_all

_HOST = st.from_regex(r"\A[a-z0-9_]{1,8}(\.[a-z0-9-]{1,8}){0,2}\.[a-z]{2,5}\Z")


def _cut(text: bytes, sizes: Iterable[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(text[start : start + size])
        start += size
    return [*pieces, text[start:]]


def _one_by_one(text: bytes) -> set[bytes]:
    """The naive twin of a list of hosts: each line by itself."""
    found = set()
    for line in text.decode("utf-8", "replace").splitlines():
        written = line.partition("#")[0].strip().removeprefix("*.")
        try:
            if written and not line.startswith(("!", ";")):
                found.add(site(written.lower()).encode())
        except BadAddressError:
            continue
    return found


@given(st.lists(st.one_of(_HOST, st.sampled_from(["", "# said", "no host", "WWW.Example.COM"]))))
def test_a_block_says_what_its_lines_say_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    assert set(read_all(PLAIN, text)) == _one_by_one(text)


@given(st.lists(_HOST, max_size=40), st.lists(st.integers(1, 9), max_size=60))
def test_it_does_not_matter_where_the_bytes_are_cut(hosts: list[str], sizes: list[int]) -> None:
    text = "\n".join(hosts).encode()
    assert b"".join(blocks(_cut(text, sizes), 16)) == text
    assert all(block.endswith(b"\n") for block in list(blocks(_cut(text, sizes), 16))[:-1])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"localhost", "bare label"),
        (b"com", "bare label"),
        (b"10.0.0.0/8", "range of addresses"),
        (b"192.0.2.1 - 192.0.2.200", "range of addresses"),
        (b"2001:db8::/32", "range of addresses"),
        (b"a" * 300 + b".example.com", "is too long"),
        (b"a" * 64 + b".example.com", "is too long"),
        (b".".join([b"a" * 60] * 5) + b".example.com", "is too long"),
        (b"exa\x00mple.com", "not a host name"),
        (b"a host.example.com", "not a host name"),
        (b"\xff\xfe.example.com", "is not UTF-8"),
        (b"example.com/?id=3", "question"),
        (b"*.*.example.com", "wildcard"),
    ],
)
def test_a_line_that_is_no_entry_is_named_with_its_number(line: bytes, said: str) -> None:
    found = faults(PLAIN, b"one.example\n# two\n" + line + b"\nfour.example\n")
    assert [fault.line for fault in found] == [3]
    assert said.split(maxsplit=1)[0] in found[0].message or said in found[0].message
    assert set(read_all(PLAIN, b"one.example\n" + line + b"\nfour.example\n")) == {
        b"one.example",
        b"four.example",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "a web page"),
        (b"\n  <html lang=en>", "a web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error/>", "a web page"),
        (bytes(range(256)) * 40, "binary"),
        (b"\0" * 5000, "binary"),
    ],
)
@pytest.mark.parametrize("name", sorted(LINE_FORMATS))
def test_what_is_no_text_is_refused(name: str, text: bytes, said: str) -> None:
    with pytest.raises(NoListError, match=said):
        list(LINE_FORMATS[name].parse([text]))


def test_a_line_without_an_end_is_refused_before_it_is_gathered() -> None:
    def without_end() -> Iterable[bytes]:
        for _ in range(1 << 20):
            yield b"a" * 65536

    with pytest.raises(NoListError, match="a line of more than 64 KB"):
        list(PLAIN.parse(without_end()))


def test_a_stray_control_character_makes_no_list_binary() -> None:
    refuse_what_is_no_text(b"example.com\x00\n" + b"other.example\n" * 1000)


def test_a_host_alone_and_what_is_below_it_are_the_site() -> None:
    assert united({b"=a.example", b"*.a.example", b"=b.example", b"*.c.example", b"d.example"}) == {
        b"a.example",
        b"=b.example",
        b"*.c.example",
        b"d.example",
    }


@pytest.mark.parametrize(
    ("line", "want"),
    [(b"plain", "plain"), (b"a\x00b\x1b[2J", "a\\x00b\\x1b[2J"), (b"\xff", "\\xff")],
)
def test_what_stands_there_is_shown_without_what_a_terminal_would_obey(
    line: bytes, want: str
) -> None:
    assert shown(line) == want


def test_a_long_line_is_cut_where_it_is_shown() -> None:
    assert len(shown(b"x" * 5000)) == 101
