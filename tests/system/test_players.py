"""Real films and streams in a real browser through the gateway: clips play, the rest ends in a word."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from tests import gateway, media_origin
from tests.gateway import ROOT, Gateway, eventually, write_config
from tests.media_origin import MediaOrigin
from tests.system.browsing import chromium
from tests.system.films import as_dash, as_hls, film, laid_out
from tests.system.packages import fetched

pytestmark = pytest.mark.long

PLAYERS = ROOT / "tests" / "system" / "players"
SCRIPTS = {
    "/hls.js": PLAYERS / "node_modules/hls.js/dist/hls.min.js",
    "/dash.js": PLAYERS / "node_modules/dashjs/dist/modern/umd/dash.all.min.js",
}
CLIP_SECONDS, FILM_SECONDS = 120, 1800
PIECE_SECONDS, BUDGET_SECONDS = 4, 180
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: pupils
groups: {pupils: Pupils}
clauses:
  H-1: {title: Clips are kept to a minimum}
suspension_clause: H-1
local_clause: H-1
grant_clause: H-1
budgets: [{id: clips, clause: H-1, minutes: 3, megabytes: 1000}]
default: {id: otherwise, clause: H-1, then: monitor}
"""
# How long the page counts what a player asks for after it was stopped.
WATCHED_SECONDS = 12
# A first request, and what a player asks again before it gives up.
MOST_REQUESTS = 8
PAGE = b"""<!doctype html><meta charset="utf-8"><title>A player</title>
<video id="v" muted width="320"></video>
<script src="/hls.js"></script><script src="/dash.js"></script><script>
const video = document.getElementById("v");
const seen = {errors: [], fatal: false, ended: false, farthest: 0, waited: false};
video.onended = () => seen.ended = true;
video.onerror = () => { seen.errors.push("media " + video.error.code); seen.fatal = true; };
video.ontimeupdate = () => seen.farthest = Math.max(seen.farthest, video.currentTime);
function play() { video.play().catch(error => seen.errors.push(error.name)); }
function file(url) { video.src = url; play(); }
function hls(url) {
  const player = new Hls();
  player.on(Hls.Events.ERROR, (_, data) => {
    seen.errors.push(data.details); seen.fatal = seen.fatal || data.fatal;
  });
  player.loadSource(url); player.attachMedia(video); play();
}
function dash(url) {
  const player = dashjs.MediaPlayer().create();
  player.on("error", data => {
    seen.errors.push(String(data.error.message || data.error)); seen.fatal = true;
  });
  player.initialize(video, url, true);
}
setTimeout(() => seen.waited = true, %d);
</script>""" % (WATCHED_SECONDS * 1000)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaOrigin]:
    fetched(PLAYERS)
    folder = tmp_path_factory.mktemp("films")
    for name, seconds in (("clip", CLIP_SECONDS), ("film", FILM_SECONDS)):
        slow = film(folder / f"{name}.mp4", seconds)
        as_hls(slow, folder / f"{name}-hls")
        as_hls(slow, folder / f"{name}-fmp4", "-hls_segment_type", "fmp4")
        as_dash(slow, folder / f"{name}-dash")
        laid_out(slow, folder / f"{name}-fast.mp4", "faststart")
        laid_out(slow, folder / f"{name}-fragments.mp4", "frag_keyframe+empty_moov")
        film(folder / f"{name}.webm", seconds)
        film(folder / f"{name}.mp3", seconds, "-b:a", "16k")
        film(folder / f"{name}.ogg", seconds, "-c:a", "libvorbis")
        film(folder / f"{name}.flac", seconds)
    with media_origin.running(folder) as origin:
        origin.bodies["/player.html"] = PAGE, "text/html"
        for path, file in SCRIPTS.items():
            origin.bodies[path] = file.read_bytes(), "text/javascript"
        _go_on(origin, folder)
        yield origin


def _go_on(origin: MediaOrigin, folder: Path) -> None:
    """Make a live stream of each film: the list without an end, the manifest that says so."""
    text = (folder / "clip-hls/list.m3u8").read_text().replace("#EXT-X-ENDLIST", "")
    origin.bodies["/clip-hls/live.m3u8"] = text.encode(), "application/vnd.apple.mpegurl"
    text = (folder / "clip-dash/film.mpd").read_text()
    begun = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=60)).isoformat(timespec="seconds")
    text = re.sub(r'\smediaPresentationDuration="[^"]*"', "", text)
    text = text.replace(
        'type="static"',
        f'type="dynamic" minimumUpdatePeriod="PT2S" availabilityStartTime="{begun}"',
    )
    origin.bodies["/clip-dash/live.mpd"] = text.encode(), "application/dash+xml"


