"""Programs, file sharing and saved media are stopped by what they are, and lessons pass: the real command."""

import random
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests import gateway, media_origin
from tests.core.files.made import MADE, make_all, missing
from tests.core.files.samples import HARMLESS, OTHERS, PE, SOFTWARE, tarred, zipped
from tests.core.files.test_recogniser import WEB
from tests.gateway import Gateway, eventually, put, stay_within_a_day, write_config
from tests.media_origin import MediaOrigin

PROGRAMS, SHARING, KEPT = "W-6.3.1-software", "W-6.3.1-filesharing", "W-6.3.1-media-download"
CLAUSES = {
    "software": PROGRAMS, "sealed": PROGRAMS, "bomb": PROGRAMS, "filesharing": SHARING, "media": KEPT,
}  # fmt: skip
PAGE = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document"}
UPDATES, APPROVED = "download.windowsupdate.com", "approved.test"
ANYWHERE = "files.test"
SAMPLES = {name: found for name, found in {**SOFTWARE, **OTHERS}.items() if found[1] != "none"}


@pytest.fixture(scope="module")
def site() -> Iterator[MediaOrigin]:
    with media_origin.running() as origin:
        yield origin


@pytest.fixture(scope="module")
def gate(site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    stay_within_a_day()
    directory = tmp_path_factory.mktemp("downloads")
    config = write_config(directory, proxy=gateway.to_here(UPDATES, APPROVED, ANYWHERE))
    put(directory / "local" / "allow.txt", f"{APPROVED}\n")
    with gateway.running(config) as running:
        yield running


@pytest.fixture(scope="module")
def client(gate: Gateway) -> Iterator[httpx.Client]:
    with gate.client() as made:
        yield made


def offered(site: MediaOrigin, data: bytes, content_type: str = "", **how: str) -> str:
    """Put a file at an address of its own, as whoever was stopped is for a while refused the same one."""
    path = f"/{len(site.bodies)}"
    site.bodies[path] = data, content_type or "application/octet-stream"
    return site.url(f"{path}?{urlencode(how)}", ANYWHERE)


def fate(client: httpx.Client, url: str, **headers: str) -> tuple[str, bytes]:
    """Give the clause under which an answer was stopped (``cut`` off, "" for none), and what came of it."""
    received = bytearray()
    clause = ""
    try:
        with client.stream("GET", url, headers=headers) as answer:
            clause = answer.headers.get("x-schoolgate-clause", "")
            for piece in answer.iter_bytes():
                received += piece
    except httpx.RemoteProtocolError:
        clause = "cut"
    return clause, bytes(received)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_form_is_stopped_under_its_clause(
    client: httpx.Client, site: MediaOrigin, name: str
) -> None:
    data, want = SAMPLES[name]
    clause, received = fate(client, offered(site, data, save=name))
    assert clause in {CLAUSES[want.partition("/")[0]], "cut"}
    # What is found before it is held no longer is answered with a page; nothing whole ever comes.
    assert clause != "cut" or len(received) < len(data)


GUISES = {
    "as it is": {"save": "setup.exe"},
    "without a name": {},
    "as a picture": {"type": "image/png"},
    "as a page": {"type": "text/html"},
    "as words": {"type": "text/plain"},
    "as a style sheet": {"type": "text/css"},
    "as a font": {"type": "font/woff2"},
    "as json": {"type": "application/json"},
    "gzip": {"as": "gzip"},
    "brotli": {"as": "br"},
    "zstd": {"as": "zstd"},
    "deflate": {"as": "deflate", "type": "image/gif"},
    "in chunks": {"by": "700"},
    "in chunks of one byte": {"by": "1"},
    "in chunks, packed": {"by": "3", "as": "gzip", "type": "image/png"},
    "as a document": {"save": "homework.docx"},
}


@pytest.mark.parametrize("guise", GUISES)
@pytest.mark.parametrize(
    "form", ["setup.exe", "a.zip", "a.tgz", "setup.msi", "app.apk", "a.torrent"]
)
def test_in_no_guise_does_a_program_come_through(
    client: httpx.Client, site: MediaOrigin, form: str, guise: str
) -> None:
    data, want = SAMPLES[form]
    clause, received = fate(client, offered(site, data, **GUISES[guise]))
    assert clause in {CLAUSES[want.partition("/")[0]], "cut"}
    assert clause != "cut" or len(received) < len(data)


def test_a_program_far_within_an_archive_is_cut_off_before_the_archive_is_whole(
    client: httpx.Client, site: MediaOrigin
) -> None:
    words = random.Random(8).randbytes(3_000_000)
    for data in (
        zipped({"a.dat": words, "b/c": PE}),
        tarred({"a.dat": words, "b/c": PE}, mode="w:gz"),
    ):
        for how in ({"save": "lesson.zip"}, {"by": "50000"}, {"as": "br", "by": "9000"}):
            clause, received = fate(client, offered(site, data, **how))
            assert clause == "cut"
            assert 1_000_000 < len(received) < len(data)


@pytest.mark.parametrize("name", WEB)
@pytest.mark.parametrize("how", [{}, {"by": "900"}, {"as": "gzip"}, {"as": "zstd", "by": "50"}])
def test_lessons_and_pages_pass_as_they_are(
    client: httpx.Client, site: MediaOrigin, name: str, how: dict[str, str]
) -> None:
    data = WEB[name]
    saved = {} if name == "a.js" else {"save": name}
    for given in ({**how, **saved}, {**how, "type": "text/html"}):
        assert fate(client, offered(site, data, **given)) == ("", data)


def test_the_page_says_what_it_is_and_offers_the_request(
    client: httpx.Client, site: MediaOrigin
) -> None:
    url = offered(site, zipped({"tools/setup.exe": PE}), save="lesson.zip")
    answer = client.get(url, headers=PAGE)
    assert (answer.status_code, answer.headers["x-schoolgate-clause"]) == (403, PROGRAMS)
    assert answer.headers["x-schoolgate-category"] == "software-downloads"
    assert "It is a Windows program, tools/setup.exe." in answer.text
    assert PROGRAMS in answer.text


def test_the_journal_has_what_was_stopped(
    gate: Gateway, client: httpx.Client, site: MediaOrigin
) -> None:
    url = offered(site, PE, save="game.exe")
    assert fate(client, url)[0] == PROGRAMS

    def found() -> list[dict[str, object]]:
        return [
            x
            for x in gate.journal()
            if x["event"] == "download.stopped" and x["url"] == url.partition("?")[0]
        ]

    assert eventually(lambda: len(found()) == 1)
    (line,) = found()
    assert (line["file_name"], line["clause"], line["rule"]) == ("game.exe", PROGRAMS, "programs")


@pytest.mark.parametrize("host", [UPDATES, APPROVED])
def test_updates_and_approved_sites_pass(
    client: httpx.Client, site: MediaOrigin, host: str
) -> None:
    for data in (PE * 200, SOFTWARE["a.zip"][0], SOFTWARE["a.cab"][0]):
        url = offered(site, data, save="update.exe").replace(ANYWHERE, host)
        assert fate(client, url) == ("", data)


def test_a_tracker_is_never_asked(client: httpx.Client, site: MediaOrigin) -> None:
    for path in ("/announce?info_hash=%aa%bb&peer_id=-TR3000-&port=6881", "/scrape?info_hash=%aa"):
        before = len(site.asked)
        assert fate(client, site.url(path, ANYWHERE))[0] == SHARING
        assert len(site.asked) == before


def test_nobody_is_sent_on_to_a_magnet_link(client: httpx.Client, site: MediaOrigin) -> None:
    url = offered(site, b"x", to="magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a")
    # The link within the address, and the answer that leads to it.
    assert fate(client, url)[0] == SHARING
    site.bodies["/to"] = b"x", "text/html"
    assert fate(client, site.url("/to?to=/elsewhere", ANYWHERE)) == ("", b"")


@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason=f"not installed: {' '.join(missing())}")
def test_real_files_by_any_name(client: httpx.Client, site: MediaOrigin, tmp_path: Path) -> None:
    """Those of Debian's programs, each under its name, as a picture, and packed and in chunks."""
    wrong = []
    for name, path in make_all(tmp_path).items():
        data, want = path.read_bytes(), MADE[name][1]
        if len(data) > 10_000_000:
            continue
        wanted = {CLAUSES[want.partition("/")[0]], "cut"} if want != "none" else {""}
        ways = [
            {"save": name},
            {"type": "image/jpeg", "by": "3000"},
            {"as": "zstd", "by": "5000", "save": name},
        ]
        if want.startswith("media"):
            ways.pop(1)
        for how in ways:
            clause, received = fate(client, offered(site, data, **how))
            is_whole = received == data
            if clause not in wanted or is_whole != (want == "none"):
                wrong.append((name, how, clause, is_whole))
    assert not wrong


def test_a_large_harmless_download_comes_whole(client: httpx.Client, site: MediaOrigin) -> None:
    data = zipped(
        {f"{n}.txt": HARMLESS * 50 + random.Random(n).randbytes(40_000) for n in range(200)}
    )
    assert fate(client, offered(site, data, save="lessons.zip")) == ("", data)
