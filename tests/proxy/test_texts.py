"""A page of a site that no list knows is judged by what it says, on its way to the browser."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests import gateway, media_origin
from tests.content import corpus
from tests.gateway import CUT, Gateway, eventually, write_config
from tests.media_origin import MediaOrigin

PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Accept-Encoding": "gzip"}
DATA = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
GAMBLING = "W-6.3.1-gambling"
HOSTS = ["video.test", "www.purplemash.com", "granted.test", "allowed.test"]
RELOAD = b'<meta http-equiv="refresh" content="0">'


def page(folder: str, subject: str, *, words_after: int = 0) -> bytes:
    """Give a written page; markup that nobody sees makes it longer than what is held."""
    written = next(each for each in corpus.written(folder) if each.subject == subject)
    return written.markup().encode() + b"<style>a{}</style>" * words_after


CASINO, HELP = page("open", "gambling"), page("innocent", "betting-help")
LONG = 6000
WORDS = next(each for each in corpus.written("open") if each.subject == "gambling").lines
CHAT = "".join(
    f"data: {json.dumps({'choices': [{'delta': {'content': f'{word} '}}]})}\n\n"
    for word in " ".join(WORDS * 3).split()
)
BODIES = {
    "/chat": (CHAT.encode(), "text/event-stream"),
    "/comments": (
        json.dumps({"items": [{"body": line} for line in WORDS]}).encode(),
        "application/json",
    ),
    "/casino": (CASINO, "text/html; charset=utf-8"),
    "/long-casino": (CASINO + b"<style>a{}</style>" * LONG, "text/html"),
    "/bare-casino": (CASINO, ""),
    "/plain-casino": (CASINO.replace(b"<", b" "), "text/plain"),
    "/help": (HELP, "text/html; charset=utf-8"),
    "/long-help": (HELP + b"<style>a{}</style>" * LONG, "text/html"),
    "/picture": (CASINO, "image/png"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[MediaOrigin]:
    with media_origin.running() as origin:
        origin.bodies.update(BODIES)
        yield origin


@pytest.fixture(scope="module")
def gate(site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = write_config(tmp_path_factory.mktemp("texts"), proxy=gateway.to_here(*HOSTS))
    (config.parent / "local" / "allow.txt").write_text("allowed.test\n")
    with gateway.running(config) as running:
        yield running


@pytest.fixture
def client(gate: Gateway, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Give a client of its own address: what was stopped for one is remembered for that one."""
    number = abs(hash(request.node.nodeid)) % 250**2
    with gate.client(address=f"127.2.{number // 250 + 1}.{number % 250 + 1}") as made:
        yield made


