"""What an answer is decides, whatever site it is from and whatever it calls itself."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import gateway, media_origin
from tests.core.media.made import FTYP, box, mp3_frame, mvhd, webm, xing
from tests.gateway import Gateway, eventually, write_config
from tests.media_origin import MediaOrigin

PAGE = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Dest": "document"}
SOFTWARE, SHARING = "W-6.3.1-software", "W-6.3.1-filesharing"
STREAM, BROADCAST, KEPT = "W-6.3.1-stream", "W-6.3.1-broadcast", "W-6.3.1-media-download"
HOSTS = ["video.test", "other.test", "www.purplemash.com", "granted.test"]


def playlist(pieces: int, *, end: bool) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10"]
    lines += [f"#EXTINF:10.000,\nsegment-{i}.ts" for i in range(pieces)]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if end else [])]).encode()


def mpd(**said: str) -> bytes:
    attributes = " ".join(f'{name}="{value}"' for name, value in said.items())
    return (
        f'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}/>'.encode()
    )


def film(minutes: int, *, moov_last: bool = False, size: int = 200_000) -> bytes:
    moov, mdat = box("moov", mvhd(minutes * 60_000)), box("mdat", b"\x9c" * size)
    return FTYP + (mdat + moov if moov_last else moov + mdat)


HTML = b"<!doctype html><title>A page</title>" + b"<p>Some words.</p>" * 10_000
BODIES = {
    "/live.m3u8": (playlist(5, end=False), "application/vnd.apple.mpegurl"),
    "/film.m3u8": (playlist(180, end=True), "application/vnd.apple.mpegurl"),
    "/long.m3u8": (playlist(6000, end=True), "application/vnd.apple.mpegurl"),
    "/clip.m3u8": (playlist(12, end=True), "application/vnd.apple.mpegurl"),
    "/index.m3u8": (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfilm.m3u8\n", "audio/mpegurl"),
    "/live.mpd": (mpd(type="dynamic", minimumUpdatePeriod="PT2S"), "application/dash+xml"),
    "/film.mpd": (mpd(type="static", mediaPresentationDuration="PT30M"), "application/dash+xml"),
    "/clip.mpd": (mpd(type="static", mediaPresentationDuration="PT2M"), "application/dash+xml"),
    "/live.ism/Manifest": (b'<SmoothStreamingMedia IsLive="TRUE" Duration="0"/>', "text/xml"),
    "/film.mp4": (film(30), "video/mp4"),
    "/clip.mp4": (film(2), "video/mp4"),
    "/slow.mp4": (film(30, moov_last=True), "video/mp4"),
    "/film.webm": (webm(1_800_000, [0]) + bytes(90_000), "video/webm"),
    "/clip.webm": (webm(120_000, [0]) + bytes(90_000), "video/webm"),
    "/song.mp3": (xing(5000) + mp3_frame() * 200, "audio/mpeg"),
    "/talk.mp3": (xing(200_000) + mp3_frame() * 200, "audio/mpeg"),
    "/page.html": (HTML, "text/html"),
    "/short.html": (HTML[:5000], "text/html"),
    "/data.bin": (bytes(range(256)) * 1000, "application/octet-stream"),
    "/bomb.m3u8": (b"#EXTM3U\n" + b"#EXTINF:1,\na.ts\n" * 800_000, "application/vnd.apple.mpegurl"),
    "/segment-0.ts": (b"\x47" + bytes(187), "video/mp2t"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[MediaOrigin]:
    with media_origin.running() as origin:
        origin.bodies.update(BODIES)
        yield origin


@pytest.fixture(scope="module")
def gate(site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = write_config(tmp_path_factory.mktemp("contents"), proxy=gateway.to_here(*HOSTS))
    with gateway.running(config) as running:
        yield running


@pytest.fixture
def client(gate: Gateway, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Give a client of its own address: what was stopped for one is remembered for that one."""
    number = abs(hash(request.node.nodeid)) % 250**2
    with gate.client(address=f"127.1.{number // 250 + 1}.{number % 250 + 1}") as made:
        yield made


def asked(client: httpx.Client, url: str, **headers: str) -> tuple[int, str]:
    """Give the status and the clause of an answer; status 0 for one that was cut off."""
    try:
        answer = client.get(url, headers=headers)
    except httpx.RemoteProtocolError:
        return 0, ""
    return answer.status_code, answer.headers.get("x-schoolgate-clause", "")


