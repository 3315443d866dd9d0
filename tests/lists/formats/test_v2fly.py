"""v2fly's lists: kinds of lines, attributes, and files that include others."""

import pytest

from schoolgate.lists.formats import NoListError, included, read_v2fly

_FILES = {
    "category": b"# all\ninclude:one\ninclude:two @ads\ninclude:three @-ads\nown.example\n",
    "one": b"domain:one.example\nfull:www.one.example @ads # remark\nkeyword:one\nregexp:^one$\n",
    "two": b"two.example\nads.two.example @ads @cn\n",
    "three": b"three.example &other\nads.three.example @ads\n",
    "round": b"include:back\n",
    "back": b"include:round\n",
}


def _read(name: str, attribute: str = "") -> set[bytes]:
    return {e for batch in read_v2fly(name, _FILES.__getitem__, attribute) for e in batch.entries}


@pytest.mark.parametrize(
    ("name", "attribute", "want"),
    [
        ("one", "", {b"one.example", b"=www.one.example"}),
        ("one", "ads", {b"=www.one.example"}),
        ("two", "ads", {b"ads.two.example"}),
        ("two", "-ads", {b"two.example"}),
        (
            "category",
            "",
            {
                b"own.example",
                b"one.example",
                b"=www.one.example",
                b"ads.two.example",
                b"three.example",
            },
        ),
    ],
)
def test_a_file_says_with_all_that_it_includes(name: str, attribute: str, want: set[bytes]) -> None:
    assert _read(name, attribute) == want


def test_what_a_file_includes_is_known_before_it_is_read() -> None:
    assert included(_FILES["category"]) == ["one", "two", "three"]


def test_a_file_that_includes_itself_is_refused() -> None:
    with pytest.raises(NoListError, match="includes itself by 'round'"):
        _read("round")


@pytest.mark.parametrize("line", [b"other:example.com", b"a b c", b"domain:com", b"full:x"])
def test_a_line_of_no_kind_is_named(line: bytes) -> None:
    files = {"one": b"good.example\n" + line + b"\n"}
    faults = [f for batch in read_v2fly("one", files.__getitem__) for f in batch.faults]
    assert [fault.line for fault in faults] == [2]
