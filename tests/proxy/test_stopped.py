"""A stopped stream is remembered for who asked, until the rules change."""

from schoolgate.core.clients import Client
from schoolgate.core.media import Format
from schoolgate.core.policy import WebRequest
from schoolgate.core.policy.decision import FILTER_ERROR
from schoolgate.core.urls import parse_url
from schoolgate.proxy.stopped import StoppedStreams, stream_of
from tests.core.policy.example import PUPIL, TEACHER, engine


def ask(url: str, client: Client = PUPIL) -> WebRequest:
    return WebRequest(parse_url(url), client)


def test_it_is_found_again_by_its_address_without_the_query() -> None:
    rules, streams = engine(), StoppedStreams()
    streams.add(ask("https://a.example/live.m3u8?t=1"), FILTER_ERROR, Format.HLS, rules)
    found = streams.find(ask("https://a.example/live.m3u8?t=2"), rules)
    assert found is not None
    assert (found.decision, found.found) == (FILTER_ERROR, Format.HLS)
    assert streams.find(ask("https://a.example/other.m3u8"), rules) is None
    assert streams.find(ask("https://a.example/live.m3u8", TEACHER), rules) is None
    assert streams.find(ask("https://a.example/live.m3u8"), engine()) is None


def test_all_pieces_of_a_film_are_one_stream() -> None:
    base = "https://r1.googlevideo.com/videoplayback"
    assert stream_of(parse_url(f"{base}?id=a&itag=1")) == stream_of(
        parse_url(f"{base}?itag=2&id=a")
    )
    assert stream_of(parse_url(f"{base}?id=a")) != stream_of(parse_url(f"{base}?id=b"))


def test_the_oldest_are_forgotten() -> None:
    rules, streams = engine(), StoppedStreams()
    for i in range(2001):
        streams.add(ask(f"https://a.example/{i}"), FILTER_ERROR, None, rules)
    assert streams.find(ask("https://a.example/0"), rules) is None
    assert streams.find(ask("https://a.example/2000"), rules) is not None


def test_what_is_the_same_may_be_told_otherwise() -> None:
    rules, pages = engine(), StoppedStreams(lambda request: str(request.url))
    pages.add(ask("https://a.example/topic?id=1"), FILTER_ERROR, None, rules)
    assert pages.find(ask("https://a.example/topic?id=1"), rules) is not None
    assert pages.find(ask("https://a.example/topic?id=2"), rules) is None
