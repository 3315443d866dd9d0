"""Fetching: only what changed, with limits, retries and verified TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.lists.fetching import Fetched, Fetcher, FetchError, UnreachableError, Version, Way
from tests import publisher as answers
from tests.origin import A_WEEK, certificates
from tests.publisher import Publisher, publishing


class Fetching:
    """Fetches from a publisher into a file."""

    def __init__(self, publisher: Publisher, directory: Path) -> None:
        self.publisher = publisher
        self.path = directory / "list"
        self.waited: list[float] = []
        self.ticks = [0.0]

    def fetch(self, name: str = "list", most: int = 1_000_000, **keys: object) -> Fetched | None:
        way = Way(sleep=self.waited.append, clock=lambda: self.ticks[0], **keys)  # type: ignore[arg-type]
        return Fetcher(way).fetch(self.publisher.base + name, self.path, self.known, most)

    known = Version()


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Fetching]:
    with publishing() as publisher:
        yield Fetching(publisher, tmp_path)


def test_a_list_comes_with_its_version(fetching: Fetching) -> None:
    fetching.publisher.lists["list"] = b"one.example\n"
    came = fetching.fetch()
    assert came is not None
    assert (came.size_bytes, fetching.path.read_bytes()) == (12, b"one.example\n")
    assert came.version.etag.startswith('"')


def test_what_we_have_does_not_come_again(fetching: Fetching) -> None:
    fetching.publisher.lists["list"] = b"one.example\n"
    came = fetching.fetch()
    assert came is not None
    fetching.known = came.version
    assert fetching.fetch() is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_later_each_time(fetching: Fetching, status: int) -> None:
    fetching.publisher.lists["list"] = answers.failing(status, 3, b"one.example\n")
    assert fetching.fetch() is not None
    assert fetching.waited == [1.0, 3.0, 9.0]


def test_a_publisher_says_when_to_come_again_within_a_minute(fetching: Fetching) -> None:
    fetching.publisher.lists["list"] = answers.failing(503, 1, b"x", {"Retry-After": "7"})
    fetching.fetch()
    fetching.publisher.lists["list"] = answers.failing(503, 1, b"x", {"Retry-After": "700"})
    fetching.fetch()
    assert fetching.waited == [7.0, 60.0]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answers.failing(404, 9, b""), "answers 404"),
        (answers.failing(500, 9, b""), r"answers 500 \(4 tries\)"),
        (answers.page(), "a web page came"),
        (answers.zeros(), "larger than 1 MB"),
        (b"x" * 2_000_000, "larger than 1 MB"),
        (answers.cut_off(b"one.example\n"), "was cut off"),
        (b"", "is empty"),
        (lambda h: h.say(200, b"x", {"Content-Type": "image/png"}), "image/png came"),
        (lambda h: h.say(302, b"", {"Location": "/list"}), "more than 5 times"),
        (lambda h: h.say(302, b"", {"Location": "file:///etc/passwd"}), "leads from TLS to file"),
    ],
)
def test_what_is_not_wanted_is_refused_with_a_sentence(
    fetching: Fetching, answer: answers.Answer | bytes, why: str
) -> None:
    fetching.publisher.lists["list"] = answer
    with pytest.raises(FetchError, match=why):
        fetching.fetch()


def test_a_list_may_have_moved(fetching: Fetching) -> None:
    fetching.publisher.lists["new"] = b"one.example\n"
    fetching.publisher.lists["list"] = answers.redirecting(fetching.publisher.base + "new")
    assert fetching.fetch() is not None


def test_what_is_too_slow_is_given_up(fetching: Fetching) -> None:
    def slow(handler: answers.Handler) -> None:
        handler.begin()
        fetching.ticks[0] += 1000
        handler.wfile.write(b"one.example\n")

    fetching.publisher.lists["list"] = slow
    with pytest.raises(FetchError, match="too slow"):
        fetching.fetch()


@pytest.mark.parametrize(
    ("base", "why"),
    [("http://127.0.0.1:1/", "Connection refused"), ("http://feeds.invalid/", "[Nn]ame")],
)
def test_nobody_there_is_said_after_a_second(fetching: Fetching, base: str, why: str) -> None:
    fetching.publisher.base = base
    with pytest.raises(UnreachableError, match=rf"cannot be reached: .*{why}.* \(2 tries\)"):
        fetching.fetch()
    assert fetching.waited == [1.0]


def test_where_a_list_moved_to_may_be_away_while_its_publisher_is_there(
    fetching: Fetching,
) -> None:
    fetching.publisher.lists["list"] = answers.redirecting("http://127.0.0.1:1/list")
    with pytest.raises(FetchError, match=r"Connection refused \(4 tries\)") as caught:
        fetching.fetch()
    assert not isinstance(caught.value, UnreachableError)


def test_what_we_have_is_asked_for_on_one_connection(fetching: Fetching) -> None:
    ports = set()

    def told(handler: answers.Handler) -> None:
        ports.add(handler.client_address[1])
        handler.with_etag(b"one.example\n")

    fetching.publisher.lists["list"] = told
    fetcher = Fetcher(Way())
    address, known = fetching.publisher.base + "list", Version()
    for _ in range(4):
        came = fetcher.fetch(address, fetching.path, known, 1_000)
        known = came.version if came else known
    assert len(ports) == 1


def test_a_proxy_is_asked_where_one_is_set(fetching: Fetching) -> None:
    proxied = "http://feeds.example/list"
    fetching.publisher.lists[proxied] = b"one.example\n"
    proxy = fetching.publisher.base
    fetching.publisher.base = "http://feeds.example/"
    assert fetching.fetch(proxy=proxy) is not None


def test_tls_is_verified_and_an_authority_may_be_named(tmp_path: Path) -> None:
    authority, chain, key = certificates(tmp_path, ["localhost"], A_WEEK)
    with publishing((chain, key)) as publisher:
        publisher.lists["list"] = b"one.example\n"
        fetching = Fetching(publisher, tmp_path)
        with pytest.raises(FetchError, match="cannot be trusted"):
            fetching.fetch()
        assert fetching.waited == []
        assert fetching.fetch(ca_file=authority) is not None
        publisher.lists["list"] = answers.redirecting("http://127.0.0.1:1/list")
        with pytest.raises(FetchError, match="from TLS to http"):
            fetching.fetch(ca_file=authority)
