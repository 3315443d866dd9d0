"""A request is a value: where it goes, who asks, and how."""

from schoolgate.core.policy import WebRequest
from schoolgate.core.urls import parse_url
from tests.core.policy.example import PUPIL, TEACHER


def test_a_request_reads_unless_it_says_otherwise() -> None:
    url = parse_url("https://example.com/")
    assert WebRequest(url, PUPIL).method == "GET"
    assert WebRequest(url, PUPIL, "POST") != WebRequest(url, PUPIL)


def test_the_same_page_asked_for_by_two_people_is_two_requests() -> None:
    url = parse_url("https://example.com/")
    assert len({WebRequest(url, PUPIL), WebRequest(url, PUPIL), WebRequest(url, TEACHER)}) == 2