@pytest.mark.parametrize(
    ("path", "status", "clause"),
    [
        ("/live.m3u8", 200, BROADCAST),
        ("/film.m3u8", 200, STREAM),
        ("/long.m3u8", 200, STREAM),
        ("/live.mpd", 200, BROADCAST),
        ("/film.mpd", 200, STREAM),
        ("/live.ism/Manifest", 403, BROADCAST),
        ("/film.mp4", 403, STREAM),
        ("/film.webm", 403, STREAM),
        ("/talk.mp3", 403, STREAM),
        ("/videoplayback?dur=1800.5&itag=18&id=abc", 403, STREAM),
        ("/videoplayback?live=1&itag=18&id=def", 403, BROADCAST),
        ("/bomb.m3u8", 200, BROADCAST),
        ("/clip.m3u8", 200, ""),
        ("/index.m3u8", 200, ""),
        ("/clip.mpd", 200, ""),
        ("/clip.mp4", 200, ""),
        ("/clip.webm", 200, ""),
        ("/song.mp3", 200, ""),
        ("/page.html", 200, ""),
        ("/short.html", 200, ""),
        ("/data.bin", 200, ""),
        ("/segment-0.ts", 200, ""),
    ],
)
@pytest.mark.parametrize("how", ["", "by=1000", "as=gzip", "as=br&by=500", "as=zstd"])
def test_a_player_gets_an_end_in_place_of_what_is_too_long_or_live(
    client: httpx.Client, site: MediaOrigin, path: str, status: int, clause: str, how: str
) -> None:
    site.bodies.setdefault("/videoplayback", (bytes(1000), "video/mp4"))
    url = site.url(path + ("&" if "?" in path else "?") + how)
    assert asked(client, url) == (status, clause)


@pytest.mark.parametrize(
    "path", ["/clip.mp4", "/page.html", "/data.bin", "/clip.m3u8", "/song.mp3"]
)
@pytest.mark.parametrize("how", ["", "by=7000", "as=gzip&by=7000", "as=zstd"])
def test_what_passes_is_what_the_site_sent(
    client: httpx.Client, site: MediaOrigin, path: str, how: str
) -> None:
    assert client.get(site.url(f"{path}?{how}")).content == BODIES[path][0]


@pytest.mark.parametrize("wrong", ["text/html", "image/png", "application/json", "text/plain"])
@pytest.mark.parametrize("path", ["/live.m3u8", "/film.mpd", "/film.mp4"])
def test_a_wrong_type_hides_nothing(
    client: httpx.Client, site: MediaOrigin, path: str, wrong: str
) -> None:
    for how in ("", "by=9", "by=5000", "as=gzip&by=50"):
        received = b""
        try:
            with client.stream("GET", site.url(f"{path}?type={wrong}&{how}")) as answer:
                clause = answer.headers.get("x-schoolgate-clause")
                for piece in answer.iter_bytes():
                    received += piece
        except httpx.RemoteProtocolError:
            clause = "cut"
        assert clause
        assert len(received) < 20_000 or clause != "cut"
        assert b"segment-" not in received


def test_the_end_of_a_list_is_an_ended_list(client: httpx.Client, site: MediaOrigin) -> None:
    answer = client.get(site.url("/live.m3u8"))
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.text.startswith("#EXTM3U")
    assert "#EXT-X-ENDLIST" in answer.text
    assert (answer.headers["cache-control"], answer.headers["x-schoolgate-verdict"]) == (
        "no-store",
        "block",
    )


def test_a_person_gets_the_page_with_length_and_limit(
    client: httpx.Client, site: MediaOrigin
) -> None:
    answer = client.get(site.url("/film.mp4"), headers=PAGE)
    assert answer.status_code == 403
    assert "It plays for 30 minutes; clips of up to 10 minutes are allowed." in answer.text
    assert STREAM in answer.text


def test_whoever_asks_again_is_answered_without_the_site(
    client: httpx.Client, site: MediaOrigin
) -> None:
    url = site.url("/live.m3u8")
    assert asked(client, url) == (200, BROADCAST)
    before = len(site.asked)
    for i in range(20):
        assert asked(client, f"{url}?_HLS_msn={i}") == (200, BROADCAST)
    assert len(site.asked) == before


def test_a_film_with_its_length_at_the_end_is_cut_off_there_and_refused_from_then_on(
    client: httpx.Client, site: MediaOrigin
) -> None:
    url, whole = site.url("/slow.mp4"), len(BODIES["/slow.mp4"][0])
    begun = client.get(url, headers={"Range": "bytes=0-60000"})
    assert begun.status_code == 206
    assert asked(client, url, Range=f"bytes={whole - 500}-") == (403, STREAM)
    assert asked(client, url, Range="bytes=100000-") == (403, STREAM)


def test_a_station_does_not_end(client: httpx.Client, site: MediaOrigin) -> None:
    assert asked(client, site.url("/song.mp3?endless=1")) == (403, BROADCAST)


