"""Lease files on disk: changed while read, moved about, cut, huge or gone."""

import os
from pathlib import Path

import pytest

from schoolgate.core.people import LeaseKind, LeaseSource
from schoolgate.identity import lease_files
from schoolgate.identity.lease_files import LeaseFile
from tests.identity.test_leases import AT, KEA4_HEAD, LATER, MAC, kea4, lines


def dnsmasq(*hosts: int) -> str:
    return lines(*(f"{LATER} {MAC} 10.0.0.{host} * *" for host in hosts))


def addresses(file: LeaseFile) -> list[str]:
    return [lease.address for lease in file.leases]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases"


@pytest.fixture
def file(path: Path) -> LeaseFile:
    return LeaseFile(LeaseSource(LeaseKind.DNSMASQ, path))


@pytest.fixture
def kea(path: Path) -> LeaseFile:
    return LeaseFile(LeaseSource(LeaseKind.KEA4, path))


def looked(file: LeaseFile, times: int = 2) -> bool:
    return [file.look(AT) for _ in range(times)].count(True) > 0


def test_dnsmasqs_file_is_read_once_it_holds_still(file: LeaseFile, path: Path) -> None:
    path.write_text(dnsmasq(7))
    assert not file.look(AT)
    assert not file.settled
    assert file.look(AT)
    assert (addresses(file), file.settled, file.fault) == (["10.0.0.7"], True, "")
    assert not looked(file)
    path.write_text("")  # emptied, to be written anew
    assert not file.look(AT)
    path.write_text(dnsmasq(7, 8))
    assert not file.look(AT)
    assert file.look(AT)
    assert addresses(file) == ["10.0.0.7", "10.0.0.8"]


def test_one_that_never_holds_still_is_a_fault_and_keeps_what_is_known(
    file: LeaseFile, path: Path
) -> None:
    path.write_text(dnsmasq(7))
    looked(file)
    for n in range(30):
        path.write_text(dnsmasq(*range(2, 3 + n)))
        assert not file.look(AT)
    assert addresses(file) == ["10.0.0.7"]
    assert "changes without a rest" in file.fault
    assert file.look(AT)
    assert file.fault == ""


def test_a_file_that_is_missing_at_first_or_later_is_a_fault(file: LeaseFile, path: Path) -> None:
    assert not looked(file)
    assert "cannot be read: No such file or directory" in file.fault
    path.write_text(dnsmasq(7))
    assert looked(file)
    assert file.fault == ""
    path.unlink()
    assert not looked(file)
    assert (addresses(file), bool(file.fault)) == (["10.0.0.7"], True)
    path.write_text(dnsmasq(8))
    assert looked(file)
    assert addresses(file) == ["10.0.0.8"]


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (b"<html><body>Moved</body></html>\n", "is no file of dnsmasq leases"),
        (os.urandom(4096) + b"\n", "is no file of dnsmasq leases"),
        (b"x" * 2000, "is larger than 1000 bytes"),
    ],
)
def test_garbage_and_floods_are_faults_and_keep_what_is_known(
    file: LeaseFile, path: Path, content: bytes, want: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(dnsmasq(7))
    looked(file)
    if len(content) == 2000:
        monkeypatch.setattr(lease_files, "MAX_BYTES", 1000)
    path.write_bytes(content)
    assert not looked(file)
    assert want in file.fault
    assert addresses(file) == ["10.0.0.7"]


def test_a_line_that_cannot_be_read_is_told_and_the_others_count(
    file: LeaseFile, path: Path
) -> None:
    path.write_text(dnsmasq(7) + "what\n" + dnsmasq(8))
    assert looked(file)
    assert addresses(file) == ["10.0.0.7", "10.0.0.8"]
    assert "has 1 lines that cannot be read (line 2: has 1 words" in file.fault


def test_a_pipe_or_a_directory_is_not_waited_for(file: LeaseFile, path: Path) -> None:
    os.mkfifo(path)
    assert not looked(file)
    assert "is no regular file" in file.fault
    path.unlink()
    path.mkdir()
    assert not looked(file)
    assert file.fault


# -- Kea ------------------------------------------------------------------------------------------


def test_kea_appends_and_a_half_written_line_waits(kea: LeaseFile, path: Path) -> None:
    path.write_text(lines(KEA4_HEAD, kea4("10.0.0.7")))
    assert kea.look(AT)
    with path.open("a") as stream:
        stream.write(kea4("10.0.0.8"))
    assert not kea.look(AT)
    with path.open("a") as stream:
        stream.write("\n" + kea4("10.0.0.7", life=0) + "\n")
    assert kea.look(AT)
    assert addresses(kea) == ["10.0.0.8"]


def test_nothing_is_lost_through_the_steps_of_keas_clean_up(kea: LeaseFile, path: Path) -> None:
    """The files at each step of the memfile's LFC, as its server would read them at a start."""

    def other(suffix: str) -> Path:
        return path.with_name(path.name + suffix)

    def seen() -> list[str]:
        kea.look(AT)
        return sorted(addresses(kea))

    path.write_text(lines(KEA4_HEAD, kea4("10.0.0.6"), kea4("10.0.0.6"), kea4("10.0.0.7")))
    assert seen() == ["10.0.0.6", "10.0.0.7"]
    path.rename(other(".1"))  # the moment without the file
    assert seen() == ["10.0.0.6", "10.0.0.7"]
    assert kea.fault
    path.write_text(lines(KEA4_HEAD, kea4("10.0.0.8"), kea4("10.0.0.6", life=0)))
    assert seen() == ["10.0.0.7", "10.0.0.8"]
    other(".output").write_text(lines(KEA4_HEAD, kea4("10.0.0.6")))  # not yet whole
    assert seen() == ["10.0.0.7", "10.0.0.8"]
    other(".output").write_text(lines(KEA4_HEAD, kea4("10.0.0.6"), kea4("10.0.0.7")))
    other(".output").rename(other(".completed"))
    assert seen() == ["10.0.0.7", "10.0.0.8"]
    other(".1").unlink()
    assert seen() == ["10.0.0.7", "10.0.0.8"]
    other(".completed").rename(other(".2"))
    assert seen() == ["10.0.0.7", "10.0.0.8"]
    # and the next time, over what was cleaned up before
    path.rename(other(".1"))
    path.write_text(lines(KEA4_HEAD, kea4("10.0.0.9")))
    assert seen() == ["10.0.0.7", "10.0.0.8", "10.0.0.9"]
    assert kea.fault == ""


def test_files_that_move_between_being_found_and_read_are_read_again(
    kea: LeaseFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(lines(KEA4_HEAD, kea4("10.0.0.7")))
    real = lease_files._read

    def moving(file: Path) -> bytes:
        content = real(file)
        if not path.with_name("leases.1").exists():
            path.rename(path.with_name("leases.1"))
            path.write_text(lines(KEA4_HEAD, kea4("10.0.0.8")))
        return content

    monkeypatch.setattr(lease_files, "_read", moving)
    assert not kea.look(AT)
    assert not kea.settled
    assert kea.look(AT)
    assert addresses(kea) == ["10.0.0.7", "10.0.0.8"]
