"""Pictures are shown to a program of the school's own, where the policy judges by content."""

from collections.abc import Iterator

import httpx
import pytest

from tests import classifier, gateway, media_origin
from tests.classifier import Classifier, picture
from tests.gateway import Gateway, eventually, write_config
from tests.media_origin import MediaOrigin

pytestmark = pytest.mark.long

GAMBLING = "W-6.3.1-gambling"
PICTURE = {"Accept": "image/avif,image/webp,*/*", "Sec-Fetch-Dest": "image"}
HOSTS = ["video.test", "allowed.test"]
MOST = 200_000


def said(category: str, score: float) -> str:
    return f'{{"category": "{category}", "score": {score}}}'


CASINO = picture(said("gambling", 0.9))
BODIES = {
    "/casino": (CASINO, "image/jpeg"),
    # Beyond what is held of any answer.
    "/long-casino": (b"\xff\xd8\xff" + b"." * 100_000 + CASINO, "image/jpeg"),
    "/large-casino": (b"\xff\xd8\xff" + b"." * MOST + CASINO, "image/jpeg"),
    "/small-casino": (CASINO[-60:], "image/gif"),
    "/drawn-casino": (CASINO, "image/svg+xml"),
    "/unsure": (picture(said("gambling", 0.7)), "image/png"),
    "/clean": (picture("{}"), "image/webp"),
    "/unknown": (picture(said("teapots", 1.0)), "image/png"),
    "/unminded": (picture(said("sport", 1.0)), "image/png"),
    "/silent": (picture("silent"), "image/png"),
    "/gone": (picture("gone"), "image/png"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[MediaOrigin]:
    with media_origin.running() as origin:
        origin.bodies.update(BODIES)
        yield origin


@pytest.fixture(scope="module")
def program() -> Iterator[Classifier]:
    with classifier.running() as running:
        yield running


def started(
    program: Classifier, tmp: pytest.TempPathFactory, **settings: object
) -> Iterator[Gateway]:
    pictures = {"classifier": program.url, "timeout_seconds": 0.5, "most_bytes": MOST, **settings}
    config = write_config(tmp.mktemp("pictures"), proxy=gateway.to_here(*HOSTS), pictures=pictures)
    (config.parent / "local" / "allow.txt").write_text("allowed.test\n")
    with gateway.running(config) as running:
        yield running


@pytest.fixture(scope="module")
def gate(program: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from started(program, tmp_path_factory)


@pytest.fixture
def client(gate: Gateway) -> Iterator[httpx.Client]:
    with gate.client() as made:
        yield made


@pytest.mark.parametrize("path", ["/casino", "/long-casino"])
@pytest.mark.parametrize("how", ["", "by=1000"])
def test_a_picture_of_a_category_is_stopped_as_a_text_of_it_would_be(
    client: httpx.Client, site: MediaOrigin, path: str, how: str
) -> None:
    answer = client.get(site.url(f"{path}?{how}"), headers=PICTURE)
    assert answer.status_code == 403
    assert answer.headers["x-schoolgate-clause"] == GAMBLING
    assert b"\xff\xd8\xff" not in answer.content


@pytest.mark.parametrize(
    "path", ["/clean", "/unsure", "/unknown", "/unminded", "/silent", "/gone", "/large-casino"]
)
@pytest.mark.parametrize("how", ["", "by=1000"])
def test_any_other_picture_passes_as_it_is(
    client: httpx.Client, site: MediaOrigin, path: str, how: str
) -> None:
    answer = client.get(site.url(f"{path}?{how}"), headers=PICTURE)
    assert answer.status_code == 200
    assert answer.content == BODIES[path][0]


@pytest.mark.parametrize(
    "url",
    [
        "http://video.test/small-casino?",
        "http://video.test/drawn-casino?",
        "http://video.test/large-casino?",
        "http://video.test/casino?as=gzip",
        "http://video.test/casino?status=404",
        "http://allowed.test/casino?",
    ],
)
def test_nobody_is_asked_about_what_is_no_picture_too_large_or_opened(
    client: httpx.Client, site: MediaOrigin, program: Classifier, url: str
) -> None:
    before = len(program.asked)
    client.get(url.replace(".test", f".test:{site.port}"), headers=PICTURE)
    assert len(program.asked) == before


def test_what_was_asked_is_counted_and_what_was_stopped_is_in_the_journal(
    gate: Gateway, client: httpx.Client, site: MediaOrigin
) -> None:
    def count(outcome: str) -> float:
        return gate.metric(f'schoolgate_pictures_asked_total{{outcome="{outcome}"')

    before = {each: count(each) for each in ("stopped", "clean", "unanswered")}
    for path in ("/casino", "/clean", "/gone"):
        client.get(site.url(path), headers=PICTURE)
    assert eventually(lambda: all(count(each) == before[each] + 1 for each in before))

    def lines() -> list[dict[str, object]]:
        return [line for line in gate.journal() if line["event"] == "page.judged"]

    assert eventually(lambda: any(line["phrase_ids"] == ["picture/hook"] for line in lines()))
    line = lines()[0]
    assert (line["category"], line["clause"], line["score"]) == ("gambling", GAMBLING, 90.0)


def test_a_school_may_have_pictures_stopped_of_which_nothing_is_heard(
    program: Classifier, site: MediaOrigin, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for gate in started(program, tmp_path_factory, unanswered="block"):
        with gate.client() as client:
            assert client.get(site.url("/gone"), headers=PICTURE).status_code == 403
            assert client.get(site.url("/casino?as=gzip"), headers=PICTURE).status_code == 403
            assert client.get(site.url("/clean"), headers=PICTURE).status_code == 200
