"""A file of many is written whole, and of what somebody else wrote nothing is believed."""

import errno
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.services.archive import MANIFEST, unpack, write_archive

FACTS = {"version": "1", "schema": "0006"}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A file as it should be."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"x" * 100_000)
    two.write_bytes(b"")
    two.chmod(0o600)
    file = tmp_path / "whole.tar.gz"
    write_archive(file, [("a/one", one), ("b", two), ("gone", tmp_path / "gone")], FACTS)
    return file


def test_what_is_written_is_read_again(whole: Path, tmp_path: Path) -> None:
    directory = tmp_path / "unpacked"
    directory.mkdir()
    manifest = unpack(whole, directory)
    assert manifest.facts == FACTS
    assert set(manifest.sums) == {"a/one", "b"}
    assert (directory / "a/one").read_bytes() == b"x" * 100_000
    assert (directory / "b").stat().st_mode & 0o777 == 0o600
    assert whole.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "one", "two", "unpacked", "whole.tar.gz",
    ]  # fmt: skip


def test_no_file_is_written_over(whole: Path) -> None:
    before = whole.read_bytes()
    with pytest.raises(RefusedError, match="is there already"):
        write_archive(whole, [], FACTS)
    assert whole.read_bytes() == before


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_it_is_written_where_there_are_no_links(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def failing(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", failing)
    write_archive(tmp_path / "stick.tar.gz", [("one", tmp_path / "one")], FACTS)
    (tmp_path / "unpacked").mkdir()
    assert set(unpack(tmp_path / "stick.tar.gz", tmp_path / "unpacked").sums) == {"one"}
    assert not list(tmp_path.glob(".stick*"))


def test_one_member_is_unpacked_and_all_are_looked_at(whole: Path, tmp_path: Path) -> None:
    directory = tmp_path / "unpacked"
    directory.mkdir()
    assert set(unpack(whole, directory, only="b").sums) == {"a/one", "b"}
    assert {path.name for path in directory.iterdir()} == {"b", MANIFEST}


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be written"):
        write_archive(tmp_path / "no" / "file", [], FACTS)
    assert list(tmp_path.iterdir()) == []


def packed(file: Path, *members: tuple[str, bytes], told: Any = None, **more: Any) -> None:
    """Write a file as somebody else might."""
    with tarfile.open(file, "w:gz") as archive:
        for name, content in members:
            one = tarfile.TarInfo(name)
            one.size = len(content)
            for key, value in more.items():
                setattr(one, key, value)
            if one.type != tarfile.REGTYPE:
                one.size = 0
            archive.addfile(one, io.BytesIO(content))
        if told is not None:
            text = json.dumps(told).encode()
            last = tarfile.TarInfo(MANIFEST)
            last.size = len(text)
            archive.addfile(last, io.BytesIO(text))


def manifest(**changes: Any) -> dict[str, Any]:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    usual = {"kind": "schoolgate back-up", "format": 1, "facts": FACTS, "sums": {"a": empty}}
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("make", "want"),
    [
        (lambda f: f.write_bytes(b""), "damaged"),
        (lambda f: f.write_bytes(b"PK\x03\x04 no tar at all"), "damaged"),
        (packed, "no manifest"),
        (lambda f: packed(f, ("a", b"")), "no manifest"),
        (lambda f: packed(f, ("a", b""), told={"kind": "other"}), "something else"),
        (lambda f: packed(f, ("a", b""), told=[]), "damaged"),
        (lambda f: packed(f, ("a", b""), told=manifest(format=2)), "newer schoolgate"),
        (lambda f: packed(f, ("a", b"changed"), told=manifest()), "a is not as it was written"),
        (lambda f: packed(f, told=manifest()), "a is not as it was written"),
        (lambda f: packed(f, ("a", b""), ("more", b""), told=manifest()), "more is not as it was"),
        (lambda f: packed(f, ("a", b""), ("a", b""), told=manifest()), "no file of ours"),
        (lambda f: packed(f, ("../a", b""), told=manifest()), "no file of ours"),
        (lambda f: packed(f, ("b/../../a", b""), told=manifest()), "no file of ours"),
        (lambda f: packed(f, ("/etc/a", b""), told=manifest()), "no file of ours"),
        (lambda f: packed(f, ("./a", b""), told=manifest()), "no file of ours"),
        (
            lambda f: packed(f, ("a", b""), type=tarfile.SYMTYPE, linkname="/etc", told=manifest()),
            "no file of ours",
        ),
        (
            lambda f: packed(f, ("a", b""), type=tarfile.LNKTYPE, linkname="../x", told=manifest()),
            "no file of ours",
        ),
        (lambda f: packed(f, ("a", b""), type=tarfile.FIFOTYPE, told=manifest()), "no file of"),
        (lambda f: packed(f, ("a", b""), type=tarfile.CHRTYPE, told=manifest()), "no file of"),
        (lambda f: packed(f, ("a", b""), type=tarfile.DIRTYPE, told=manifest()), "no file of"),
    ],
)
def test_what_is_no_backup_of_ours_is_refused_and_nothing_is_written_elsewhere(
    tmp_path: Path, make: Callable[[Path], None], want: str
) -> None:
    file, directory = tmp_path / "in" / "file", tmp_path / "in" / "unpacked"
    directory.mkdir(parents=True)
    make(file)
    with pytest.raises(RefusedError, match=want):
        unpack(file, directory)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert {path.name for path in (tmp_path / "in").iterdir()} == {"file", "unpacked"}


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_one_is_refused(whole: Path, tmp_path: Path, part: float, cut: bool) -> None:
    data = bytearray(whole.read_bytes())
    place = int(len(data) * part)
    if cut:
        del data[place:]
    else:
        data[place] ^= 0xFF
    whole.write_bytes(data)
    directory = tmp_path / "unpacked"
    directory.mkdir()
    with pytest.raises(RefusedError, match="damaged"):
        unpack(whole, directory)
