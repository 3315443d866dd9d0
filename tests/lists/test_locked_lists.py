"""Locked lists are read whole or not at all, and the last good state of each stays."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.locked import LockedLists
from schoolgate.core.urls import parse_web_url
from schoolgate.lists import LockedPlace, faults_of, read_locked_lists
from tests.lists.locked import locked_place, put, put_list

NOW = datetime.now(UTC)


def read(place: LockedPlace, before: LockedLists | None = None) -> LockedLists:
    return read_locked_lists(place, NOW, before)


def names(lists: LockedLists, url: str) -> str | None:
    """Give the list that has an address."""
    hit = lists.at(parse_web_url(url))
    return hit.by.name if hit else None


def test_a_directory_that_is_not_there_holds_no_list(tmp_path: Path) -> None:
    lists = read(LockedPlace(tmp_path / "gone"))
    assert (lists.lists, dict(lists.refused)) == ((), {})


def test_a_list_in_the_clear(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    text = "# a remark\n\nhttp://bad.example/a\r\nwhole.example\n"
    file = put_list(
        place.directory, "\ufeff" + text, title="Example", version="7", date="2026-11-20T06:00:00Z"
    )
    lists = read(place)
    (one,) = lists.lists
    assert (one.title, one.by.name, one.by.version, len(one.entries)) == ("Example", "iwf", "7", 2)
    assert one.by.date == datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    assert one.by.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (
        names(lists, "https://www.whole.example/")
        == names(lists, "https://bad.example/a/b")
        == "iwf"
    )
    assert names(lists, "https://bad.example/") is None


def test_without_version_and_date_the_file_says_them(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    file = put_list(place.directory, "bad.example\n", version='""')
    (one,) = read(place).lists
    assert one.by.version == one.by.digest[:12]
    assert one.by.date.timestamp() == pytest.approx(file.stat().st_mtime)


@pytest.mark.parametrize("encoding", ["hex", "HEX", "base64", "base64url", "base64 unpadded"])
@pytest.mark.parametrize("size", [8, 32])
def test_a_list_of_hashes(tmp_path: Path, encoding: str, size: int) -> None:
    place = locked_place(tmp_path)
    digest = hashlib.sha256(b"bad.example/a").digest()[:size]
    line = {
        "hex": digest.hex(),
        "HEX": digest.hex().upper(),
        "base64": base64.b64encode(digest).decode(),
        "base64url": base64.urlsafe_b64encode(digest).decode(),
        "base64 unpadded": base64.b64encode(digest).decode().rstrip("="),
    }[encoding]
    named = encoding.lower()[: 3 if encoding.lower() == "hex" else 6]
    put_list(place.directory, f"{line}\n", hashed=f"{{encoding: {named}, bytes: {size}}}")
    lists = read(place)
    assert names(lists, "https://bad.example/a/b") == "iwf"
    assert lists.reads_everywhere


def test_the_hosts_of_a_list_of_hashes_stand_beside_it(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    put(place.directory / "iwf-hosts.txt", hashlib.sha256(b"bad.example").hexdigest())
    put_list(
        place.directory,
        hashlib.sha256(b"bad.example/a").hexdigest(),
        hashed="{hosts: iwf-hosts.txt}",
    )
    lists = read(place)
    assert not lists.reads_everywhere
    assert lists.with_part_of("bad.example")
    assert not lists.with_part_of("good.example")
    put(place.directory / "iwf-hosts.txt", "slip\nslip\n")
    assert "is no list" in read(place, lists).refused["iwf"]


FAULTS = {
    "empty": ("", {}, "holds nothing"),
    "an error page": ("<html>\n<body> not <b>here</b>\n</html>\n", {}, "is no list: 3 of its 3"),
    "half of it junk": ("bad.example\n\x00\x01\n", {}, "is no list: 1 of its 2"),
    "no UTF-8": (b"\xff\xfe\n", {}, "is no list"),
    "another file than the manifest's": (
        "bad.example",
        {"sha256": '"' + "0" * 64 + '"'},
        "SHA-256",
    ),
    "a slip in the manifest": ("bad.example", {"verson": 1}, "unknown key 'verson'"),
    "a file elsewhere": ("bad.example", {"file": "../other"}, "'file'"),
    "a date to come": ("bad.example", {"date": "2999-01-01T00:00:00Z"}, "lies in the future"),
    "a date without a zone": ("bad.example", {"date": "2026-01-01T00:00:00"}, "'date'"),
    "an unknown algorithm": ("00" * 32, {"hashed": "{algorithm: crc32}"}, "hashed.algorithm"),
    "a short hash": ("00" * 4, {"hashed": "{bytes: 4}"}, "hashed.bytes"),
    "a long hash": ("00" * 4, {"hashed": "{algorithm: md5, bytes: 20}"}, "md5 has 16 bytes"),
    "hashes of another size": ("00" * 20, {"hashed": "{}"}, "is no list"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_list_with_a_fault_is_not_taken_and_its_last_good_state_stays(
    tmp_path: Path, kind: str
) -> None:
    text, keys, why = FAULTS[kind]
    place = locked_place(tmp_path)
    put_list(place.directory, "police.example\n", "police")
    put_list(place.directory, text, **keys)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as refused:
        read(place)
    assert why in str(refused.value)

    put_list(place.directory, "good.example\nlast.example\n")
    before = read(place)
    put_list(place.directory, text, **keys)  # type: ignore[arg-type]
    put_list(place.directory, "newer.example\n", "police")
    after = read(place, before)
    assert names(after, "https://last.example/") == "iwf"
    # What is wrong with one keeps no other back.
    assert names(after, "https://newer.example/") == "police"
    assert names(after, "https://police.example/") is None
    assert why in after.fault("iwf", NOW)
    (said,) = faults_of(after)
    assert said.startswith(
        "The locked list iwf is not taken as it is now; its last good state stays."
    )

    put_list(place.directory, "newest.example\n")
    mended = read(place, after)
    assert (mended.fault("iwf", NOW), names(mended, "https://newest.example/")) == ("", "iwf")


@pytest.mark.parametrize("line", ["com", "co.uk", "github.io", "https://", "a b c"])
def test_a_line_that_names_nothing_or_everybody_is_left_out_and_said(
    tmp_path: Path, line: str
) -> None:
    place = locked_place(tmp_path)
    put_list(place.directory, f"bad.example\n{line}\nworse.example\n")
    lists = read(place)
    assert lists.fault("iwf", NOW) == "1 of its lines are no entries: 2"
    assert names(lists, "https://innocent.com/") is None
    assert names(lists, "https://worse.example/") == "iwf"
    # A part of such a host is one place.
    put_list(place.directory, "github.io/a\nbad.example\n")
    assert names(read(place), "https://github.io/a") == "iwf"


def test_what_is_gone_stays_in_force(tmp_path: Path) -> None:
    """Root takes a list away by starting the gateway anew, and one that is required not even so."""
    place = locked_place(tmp_path)
    file = put_list(place.directory, "bad.example\n")
    before = read(place)
    file.with_suffix(".yaml").unlink()
    after = read(place, before)
    assert names(after, "https://bad.example/") == "iwf"
    assert after.fault("iwf", NOW) == f"{file.with_suffix('.yaml')}: is not there"
    file.unlink()
    place.directory.rmdir()
    assert names(read(place, after), "https://bad.example/") == "iwf"
    assert read(place).lists == ()


def test_a_directory_that_others_may_write_changes_nothing(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    put_list(place.directory, "bad.example\n")
    before = read(place)
    put_list(place.directory, "slip.example\n")
    place.directory.chmod(0o777)
    after = read(place, before)
    assert names(after, "https://bad.example/") == "iwf"
    assert "can be written by others than root" in after.fault("iwf", NOW)
    with pytest.raises(ConfigurationError, match="can be written by others than root"):
        read(place)


def test_nothing_starts_without_a_list_that_is_required(tmp_path: Path) -> None:
    place = locked_place(tmp_path, "iwf", "police")
    put_list(place.directory, "bad.example\n")
    with pytest.raises(
        ConfigurationError, match=r"police\.yaml: is not there .*lists\.locked_required"
    ):
        read(place)
    put_list(place.directory, "worse.example\n", "police")
    assert {one.by.name for one in read(place).lists} == {"iwf", "police"}
    with pytest.raises(ConfigurationError, match=r"iwf\.yaml: is not there"):
        read(LockedPlace(tmp_path / "gone", ["iwf"]))


def test_a_list_grows_too_old(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    written = f"{NOW - timedelta(days=4):%Y-%m-%dT%H:%M:%SZ}"
    put_list(place.directory, "bad.example\n", date=written, most_days=3)
    lists = read(place)
    assert "4 days old" in lists.fault("iwf", NOW)
    assert names(lists, "https://bad.example/") == "iwf"
    put_list(place.directory, "bad.example\n", date=written)
    assert read(place).fault("iwf", NOW) == ""


def test_the_files_that_are_followed(tmp_path: Path) -> None:
    place = locked_place(tmp_path)
    assert list(place.files()) == [place.directory]
    put_list(place.directory, "bad.example\n")
    found = {path.name for path in place.files()}
    assert found == {"locked", "iwf.txt", "iwf.yaml"}
