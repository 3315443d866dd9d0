"""Registers of hosts that are guarded: universities and the most visited."""

import io
import json
import zipfile

import pytest

from schoolgate.lists.formats import NoListError, read_ranks, read_universities


def test_universities_give_their_domains() -> None:
    text = json.dumps(
        [{"name": "One", "domains": ["one.example", "two.example"]}, {"domains": ["no host"]}]
    )
    (batch,) = read_universities(text.encode())
    assert batch.entries == [b"one.example", b"two.example"]
    assert [fault.line for fault in batch.faults] == [3]


@pytest.mark.parametrize("text", [b"<html>", b"{}[", b'[{"name": "One"}]', b"3"])
def test_something_else_is_no_register(text: bytes) -> None:
    with pytest.raises(NoListError):
        list(read_universities(text))


def test_ranks_give_the_first_hosts() -> None:
    text = b"1,one.example\n2,two.example\n3,three.example\n"
    assert [e for b in read_ranks(text, 2) for e in b.entries] == [b"one.example", b"two.example"]


def test_ranks_may_be_zipped() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("top.csv", "1,one.example\n")
    assert [e for b in read_ranks(packed.getvalue(), 5) for e in b.entries] == [b"one.example"]


@pytest.mark.parametrize("text", [b"PK nothing", b"PK\x03\x04"])
def test_a_damaged_archive_is_refused(text: bytes) -> None:
    with pytest.raises(NoListError, match="damaged"):
        list(read_ranks(text, 5))
