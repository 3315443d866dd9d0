"""What somebody else than root could have written is not believed."""

import os
import re
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists.guarded import check_directory, read_guarded

ME = os.getuid()


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_a_directory_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "locked"
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(ConfigurationError, match="can be written by others than root"):
        check_directory(place, ME)
    place.chmod(0o750)
    check_directory(place, ME)


def test_so_is_one_in_whose_place_others_may_put_another(tmp_path: Path) -> None:
    place = tmp_path / "around" / "locked"
    place.mkdir(parents=True)
    place.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match=re.escape(f"{place.parent}: can be written")):
        check_directory(place, ME)
    # As /tmp is: nobody moves there what is another's.
    place.parent.chmod(0o1777)
    check_directory(place, ME)


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "locked").symlink_to(tmp_path / "open")
    with pytest.raises(ConfigurationError, match="can be written by others"):
        check_directory(tmp_path / "locked", ME)


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is not a directory"):
        check_directory(tmp_path / "file", ME)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check_directory(tmp_path / "gone", ME)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "locked" / "list.txt"
    file.parent.mkdir()
    file.write_text("bad.example")
    os.chown(file, 65534, 65534)
    with pytest.raises(ConfigurationError, match="belongs to somebody else than root"):
        read_guarded(file, 100)
    os.chown(file.parent, 65534, 65534)
    with pytest.raises(ConfigurationError, match="belongs to somebody else than root"):
        check_directory(file.parent)


def test_a_file_is_read_with_its_time(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("bad.example")
    os.utime(file, (5, 5))
    assert read_guarded(file, 100, ME) == (b"bad.example", 5.0)
    with pytest.raises(ConfigurationError, match="is larger than 10 bytes"):
        read_guarded(file, 10, ME)


def test_a_link_a_pipe_and_a_file_that_others_may_write_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("bad.example")
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("link", "cannot be read"),
        ("pipe", "is not a file"),
        (".", "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            read_guarded(tmp_path / name, 100, ME)
    file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="can be written by others"):
        read_guarded(file, 100, ME)
