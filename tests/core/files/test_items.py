"""A file is told by its beginning; what is harmless is not kept, nor looked at any more."""

import pytest

from schoolgate.core.files.finding import Kind, Limits
from schoolgate.core.files.items import HEAD_BYTES, Item
from schoolgate.core.files.walk import Found, Walk
from tests.core.files.samples import ELF, HARMLESS


def _item(name: str = "") -> Item:
    return Item(Walk(Limits()), name)


def test_words_are_told_by_their_beginning() -> None:
    item = _item("a.txt")
    item.feed(HARMLESS * 3)
    assert (item.is_told, item.is_text, item.done) == (True, True, True)
    assert len(item.head) <= HEAD_BYTES


def test_unknown_bytes_are_watched_as_far_as_a_file_system_may_begin() -> None:
    item = _item()
    item.feed(bytes(HEAD_BYTES))
    assert (item.is_told, item.done) == (True, False)
    item.feed(bytes(40_000))
    assert item.done
    assert len(item.head) <= HEAD_BYTES


def test_a_member_knows_what_it_is_in() -> None:
    member = _item("outer.zip").open("inner")
    member.feed(ELF)
    with pytest.raises(Found) as caught:
        member.end()
    assert caught.value.finding.kind is Kind.SOFTWARE
    assert caught.value.finding.name_inside == "inner"


@pytest.mark.parametrize(("name", "want"), [("a.snap", "snap"), ("a.sfs", "squashfs")])
def test_a_name_tells_apart_what_begins_alike(name: str, want: str) -> None:
    item = _item(name)
    item.feed(b"hsqs" + bytes(90))
    with pytest.raises(Found) as caught:
        item.end()
    assert caught.value.finding.format == want
