"""A body is recognised by its bytes as they stream, however they are cut and whatever it is called."""

import gzip
import io
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.core.files import Limits, Recogniser, file_name
from schoolgate.core.urls import parse_url
from tests.core.files.samples import (
    ELF,
    HARMLESS,
    NZB,
    OTHERS,
    PE,
    SOFTWARE,
    TORRENT,
    recognised,
    tarred,
    told,
    zipped,
)

SAMPLES = {**SOFTWARE, **OTHERS}
BY_NAME = {
    "app.apk", "add-on.xpi", "a.whl", "a.oxt", "tool.jar", "a.snap", "a.dmg", "a.ps1", "b.ps1", "b.cmd",
    "a.vbs", "a.js", "a.wsf",
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_recognises_each_form(name: str) -> None:
    data, want = SAMPLES[name]
    assert told(recognised(data, name)) == want


@pytest.mark.parametrize("name", sorted(set(SOFTWARE) - BY_NAME - {"twice.gz"}))
@pytest.mark.parametrize("alias", ["photo.jpg", ""])
@pytest.mark.parametrize("content_type", ["image/jpeg", "text/plain", ""])
def test_the_bytes_count_and_not_name_nor_type(name: str, alias: str, content_type: str) -> None:
    """All but scripts without a mark of their own, which need their name, too."""
    data, _ = SOFTWARE[name]
    assert told(recognised(data, alias, content_type=content_type)).startswith("software/")


@given(st.sampled_from(sorted(SAMPLES)), st.lists(st.integers(1, 5000), max_size=12))
@settings(max_examples=400, deadline=None)
def test_it_does_not_matter_how_a_body_is_cut(name: str, cuts: list[int]) -> None:
    data, want = SAMPLES[name]
    assert told(recognised(data, name, [cut % len(data) for cut in cuts])) == want


@pytest.mark.parametrize(
    "name", ["setup.exe", "deep.zip", "a.cab", "b.rar", "lzma.zip", "a.torrent"]
)
def test_one_byte_at_a_time(name: str) -> None:
    data, want = SAMPLES[name]
    assert told(recognised(data, name, list(range(1, len(data))))) == want


@given(st.binary(max_size=3000), st.sampled_from(sorted(SAMPLES)), st.integers(0, 3000))
@settings(max_examples=400, deadline=None)
def test_no_bytes_make_it_fail(noise: bytes, name: str, at: int) -> None:
    data = SAMPLES[name][0]
    recognised(data[:at] + noise + data[at + len(noise) // 2 :], name)


def test_says_where_in_an_archive_it_lies() -> None:
    finding = recognised(SOFTWARE["deep.zip"][0], "lessons.zip")
    assert finding is not None
    assert finding.name_inside == "a.tgz > a.tar > b.zip > c.gz > c"
    assert (finding.title, finding.file_name) == ("a Windows program", "lessons.zip")


def test_a_body_that_ends_early_is_told_at_its_end() -> None:
    made = Recogniser(parse_url("https://a.example/x"))
    made.feed(ELF[:100])
    assert (made.pending, made.finding) == (True, None)
    made.end()
    assert told(made.finding) == "software/elf"


def test_suspects_what_looks_like_something() -> None:
    """So that a small one does not pass before its end, of whatever type it says it is."""
    for data in (ELF[:20], PE[:200], b"PK\x03\x04", b"#!/bin/sh\n", TORRENT[:60]):
        made = Recogniser(parse_url("https://a.example/x"), "image/png")
        made.feed(data)
        assert made.suspects
    made.end()
    assert not made.suspects


def test_does_not_suspect_what_pages_send_as_it_happens() -> None:
    for data in (b"data: hello\n\n", b'{"a": 1}\n', b"<p>", b"\x89PNG\r\n", bytes(9)):
        made = Recogniser(parse_url("https://a.example/x"), "text/event-stream")
        made.feed(data)
        assert not made.suspects


def test_is_pending_for_no_more_than_it_takes_to_tell() -> None:
    made = Recogniser(parse_url("https://a.example/x"))
    made.feed(HARMLESS * 3)
    assert not made.pending
    assert made.done


def test_audio_and_video_count_only_where_they_are_to_be_saved() -> None:
    song = OTHERS["song.mp3"][0]
    assert recognised(song, content_type="audio/mpeg") is None
    assert told(recognised(song, "a.mp3", content_type="audio/mpeg")) == "media/media"
    assert told(recognised(b"\0unknown" * 9, "a", content_type="video/x-new")) == "media/media"
    assert recognised(b"export const a: number = 1;\n", "a.ts", content_type="video/mp2t") is None


def test_a_picture_in_the_container_of_video_is_a_picture() -> None:
    assert recognised(b"\0\0\0\x18ftypheic" + bytes(90), "a.heic") is None


@pytest.mark.parametrize(
    ("url", "want"),
    [
        (
            "http://t.example/announce?info_hash=%aa%bb&peer_id=x&port=1",
            "filesharing/tracker-request",
        ),
        ("http://t.example/x/y?port=6881&info_hash=%aa", "filesharing/tracker-request"),
        ("http://t.example/scrape.php?info_hash=%aa", "filesharing/tracker-request"),
        ("http://t.example/docs?about=info_hash", "none"),
        ("http://t.example/announce?text=hello", "none"),
        ("https://p.example/play?u=magnet%3A%3Fxt%3Durn%3Abtih%3Aaa", "filesharing/magnet"),
        ("https://p.example/magnet-experiment?q=magnet", "none"),
    ],
)
def test_an_address_may_be_enough(url: str, want: str) -> None:
    assert told(Recogniser(parse_url(url)).finding) == want


# Bombs: each a few kilobytes or less for each megabyte of zeros.
def _zeros_zip(layers: int, size: int = 8 * 1024 * 1024) -> bytes:
    data = bytes(size)
    for layer in range(layers):
        data = zipped({f"{layer}-{n}.zip": data for n in range(4 if layer else 1)})
    return data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (gzip.compress(gzip.compress(tarred({"a": bytes(60_000_000)}))), "a.gz"),
        (_zeros_zip(9, 1000), "layers.zip"),
        (zipped({"a.tar": tarred({"a": bytes(60_000_000)})}), "tar.zip"),
    ],
    ids=["gzip in gzip", "nine layers", "tar of zeros"],
)
def test_a_bomb_is_a_bomb(data: bytes, name: str) -> None:
    assert told(recognised(data, name)) == "bomb/bomb"


def test_what_cannot_matter_is_not_unpacked() -> None:
    """Of a member that is known to be harmless nothing more is looked at, however much it unpacks to."""
    assert recognised(zipped({"a.txt": b"words " * 16_000_000, "b": b"x"}), "a.zip") is None


def test_too_many_members_are_a_bomb() -> None:
    many = zipped({f"{n}": b"" for n in range(60)})
    assert told(recognised(many, "a.zip", limits=Limits(members=50))) == "bomb/bomb"
    assert recognised(many, "a.zip", limits=Limits(members=60)) is None


def test_depth_is_bounded() -> None:
    data = PE
    for _ in range(4):
        data = gzip.compress(data)
    assert told(recognised(data, limits=Limits(depth=4))) == "software/pe"
    assert told(recognised(data, limits=Limits(depth=3))) == "bomb/bomb"


def test_a_zip_with_a_password_is_sealed() -> None:
    data = bytearray(zipped({"a.txt": HARMLESS}))
    data[6] |= 1
    finding = recognised(bytes(data), "a.zip")
    assert told(finding) == "sealed/zip"
    assert finding is not None
    assert finding.name_inside == "a.txt"


def test_a_method_that_nobody_here_reads_is_sealed() -> None:
    data = bytearray(zipped({"a.txt": HARMLESS}))
    data[8] = 9
    assert told(recognised(bytes(data), "a.zip")) == "sealed/zip"


def _document(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


WEB = {
    "a.html": b"<!doctype html><title>x</title><script>x</script>",
    "how-to.html": b"<html><pre>#!/bin/sh\n@echo off\nmagnet:?xt=urn:btih:x</pre>",
    "a.css": b"a{color:red}\n" * 50,
    "a.js": b"(function(){var x=new ActiveXObject('Microsoft.XMLHTTP')})();",
    "module.js": b"export default 1;\n",
    "a.json": b'{"manifest_version": 3, "version": "1", "name": "x"}',
    "a.wasm": b"\0asm\x01\0\0\0" + bytes(100),
    "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>',
    "a.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(100),
    "a.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(500),
    "a.woff2": b"wOF2\0\x01\0\0" + bytes(100),
    "a.ttf": b"\0\x01\0\0\0\x0f\0\x80" + bytes(100),
    "a.csv": b"070701,2026-01-01,a\n" * 20,
    "mz.txt": b"MZ was the mark of Mark Zbikowski.\n" * 20,
    "crx.txt": b"Cr24 is what a browser extension begins with.\n",
    "bz.txt": b"BZh is what bzip2 begins with.\n" * 300,
    "a.py": b"import turtle\nturtle.forward(10)\n",
    "a.md": b"# Batch files\n\n    @echo off\n    del x\n",
    "a.xml": b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>',
    "d8.txt": b"d4:info is how a torrent goes on\n",
    "a.docx": _document({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}),
    "a.odt": _document({
        "mimetype": b"application/vnd.oasis.opendocument.text", "Basic/script-lc.xml": b"<x/>",
        "Basic/Standard/script-lb.xml": b"<x/>", "Dialogs/dialog-lc.xml": b"<x/>", "content.xml": b"<x/>",
    }),
    "a.epub": _document({"mimetype": b"application/epub+zip", "META-INF/container.xml": b"<x/>",
                         "Scripts/a.js": b"var x = 1;"}),
    "scratch.sb3": _document({"project.json": b'{"targets":[]}', "a.svg": b"<svg/>"}),
    "scorm.zip": _document({"imsmanifest.xml": b"<manifest/>", "shared/jquery.js":
                            b"new ActiveXObject('Microsoft.XMLHTTP')", "a.mp4": b"\0\0\0\x20ftypisom"}),
    "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + "VBA".encode("utf-16-le") + bytes(2000),
    "words.gz": gzip.compress(HARMLESS),
    "empty.zip": _document({}),
    "empty": b"",
    "one": b"M",
}  # fmt: skip


@pytest.mark.parametrize("name", WEB)
def test_what_the_web_and_lessons_are_made_of_passes(name: str) -> None:
    assert recognised(WEB[name], content_type="application/x-anything") is None
    if name != "a.js":
        assert recognised(WEB[name], name) is None


def test_a_module_of_the_web_may_begin_as_a_script_does() -> None:
    module = b"#!/usr/bin/env node\nexport default 1;\n"
    assert recognised(module, content_type="text/javascript; charset=utf-8") is None
    assert told(recognised(module, "a.js", content_type="text/javascript")) == "software/shebang"


def test_long_bodies_without_a_find_keep_nothing() -> None:
    made = Recogniser(parse_url("https://a.example/x"), disposition="attachment")
    for _ in range(40):
        made.feed(b"\x00\x07" * 32_768)
    assert made.done


@pytest.mark.parametrize(
    ("disposition", "want"),
    [
        ('attachment; filename="a b.exe"', "a b.exe"),
        ("attachment; filename=a.exe; size=1", "a.exe"),
        ("attachment; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac.exe", "€.exe"),
        ('attachment; filename="..\\\\..\\\\evil/a.exe"', "a.exe"),
        ('attachment; filename="a\\"b"', 'a"b'),
        ("attachment; filename*=nonsense''a.exe", "a.exe"),
        ("attachment", ""),
        ("inline", ""),
        (";;;=", ""),
    ],
)
def test_reads_the_name_under_which_a_body_is_saved(disposition: str, want: str) -> None:
    assert file_name(disposition) == want


def test_the_mark_may_lie_on_two_pieces() -> None:
    for at in range(1, 8):
        assert told(recognised(TORRENT, cuts=[at])) == "filesharing/torrent"
        assert told(recognised(NZB, cuts=[at, at + 100])) == "filesharing/nzb"
        assert told(recognised(PE, cuts=[at, 128 + at])) == "software/pe"


def test_zlib_alone_is_no_disk_image() -> None:
    assert recognised(zlib.compress(HARMLESS), "a.bin") is None