def test_audio_without_an_end_is_cut_off_at_the_limit(
    client: httpx.Client, site: MediaOrigin
) -> None:
    site.bodies["/endless.mp3"] = (mp3_frame() * 500, "audio/mp3")
    received = 0
    with client.stream("GET", site.url("/endless.mp3?endless=1&type=audio/mp3")) as answer:
        for piece in answer.iter_raw():
            received += len(piece)
    # 128 kbit/s: ten minutes are 9.6 MB.
    assert 8e6 < received < 11e6


def test_media_is_not_saved_as_a_file(client: httpx.Client, site: MediaOrigin) -> None:
    assert asked(client, site.url("/clip.mp4?save=clip.mp4")) == (403, KEPT)
    assert asked(client, site.url("/page.html?save=page.html")) == (200, "")


EXE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\x00\x00" + bytes(9000)


@pytest.mark.parametrize("how", ["", "by=1", "as=gzip&by=700", "as=br", "as=zstd&type=image/png"])
@pytest.mark.parametrize(
    ("path", "clause"),
    [
        ("/setup.exe", SOFTWARE),
        ("/photograph.jpg", SOFTWARE),
        ("/archive.zip", SOFTWARE),
        ("/film.torrent", SHARING),
    ],
)
def test_programs_and_file_sharing_are_stopped_by_what_they_are(
    client: httpx.Client, site: MediaOrigin, path: str, clause: str, how: str
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tools/setup.exe", EXE)
    small = EXE[:300]
    site.bodies["/setup.exe"] = small, "application/x-msdownload"
    site.bodies["/photograph.jpg"] = small, "application/octet-stream"
    site.bodies["/archive.zip"] = packed.getvalue(), "application/zip"
    site.bodies["/film.torrent"] = (
        b"d8:announce18:http://t.example/a4:infod6:lengthi5e4:name1:a12:piece lengthi9e6:pieces0:ee",
        "application/x-bittorrent",
    )
    status, got = asked(client, site.url(f"{path}?{how}"))
    assert (status, got) in ((403, clause), (0, ""))


def test_the_page_says_what_a_file_is(client: httpx.Client, site: MediaOrigin) -> None:
    site.bodies["/tool"] = EXE, "application/octet-stream"
    answer = client.get(site.url("/tool?save=tool.exe"), headers=PAGE)
    assert (answer.status_code, answer.headers["x-schoolgate-clause"]) == (403, SOFTWARE)
    assert "It is a Windows program" in answer.text


def test_a_trusted_site_is_left_alone(client: httpx.Client, site: MediaOrigin) -> None:
    assert asked(client, site.url("/film.mp4", "www.purplemash.com")) == (200, "")


def test_a_grant_opens_what_was_stopped_at_once(
    gate: Gateway, client: httpx.Client, site: MediaOrigin
) -> None:
    url = site.url("/film.m3u8", "granted.test")
    assert asked(client, url) == (200, STREAM)
    done = gate.run(
        "grants", "add", "granted.test", "--until", "2h", "--decided-by", "headteacher",
        "--reason", "A film for the lesson",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert eventually(lambda: asked(client, url) == (200, ""))


def test_the_journal_and_the_metrics_tell_of_it(
    gate: Gateway, client: httpx.Client, site: MediaOrigin
) -> None:
    url = site.url("/film.mp4", "other.test")
    assert asked(client, url) == (403, STREAM)
    assert asked(client, site.url("/clip.mp4?save=a.mp4", "other.test")) == (403, KEPT)

    def lines(event: str, path: str) -> list[dict[str, object]]:
        return [
            x
            for x in gate.journal()
            if x["event"] == event and x["url"].endswith("other.test" + path)
        ]

    path = f":{site.port}/film.mp4"
    assert eventually(lambda: len(lines("stream.stopped", path)) == 1)
    assert eventually(lambda: len(lines("request.decided", path)) == 1)
    assert eventually(lambda: len(lines("download.stopped", f":{site.port}/clip.mp4")) == 1)
    (line,) = lines("stream.stopped", path)
    assert (line["verdict"], line["reason"], line["rule"]) == ("block", "content", "clips")
    (line,) = lines("request.decided", path)
    assert (line["verdict"], line["clause"], line["status"]) == ("block", STREAM, 403)
    assert eventually(
        lambda: gate.metric(r'schoolgate_contents_stopped_total\{clause="W-6.3.1-stream') > 0
    )


def test_a_head_and_an_error_page_are_left_alone(client: httpx.Client, site: MediaOrigin) -> None:
    assert client.head(site.url("/film.mp4")).status_code == 200
    assert asked(client, site.url("/nothing.m3u8")) == (404, "")


def test_a_stopped_answer_leaves_the_connection_in_order(
    client: httpx.Client, site: MediaOrigin, tmp_path: Path
) -> None:
    for _ in range(3):
        assert asked(client, site.url("/film.webm")) == (403, STREAM)
        assert asked(client, site.url("/long.m3u8")) == (200, STREAM)
        assert client.get(site.url("/page.html")).content == HTML