def got(client: httpx.Client, url: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
    """Give status, clause and body; a body that was cut as far as it came."""
    came = b""
    with client.stream("GET", url, headers=headers) as answer:
        try:
            for chunk in answer.iter_raw():
                came += chunk
        except CUT:
            pass
        return answer.status_code, answer.headers.get("x-schoolgate-clause", ""), came


@pytest.mark.parametrize("path", ["/casino", "/bare-casino", "/plain-casino"])
@pytest.mark.parametrize("how", ["", "as=gzip", "as=br", "as=zstd"])
def test_a_short_page_has_the_block_page_in_its_place(
    client: httpx.Client, site: MediaOrigin, path: str, how: str
) -> None:
    status, clause, came = got(client, site.url(f"{path}?{how}"), PAGE)
    assert (status, clause) == (403, GAMBLING)
    assert b"judged by its content" in came
    assert b"ambling" in came
    assert b"free spins" not in came.lower()


@pytest.mark.parametrize("path", ["/help", "/long-help", "/picture"])
@pytest.mark.parametrize("how", ["", "as=gzip", "by=1000", "as=br&by=300"])
def test_an_innocent_page_and_what_is_no_text_pass_as_they_are(
    client: httpx.Client, site: MediaOrigin, path: str, how: str
) -> None:
    answer = client.get(site.url(f"{path}?{how}"), headers=PAGE)
    assert answer.status_code == 200
    assert answer.content == BODIES[path][0]


@pytest.mark.parametrize("path", ["/casino?by=1000", "/long-casino?", "/long-casino?by=5000"])
def test_a_page_that_streams_ends_in_a_reload_which_meets_the_block_page(
    client: httpx.Client, site: MediaOrigin, path: str
) -> None:
    status, _, came = got(client, site.url(path), PAGE)
    assert status == 200
    assert came.endswith(RELOAD)
    asked = len(site.asked)
    status, clause, _ = got(client, site.url(path), PAGE)
    assert (status, clause) == (403, GAMBLING)
    assert len(site.asked) == asked, "the site is not asked again"
    assert got(client, site.url("/help?by=1000"), PAGE)[0] == 200
    assert got(client, site.url(path + "&another=1"), PAGE)[0] == 200, "another page"


@pytest.mark.parametrize("how", ["as=gzip&by=500", "as=br&by=50"])
def test_what_cannot_be_ended_so_is_cut(client: httpx.Client, site: MediaOrigin, how: str) -> None:
    url = site.url(f"/long-casino?{how}")
    assert not got(client, url, PAGE)[2].endswith(RELOAD)
    assert got(client, url, PAGE)[:2] == (403, GAMBLING)


def test_scripts_get_data_in_its_place(client: httpx.Client, site: MediaOrigin) -> None:
    answer = client.get(site.url("/casino"), headers=DATA)
    assert (answer.status_code, answer.json()["category"]) == (403, "gambling")


@pytest.mark.parametrize("host", ["www.purplemash.com", "allowed.test"])
def test_sites_that_are_trusted_or_were_opened_are_left_alone(
    client: httpx.Client, site: MediaOrigin, host: str
) -> None:
    assert got(client, site.url("/casino", host), PAGE)[0] == 200


def test_a_grant_lifts_it(gate: Gateway, client: httpx.Client, site: MediaOrigin) -> None:
    url = site.url("/casino", "granted.test")
    assert got(client, url, PAGE)[0] == 403
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    gate.run(
        "grants", "add", "granted.test", "--until", until, "--decided-by", "headteacher",
        "--reason", "A lesson on odds",
    )  # fmt: skip
    assert eventually(lambda: got(client, url, PAGE)[0] == 200)


def test_journal_and_metrics_know_score_and_ids_and_never_a_phrase(
    gate: Gateway, client: httpx.Client, site: MediaOrigin
) -> None:
    got(client, site.url("/casino?journal=1"), PAGE)

    def lines() -> list[dict[str, object]]:
        return [each for each in gate.journal() if each["event"] == "page.judged"]

    assert eventually(lambda: bool(lines()))
    line = lines()[-1]
    assert line["category"] == "gambling"
    assert (line["verdict"], line["reason"], line["clause"]) == ("block", "content", GAMBLING)
    assert float(str(line["score"])) > 20
    assert isinstance(line["phrase_ids"], list)
    assert all(
        str(each).startswith(("gambling/", "host:", "label:")) for each in line["phrase_ids"]
    )
    assert eventually(
        lambda: gate.metric(r'texts_judged_total\{category="gambling",verdict="block"\}') > 0
    )


@pytest.mark.parametrize(("path", "status"), [("/chat?by=500", 200), ("/comments?", 403)])
def test_answers_of_a_chat_and_comments_are_judged_each_anew(
    client: httpx.Client, site: MediaOrigin, path: str, status: int
) -> None:
    for _ in range(2):
        asked = len(site.asked)
        answered, _, came = got(client, site.url(path), DATA)
        assert answered == status
        assert len(came) < len(CHAT)
        assert len(site.asked) == asked + 1


def test_a_page_without_an_end_is_ended(client: httpx.Client, site: MediaOrigin) -> None:
    assert got(client, site.url("/long-casino?endless=1"), PAGE)[2].endswith(RELOAD)


def test_what_an_error_says_is_judged(client: httpx.Client, site: MediaOrigin) -> None:
    assert got(client, site.url("/casino?status=404"), PAGE)[0] == 403
