"""Text comes out whatever the charset, and whatever is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.content.charset import WINDOW_BYTES, Decoder, chosen

META = b'<html><head><meta charset="%s"></head>'
POLISH = "zażółć gęślą jaźń – kasyno"


@pytest.mark.parametrize(
    ("beginning", "claimed", "want"),
    [
        (b"\xef\xbb\xbfplain", "windows-1252", "utf-8"),
        (b"\xff\xfe<\x00", None, "utf-16-le"),
        (b"\xfe\xff\x00<", None, "utf-16-be"),
        ("<html>ł".encode("utf-16-le"), "utf-8", "utf-16-le"),
        ("<html>ł".encode("utf-16-be"), None, "utf-16-be"),
        ("zażółć".encode(), "iso-8859-2", "utf-8"),
        ("zażółć".encode("cp1250"), "windows-1250", "cp1250"),
        ("zażółć".encode("cp1250"), "utf-8", "cp1252"),
        (META % b"windows-1250" + "zażółć".encode("cp1250"), "utf-8", "cp1250"),
        (META % b"utf-16" + b"\xe9", None, "cp1252"),
        (b"caf\xe9", "latin1", "cp1252"),
        (b"caf\xe9", "no-such-charset", "cp1252"),
        (b"plain so far", "windows-1250", "cp1250"),
        (b"plain so far", None, "utf-8"),
        (b"plain so far", "hz-gb-2312", "utf-8"),
        (b"plain so far", "x-user-defined", "utf-8"),
        (b"", None, "utf-8"),
    ],
)
def test_what_the_bytes_show_goes_before_what_is_said_of_them(
    beginning: bytes, claimed: str | None, want: str
) -> None:
    assert chosen(beginning, claimed)[0] == want


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-2", "windows-1250"])
def test_a_text_is_read_in_its_charset(charset: str) -> None:
    text = "zażółć gęślą jaźń"
    decoder = Decoder(charset)
    assert decoder.feed(text.encode(charset)) + decoder.close() == text


@given(
    data=st.binary(max_size=3 * WINDOW_BYTES),
    cut=st.integers(1, 5000),
    claimed=st.sampled_from([None, "utf-8", "big5", "utf-16"]),
)
def test_any_bytes_in_any_chunks_give_one_text(data: bytes, cut: int, claimed: str | None) -> None:
    whole, parts = Decoder(claimed), Decoder(claimed)
    at_once = whole.feed(data) + whole.close()
    pieces = [parts.feed(data[i : i + cut]) for i in range(0, len(data), cut)]
    assert "".join(pieces) + parts.close() == at_once


@given(
    parts=st.lists(
        st.sampled_from(
            [
                b"\x1b",
                b"\x1b$",
                b"\x1b$B",
                b"\x1b(B",
                b"\x1b(",
                b"$<meta name",
                b"\x24\x22",
                b"\n",
                b"\x0e",
            ]
        )
    ),
    cut=st.integers(1, 20),
)
def test_broken_escapes_of_iso_2022_jp_give_one_text_in_any_chunks(
    parts: list[bytes], cut: int
) -> None:
    """Python's own decoder raises on some of them."""
    decoder, data, text = Decoder("iso-2022-jp"), b"".join(parts), b"casino " * WINDOW_BYTES
    at_once = Decoder("iso-2022-jp")
    begun = decoder.feed(text)
    pieces = [decoder.feed(data[i : i + cut]) for i in range(0, len(data), cut)]
    assert begun + "".join(pieces) + decoder.close() == at_once.feed(text + data) + at_once.close()


@pytest.mark.parametrize(
    "body",
    [
        b"cas\0i\0\0no " + b"\0" * 5000,
        b"casino ".decode().encode("utf-16-le"),
        b"casino ".decode().encode("utf-16-be"),
    ],
)
def test_zeros_hide_no_word(body: bytes) -> None:
    decoder = Decoder("utf-8")
    assert decoder.feed(body) + decoder.close() == "casino "
