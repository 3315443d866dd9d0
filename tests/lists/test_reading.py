"""Copies are read by their format; what is no list is refused."""

import gzip
from pathlib import Path

import pytest

from schoolgate.lists.feeds_file import FeedList, Format
from schoolgate.lists.formats import NoListError
from schoolgate.lists.reading import pack_files, read_copy, unpack_files
from tests.publisher import tarball


def _list(form: Format, address: str = "https://one.example/bets") -> FeedList:
    return FeedList("one", "bets", address, form, "gambling", 1, 100, on=True)


@pytest.mark.parametrize(
    ("form", "content", "want"),
    [
        ("plain", b"a.example\na.example\n", {b"a.example"}),
        ("plain", gzip.compress(b"a.example\n", mtime=0), {b"a.example"}),
        ("hosts", b"0.0.0.0 a.example\n", {b"a.example"}),
        ("dnsmasq", b"address=/a.example/\n", {b"a.example"}),
        ("rpz", b"a.example CNAME .\n*.a.example CNAME .\n", {b"a.example"}),
        ("rpz", b"a.example CNAME .\na.example CNAME rpz-passthru.\nb.example CNAME .\n", {b"=b.example"}),
        ("adblock", b"||a.example^\n||b.example^\n@@||b.example^\n", {b"a.example"}),
        ("ut1", tarball("x", domains=b"a.example\n", urls=b"b.example/c\n"), {b"a.example", b"b.example/c"}),
        ("ranks", b"1,a.example\n", {b"a.example"}),
        ("universities", b'[{"domains": ["a.example"]}]', {b"a.example"}),
    ],
)  # fmt: skip
def test_a_copy_says(tmp_path: Path, form: Format, content: bytes, want: set[bytes]) -> None:
    path = tmp_path / "copy"
    path.write_bytes(content)
    assert read_copy(_list(form), path).entries == want


@pytest.mark.parametrize(
    ("form", "content", "why"),
    [
        ("plain", b"one\ntwo\nthree.example\n", "2 of its lines are no host, 1 are"),
        ("plain", gzip.compress(bytes(90_000_000), mtime=0), "more than 64 KB"),
        ("ut1", b"<!DOCTYPE html><html>", "web page"),
        ("ut1", b"a.example\n", "no tarball"),
        ("v2fly", b"no archive", "did not come"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, form: Format, content: bytes, why: str) -> None:
    path = tmp_path / "copy"
    path.write_bytes(content)
    with pytest.raises(NoListError, match=why):
        read_copy(_list(form), path)


def test_files_that_belong_together_are_one_copy(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    pack_files(path, [("bets", b"include:more\na.example\n"), ("more", b"b.example\n")])
    assert unpack_files(path) == {"bets": b"include:more\na.example\n", "more": b"b.example\n"}
    listed = _list("v2fly", "https://one.example/data/bets")
    assert read_copy(listed, path).entries == {b"a.example", b"b.example"}


def test_lines_that_are_no_entries_are_counted_and_the_first_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(b"".join(b"h%d.example\nx y\n" % n for n in range(1500)))
    found = read_copy(_list("plain"), path)
    assert (found.fault_count, len(found.faults)) == (1500, 1000)
