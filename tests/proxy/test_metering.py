"""A budget of audio and video is counted, warned of and spent, in every worker, through a real gateway."""

import html
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
import yaml

from tests import media_origin
from tests.gateway import (
    CUT,
    Gateway,
    eventually,
    running,
    stay_within_a_day,
    to_origin,
    write_config,
)
from tests.origin import Origin

# Of two workers, each serves one of these; and there is a device with an address of each family.
ANN, ANN_TOO, BOB, CID, DEB = "127.0.6.2", "127.0.6.3", "127.0.6.4", "127.0.6.6", "127.0.6.8"
EVA, FAY, GUS, HAL = "127.0.6.10", "127.0.6.12", "127.0.6.14", "127.0.6.16"
PEOPLE = {
    "devices": {
        "laptop": {"address": [ANN, ANN_TOO, "::1"], "user": "ann", "group": "pupils"},
        **{
            name: {"address": address, "group": "pupils"}
            for name, address in {
                "b": BOB,
                "c": CID,
                "d": DEB,
                "e": EVA,
                "f": FAY,
                "g": GUS,
            }.items()
        },
    },
    "neighbours": False,
}
POLICY = """\
id: hill
school: Hill School
document: Acceptable use
contact: the office
default_group: pupils
groups: {pupils: Pupils}
clauses:
  H-1: {title: Clips are kept to a minimum}
  H-2: {title: Use is watched}
suspension_clause: H-2
local_clause: H-2
grant_clause: H-2
budgets:
  - {id: clips, clause: H-1, minutes: 1, megabytes: 100, except: {hosts: [www.youtube.com/learn]}}
rules:
  - {id: clips, clause: H-1, when: {categories: [video-sharing]}, then: limit}
default: {id: otherwise, clause: H-2, then: monitor}
"""
# Of a video of which nothing is known, 312,500 bytes are a second.
SECOND = 312_500
VIDEO = "?type=video/mp4&n="
METERED = r'schoolgate_stream_seconds_total\{.*"metered"'


