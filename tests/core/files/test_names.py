"""What the names of members say."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.files.names import form_by_member, form_by_suffix, suffix_of


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("AndroidManifest.xml", "apk"),
        ("app/src/main/AndroidManifest.xml", None),
        ("base/manifest/AndroidManifest.xml", "aab"),
        ("Payload/Game.app/Info.plist", "ipa"),
        ("Payload/readme.txt", None),
        ("word/vbaProject.bin", "ooxml-vba"),
        ("XL/VBAPROJECT.BIN", "ooxml-vba"),
        ("word/document.xml", None),
        ("manifest.json", None),
        ("Scripts/lesson.py", None),
    ],
)
def test_members(name: str, want: str | None) -> None:
    assert form_by_member(name) == want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("Basic/Standard/Module1.xml", "odf-basic"),
        ("Basic/Standard/script-lb.xml", None),
        ("Basic/script-lc.xml", None),
        ("Basic/", None),
        ("Dialogs/Standard/dialog-lb.xml", None),
        ("Scripts/python/a.py", "odf-basic"),
        ("content.xml", None),
    ],
)
def test_members_of_documents(name: str, want: str | None) -> None:
    assert form_by_member(name, is_odf=True) == want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("a\\b\\SETUP.EXE", "named"),
        ("setup.exe. ", "named"),
        ("a.torrent", "torrent"),
        ("a.txt", None),
        ("exe", None),
        ("", None),
    ],
)
def test_names_for_what_cannot_be_read(name: str, want: str | None) -> None:
    assert form_by_suffix(name) == want


def test_a_suffix_is_that_of_the_last_part() -> None:
    assert suffix_of("a.zip/b.Tar.GZ") == ".gz"


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("Setup.EXE", ".exe"),
        ("setup.exe. .", ".exe"),
        ("C:\\files\\a.bat", ".bat"),
        (".profile", ""),
        ("a.b/c", ""),
        ("", ""),
    ],
)
def test_suffixes(name: str, want: str) -> None:
    assert suffix_of(name) == want


@given(st.lists(st.sampled_from(["a", ".", "B", "/", "exe"])).map("".join))
def test_a_suffix_is_what_pathlib_says_where_nothing_is_left_out(name: str) -> None:
    name += "x"
    assert suffix_of(name) == PurePosixPath(name.lower()).suffix
