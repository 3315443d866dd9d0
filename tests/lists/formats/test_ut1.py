"""UT1's tarballs: a folder with domains, urls and expressions."""

import io
import tarfile

import pytest

from schoolgate.lists.formats import NoListError, read_tarball


def _tarball(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _entries(files: dict[str, bytes], cut: int = 1000) -> list[bytes]:
    packed = _tarball(files)
    pieces = [packed[start : start + cut] for start in range(0, len(packed), cut)]
    return [entry for batch in read_tarball(pieces) for entry in batch.entries]


def test_the_three_files_are_read_and_others_are_not() -> None:
    assert _entries(
        {
            "adult/README": b"not.example\n",
            "adult/domains": b"one.example\n192.0.2.7\n",
            "adult/urls": b"two.example/a\n",
            "adult/expressions": rb"(^|\.)three\.example$" + b"\n(word)\n",
            "adult/usage": b"black\n",
        }
    ) == [b"one.example", b"192.0.2.7", b"two.example/a", b"three.example"]


def test_a_tarball_without_a_list_is_refused() -> None:
    with pytest.raises(NoListError, match="holds no list"):
        _entries({"adult/README": b"nothing"})


@pytest.mark.parametrize("text", [b"one.example\n" * 100, b"<html></html>" * 100])
def test_what_is_no_tarball_is_refused(text: bytes) -> None:
    with pytest.raises(NoListError, match="no tarball"):
        list(read_tarball([text]))


def test_a_tarball_of_too_many_files_is_refused() -> None:
    with pytest.raises(NoListError, match="more than 200 files"):
        _entries({f"{number}/domains": b"one.example\n" for number in range(250)})
