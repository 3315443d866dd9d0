"""Files of the tunnel."""

from pathlib import Path

import pytest

from schoolgate.wireguard.files import make_directory, write_whole


@pytest.mark.parametrize("is_lasting", [True, False])
def test_a_file_is_whole_and_its_users_alone(tmp_path: Path, is_lasting: bool) -> None:
    directory = tmp_path / "one" / "two"
    make_directory(directory)
    make_directory(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    for content in (b"one", b"another"):
        write_whole(directory / "file", content, is_lasting=is_lasting)
        assert (directory / "file").read_bytes() == content
    assert (directory / "file").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in directory.iterdir()] == ["file"]
