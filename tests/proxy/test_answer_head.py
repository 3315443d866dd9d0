"""What the head of an answer says of its body, and whether its beginning is held back."""

import pytest
from mitmproxy.test import tflow

from schoolgate.core.urls import parse_url
from schoolgate.proxy.answer_head import AnswerHead, answer_head

URL = parse_url("https://a.example/x")


def head(fields: dict[str, str], dest: str = "") -> AnswerHead:
    flow = tflow.tflow(resp=True)
    assert flow.response is not None
    flow.response.headers.clear()
    for name, value in fields.items():
        flow.response.headers[name] = value
    if dest:
        flow.request.headers["sec-fetch-dest"] = dest
    return answer_head(flow, URL)


@pytest.mark.parametrize(
    ("fields", "start", "total"),
    [
        ({"content-length": "100"}, 0, 100),
        ({"content-length": "1e2"}, 0, None),
        ({"content-length": "9" * 20}, 0, None),
        ({"content-length": "50", "content-range": "bytes 50-99/100"}, 50, 100),
        ({"content-length": "50", "content-range": "bytes 0-49/*"}, 0, None),
        ({}, 0, None),
    ],
)
def test_where_a_body_begins_and_how_long_the_whole_is(
    fields: dict[str, str], start: int, total: int | None
) -> None:
    found = head(fields)
    assert (found.start, found.total, found.head.is_part) == (start, total, start > 0)


@pytest.mark.parametrize(
    ("content_type", "held"),
    [
        ("text/html; charset=utf-8", False),
        ("TEXT/CSS", False),
        ("image/png", False),
        ("font/woff2", False),
        ("application/json", False),
        ("application/ld+json", False),
        ("text/event-stream", False),
        ("text/plain", True),
        ("text/xml", True),
        ("video/mp4", True),
        ("application/octet-stream", True),
        ("application/pdf", True),
        ("", True),
    ],
)
def test_what_pages_are_made_of_passes_while_it_is_looked_at(content_type: str, held: bool) -> None:
    assert head({"content-type": content_type}).is_held is held


def test_what_is_to_be_saved_is_held_whatever_its_type() -> None:
    assert head({"content-type": "text/html", "content-disposition": "attachment"}).is_held


def test_a_player_keeps_nothing() -> None:
    found = head({"content-type": "image/png", "content-disposition": "attachment"}, dest="video")
    assert (found.disposition, found.is_held, found.head.for_player) == ("", False, True)


@pytest.mark.parametrize(
    ("fields", "is_station"),
    [
        ({"icy-name": "A station"}, True),
        ({"icy-br": "128", "content-length": "9"}, False),
        ({}, False),
    ],
)
def test_a_station_says_its_name_and_no_length(fields: dict[str, str], is_station: bool) -> None:
    assert head(fields).is_station is is_station