@contextmanager
def school(directory: Path, site: Origin, listen: str = "127.0.0.1:0") -> Iterator[Gateway]:
    (directory / "policies").mkdir(exist_ok=True)
    (directory / "policies/hill.yaml").write_text(POLICY)
    people = directory / "people.yaml"
    people.write_text(yaml.safe_dump(PEOPLE))
    config = write_config(
        directory,
        policy="hill",
        policies_dir=str(directory / "policies"),
        people=str(people),
        proxy={**to_origin(site), "listen": listen},
    )
    with running(config) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def gateway(site: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with school(tmp_path_factory.mktemp("metering"), site) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _away_from_midnight() -> None:
    stay_within_a_day()


def clip(site: Origin, seconds: float, number: int = 1) -> str:
    """Give the address of a video of some seconds."""
    size = int(seconds * SECOND)
    return f"https://www.youtube.com:{site.https_port}/bytes/{size}{VIDEO}{number}"


def seen(client: httpx.Client, url: str) -> tuple[int, float]:
    """Give the status of a video, and how many seconds of it came."""
    size = 0
    with client.stream("GET", url) as response:
        try:
            for chunk in response.iter_raw():
                size += len(chunk)
        except CUT:
            pass
    return response.status_code, size / SECOND


def test_a_budget_ends_in_the_middle_of_the_second_clip(gateway: Gateway, site: Origin) -> None:
    with gateway.client(address=BOB) as bob:
        assert seen(bob, clip(site, 38)) == (200, 38)
        status, came = seen(bob, clip(site, 38, 2))
        assert status == 200
        assert 21 <= came <= 22 + 8, "what was left, and a segment at most"
        refused = bob.get(clip(site, 1, 3))
        assert (refused.status_code, refused.headers["x-schoolgate-clause"]) == (403, "H-1")
        assert refused.headers["x-schoolgate-verdict"] == "block"
        page = bob.get(
            f"https://www.youtube.com:{site.https_port}/", headers={"accept": "text/html"}
        )
        assert "There is no more audio and video for you today." in page.text
        assert "Of your 1 minute and 100 MB of audio and video for today, 1 minute" in page.text
        assert "They begin anew at midnight" in page.text
    assert eventually(lambda: stopped(gateway) == [("b", "budget-clips", "budget")])
    assert gateway.metric(METERED) >= 59


def stopped(gateway: Gateway) -> list[tuple[str, str, str]]:
    """Give whose viewing was stopped and why, as the journal tells."""
    return [
        (line["device"], line["rule"], line["reason"])
        for line in gateway.journal()
        if line["event"] == "stream.stopped"
    ]


def test_the_devices_of_a_person_burden_one_budget_whichever_worker_serves_them(
    gateway: Gateway, site: Origin
) -> None:
    before = gateway.metric(METERED)
    with gateway.client(address=ANN) as laptop, gateway.client(address=ANN_TOO) as phone:
        assert seen(laptop, clip(site, 5)) == (200, 5)
        assert seen(laptop, clip(site, 40, 5)) == (200, 40)
        assert seen(phone, clip(site, 14, 2)) == (200, 14)
        assert eventually(lambda: gateway.metric(METERED) > before + 58)
        # The same file once more is no more seconds, for whichever of them: no longer than a segment,
        # as the worker lets no more flow before it has heard that they are none.
        assert seen(phone, clip(site, 5)) == (200, 5)
        status, came = seen(laptop, clip(site, 30, 3))
        assert status == 200
        assert came <= 1 + 8
        assert phone.get(clip(site, 1, 4)).status_code == 403


def test_two_tabs_burden_one_budget(gateway: Gateway, site: Origin) -> None:
    def watch(number: int) -> float:
        with gateway.client(address=CID) as tab:
            return seen(tab, clip(site, 50, number))[1]

    with ThreadPoolExecutor() as tabs:
        came = list(tabs.map(watch, (1, 2)))
    assert 60 <= sum(came) <= 60 + 2 * 8


def test_a_page_is_warned_of_once_when_most_is_used_and_clips_are_not(
    gateway: Gateway, site: Origin
) -> None:
    page = f"https://www.youtube.com:{site.https_port}/watch"
    with gateway.client(address=DEB) as deb:
        deb.headers["accept"] = "text/html"
        assert "origin says hello" in deb.get(page).text
        assert seen(deb, clip(site, 47)) == (200, 47)
        assert "origin says hello" in deb.get(page).text
        assert seen(deb, clip(site, 2, 2)) == (200, 2)
        # What flowed last is settled a moment later.
        assert eventually(lambda: deb.get(page).status_code == 403)
        warned = deb.get(page)
        assert warned.headers["x-schoolgate-verdict"] == "warn"
        assert "Most of your audio and video for today is used." in warned.text
        # A player asks for no page.
        video = deb.get(clip(site, 1, 3), headers={"accept": "*/*", "sec-fetch-dest": "video"})
        assert video.status_code == 200
        link = re.search(r'<form method="post" action="([^"]+)">', warned.text)
        assert link is not None
        answer = deb.post(urljoin(page, html.unescape(link[1])))
        assert (answer.status_code, answer.headers["location"]) == (303, "/watch")
        assert "origin says hello" in deb.get(page).text


def test_what_is_excepted_or_no_audio_nor_video_is_not_counted(
    gateway: Gateway, site: Origin
) -> None:
    base = f"https://www.youtube.com:{site.https_port}"
    size = 70 * SECOND
    with gateway.client(address=EVA) as eva:
        assert eva.get(f"{base}/bytes/{size}").is_success
        assert eva.get(f"{base}/learn/{VIDEO}1").is_success
        assert seen(eva, clip(site, 30)) == (200, 30), "the whole budget is left"


def test_video_of_any_site_burdens_it_and_players_get_a_plain_refusal(
    gateway: Gateway, site: Origin
) -> None:
    base = f"https://www.bbc.co.uk:{site.https_port}"
    with gateway.client(address=HAL) as hal:
        assert seen(hal, f"{base}/bytes/{50 * SECOND}{VIDEO}1") == (200, 50)
        assert seen(hal, f"{base}/bytes/{50 * SECOND}{VIDEO}2")[1] <= 10 + 8
        assert eventually(lambda: hal.get(f"{base}/bytes/{SECOND}{VIDEO}3").status_code == 403)
        refused = hal.get(f"{base}/bytes/{SECOND}{VIDEO}3")
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.headers["x-schoolgate-clause"] == "H-1"
        assert "They begin anew at midnight" in refused.text
        assert hal.get(f"{base}/").is_success, "what is no audio or video goes on"


def playlist(*lines: str) -> tuple[bytes, str]:
    return "\n".join(["#EXTM3U", *lines]).encode(), "application/vnd.apple.mpegurl"


def film(directory: str, size: int) -> dict[str, tuple[bytes, str]]:
    """Give one rendition of a film of a minute: its list, and ten pieces of six seconds."""
    pieces = [f"#EXTINF:6.0,\n{number}.ts" for number in range(10)]
    listed = playlist("#EXT-X-TARGETDURATION:6", *pieces, "#EXT-X-ENDLIST")
    body = (b"\x47" + bytes(187)) * (size // 188)
    return {
        f"/{directory}/list.m3u8": listed,
        **{f"/{directory}/{number}.ts": (body, "video/mp2t") for number in range(10)},
    }


MASTER = playlist(
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="sound/list.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="a"', "low/list.m3u8",
    '#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="a"', "high/list.m3u8",
)  # fmt: skip


def test_a_stream_in_pieces_counts_each_second_once(site: Origin, tmp_path: Path) -> None:
    with media_origin.running() as films, school(tmp_path, site) as own:
        films.bodies |= {"/film.m3u8": MASTER, **film("low", 20_000), **film("high", 300_000)}
        films.bodies |= film("sound", 10_000)
        with own.client(address=FAY) as fay:

            def ask(path: str) -> int:
                return fay.get(films.url(path, "www.bbc.co.uk")).status_code

            asked = [
                # Picture and sound, of thirty seconds; then a better quality from there,
                "/film.m3u8", "/low/list.m3u8", "/sound/list.m3u8",
                *(f"/{kind}/{number}.ts" for number in range(5) for kind in ("low", "sound")),
                "/high/list.m3u8", "/high/4.ts", "/high/5.ts",
                # a seek ahead, one back, and the page loaded anew.
                "/high/8.ts", "/sound/8.ts", "/low/0.ts", "/film.m3u8", "/low/list.m3u8", "/low/0.ts",
            ]  # fmt: skip
            assert {ask(path) for path in asked} == {200}
            assert eventually(lambda: kept(tmp_path) == [("device:f", 42_000)])
            # What is left, and nothing of another film.
            films.bodies |= film("other", 20_000)
            assert [ask(path) for path in ("/low/9.ts", "/high/6.ts", "/high/7.ts")] == [200] * 3
            assert eventually(lambda: ask("/other/0.ts") == 403)
            # A player is given an end of its list.
            ended = fay.get(films.url("/other/list.m3u8", "www.bbc.co.uk"))
            assert (ended.status_code, "#EXT-X-ENDLIST" in ended.text) == (200, True)
            assert ended.headers["x-schoolgate-clause"] == "H-1"


def test_it_holds_when_workers_and_the_owner_of_the_accounts_are_killed(
    site: Origin, tmp_path: Path
) -> None:
    with school(tmp_path, site) as own:
        with own.client(address=FAY) as fay:
            assert seen(fay, clip(site, 50)) == (200, 50)
        assert eventually(lambda: kept(tmp_path) == [("device:f", 50_000)])
        kill(own, "meter")
        with own.client(address=FAY) as fay:
            assert eventually(lambda: seen(fay, clip(site, 5, 2)) == (200, 5))
        assert eventually(lambda: kept(tmp_path) == [("device:f", 55_000)])
        kill(own, "worker")
        with own.client(address=FAY) as fay:
            assert seen(fay, clip(site, 50)) == (200, 50), "seen before"
            assert seen(fay, clip(site, 40, 3))[1] <= 5 + 8
    with school(tmp_path, site) as own, own.client(address=FAY) as fay:
        assert fay.get(clip(site, 1, 4)).headers["x-schoolgate-clause"] == "H-1"


def test_without_the_owner_nothing_that_is_limited_begins_and_the_rest_goes_on(
    site: Origin, tmp_path: Path
) -> None:
    with school(tmp_path, site) as own, own.client(address=GUS) as gus:
        place = tmp_path / "state" / "meter.sock"
        place.unlink()
        # Whoever follows the owner finds no place to listen.
        place.mkdir()
        os.kill(own.processes("meter")[0], signal.SIGKILL)
        assert eventually(lambda: "The meter is not serving" in own.get("health").text)
        page = gus.get(clip(site, 1), headers={"accept": "text/html"})
        assert page.status_code == 403
        assert "cannot be found out now" in page.text
        assert gus.get(f"https://www.bbc.co.uk:{site.https_port}/").is_success
        place.rmdir()
        assert eventually(lambda: gus.get(clip(site, 1)).is_success)


def kept(directory: Path) -> list[tuple[str, int]]:
    """Give what the database has of each account."""
    file = directory / "state" / "schoolgate.db"
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT who, milliseconds FROM stream_accounts").fetchall()


def kill(gateway: Gateway, kind: str) -> None:
    """Kill every process of a kind, and wait for those in their places."""
    old = gateway.processes(kind)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    assert eventually(
        lambda: (
            len(gateway.processes(kind)) == len(old) and not set(old) & set(gateway.processes(kind))
        )
    )