@pytest.fixture(scope="module")
def gate(site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = write_config(tmp_path_factory.mktemp("players"), proxy=gateway.to_here("video.test"))
    with gateway.running(config) as running:
        yield running


@pytest.fixture(scope="module")
def browser(gate: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(gate, tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def start(browser: webdriver.Chrome, site: MediaOrigin, player: str, path: str) -> None:
    browser.get(site.url("/player.html"))
    browser.execute_script(f"{player}(arguments[0])", site.url(path))


def seen(browser: webdriver.Chrome) -> dict[str, Any]:
    found: dict[str, Any] = browser.execute_script("return seen")
    return found


@pytest.mark.parametrize(
    ("player", "path"),
    [
        ("hls", "/clip-hls/list.m3u8"),
        ("hls", "/clip-fmp4/list.m3u8"),
        ("dash", "/clip-dash/film.mpd"),
        ("file", "/clip.mp4"),
        ("file", "/clip-fast.mp4"),
        ("file", "/clip-fragments.mp4"),
        ("file", "/clip.webm"),
        ("file", "/clip.mp3"),
        ("file", "/clip.ogg"),
        ("file", "/clip.flac"),
    ],
)
def test_a_clip_of_two_minutes_plays_to_its_end(
    browser: webdriver.Chrome, site: MediaOrigin, player: str, path: str
) -> None:
    start(browser, site, player, path)
    assert eventually(lambda: seen(browser)["farthest"] > 0.5), seen(browser)
    browser.execute_script(
        f"video.playbackRate = 8; video.currentTime = {CLIP_SECONDS - 6}; play()"
    )
    assert eventually(lambda: seen(browser)["ended"]), seen(browser)
    assert not seen(browser)["fatal"]


@pytest.mark.parametrize(
    ("player", "path", "clause"),
    [
        ("hls", "/film-hls/list.m3u8", "W-6.3.1-stream"),
        ("hls", "/film-fmp4/list.m3u8", "W-6.3.1-stream"),
        ("hls", "/clip-hls/live.m3u8", "W-6.3.1-broadcast"),
        ("dash", "/film-dash/film.mpd", "W-6.3.1-stream"),
        ("dash", "/clip-dash/live.mpd", "W-6.3.1-broadcast"),
        ("file", "/film.mp4", "W-6.3.1-stream"),
        ("file", "/film-fast.mp4", "W-6.3.1-stream"),
        ("file", "/film.webm", "W-6.3.1-stream"),
        ("file", "/film.mp3", "W-6.3.1-stream"),
        ("file", "/film.ogg", "W-6.3.1-stream"),
        ("file", "/film.flac", "W-6.3.1-stream"),
    ],
)
def test_a_film_and_a_live_stream_end_in_an_error_of_the_player_which_asks_no_more(
    browser: webdriver.Chrome,
    gate: Gateway,
    site: MediaOrigin,
    player: str,
    path: str,
    clause: str,
) -> None:
    site.asked.clear()
    start(browser, site, player, path)
    assert eventually(lambda: seen(browser)["fatal"] or bool(seen(browser)["errors"])), seen(
        browser
    )
    assert eventually(lambda: seen(browser)["waited"])
    assert seen(browser)["farthest"] < 1
    assert site.asked.count(path) <= 3
    script = (
        "return performance.getEntriesByType('resource')"
        ".filter(e => e.name.includes(arguments[0])).length"
    )
    folder = path.rpartition("/")[0] if path.count("/") > 1 else path
    assert browser.execute_script(script, folder) <= MOST_REQUESTS

    def stopped() -> list[dict[str, Any]]:
        lines = (x for x in gate.journal() if x["event"] == "stream.stopped")
        return [line for line in lines if line["url"].endswith(path)]

    assert eventually(lambda: bool(stopped()))
    assert {line["clause"] for line in stopped()} == {clause}


def test_a_film_in_fragments_is_stopped_at_the_limit(
    browser: webdriver.Chrome, site: MediaOrigin
) -> None:
    start(browser, site, "file", "/film-fragments.mp4")
    assert eventually(lambda: seen(browser)["fatal"] or bool(seen(browser)["errors"])), seen(
        browser
    )
    assert seen(browser)["farthest"] < 600


@pytest.fixture(scope="module")
def budgeted(site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run a gateway that gives everybody three minutes a day."""
    directory = tmp_path_factory.mktemp("budgeted")
    (directory / "policies").mkdir()
    (directory / "policies/hill.yaml").write_text(POLICY)
    config = write_config(
        directory,
        policy="hill",
        policies_dir=str(directory / "policies"),
        proxy=gateway.to_here("video.test"),
    )
    with gateway.running(config) as running:
        yield running


def test_a_budget_runs_out_in_the_middle_of_the_second_clip(
    budgeted: Gateway, site: MediaOrigin, tmp_path: Path
) -> None:
    """Two minutes by HLS, and one of the two that come by MPEG-DASH."""
    with chromium(budgeted, tmp_path) as browser:
        start(browser, site, "hls", "/clip-hls/list.m3u8")
        assert eventually(lambda: seen(browser)["farthest"] > 0.5), seen(browser)
        browser.execute_script("video.playbackRate = 8; play()")
        assert eventually(lambda: seen(browser)["ended"]), seen(browser)
        start(browser, site, "dash", "/clip-dash/film.mpd")
        assert eventually(lambda: seen(browser)["farthest"] > 0.5), seen(browser)
        browser.execute_script("video.playbackRate = 8; play()")
        assert eventually(lambda: seen(browser)["fatal"]), seen(browser)
        left = BUDGET_SECONDS - CLIP_SECONDS
        assert left - 2 * PIECE_SECONDS <= browser.execute_script("return video.buffered.end(0)")
        assert seen(browser)["farthest"] <= left + PIECE_SECONDS

    def counted() -> float:
        return budgeted.metric(r"schoolgate_stream_seconds_total")

    assert eventually(lambda: counted() >= BUDGET_SECONDS - PIECE_SECONDS), counted()
    assert counted() <= BUDGET_SECONDS + PIECE_SECONDS
