"""A grant opens a site, or a part of one, for somebody and for a time."""

from datetime import datetime

import pytest

from schoolgate.core.approvals import Subject
from tests.core.approvals.school import NOON, PUPIL, PUPILS, TIMES, grant


@TIMES
def test_a_grant_is_in_force_from_its_start_until_just_before_its_end(
    now: datetime, want: bool
) -> None:
    assert grant().in_force(PUPIL, PUPILS, "example.com", "/", now) is want


@pytest.mark.parametrize(
    ("entry", "host", "path", "want"),
    [
        ("example.com", "example.com", "/", True),
        ("example.com", "www.example.com", "/a", True),
        ("example.com", "notexample.com", "/", False),
        ("example.com", "com", "/", False),
        ("www.example.com", "example.com", "/", False),
        ("example.com/a", "example.com", "/a", True),
        ("example.com/a", "example.com", "/a/b", True),
        ("example.com/a", "example.com", "/%41/", True),
        ("example.com/a", "www.example.com", "/a", True),
        ("example.com/a", "example.com", "/ab", False),
        ("example.com/a", "example.com", "/", False),
        ("example.com/a", "example.com", "/a/../b", False),
        ("10.0.0.1", "10.0.0.1", "/", True),
        ("0.0.0.1", "10.0.0.1", "/", False),
    ],
)
def test_a_grant_opens_what_its_entry_covers(entry: str, host: str, path: str, want: bool) -> None:
    assert grant(entry).in_force(PUPIL, PUPILS, host, path, NOON) is want


@pytest.mark.parametrize(
    ("subject", "want"), [("everyone", True), ("user:abc", True), ("user:xyz", False)]
)
def test_a_grant_is_for_its_subject_alone(subject: str, want: bool) -> None:
    assert (
        grant(subject=Subject.parse(subject)).in_force(PUPIL, PUPILS, "example.com", "/", NOON)
        is want
    )


@pytest.mark.parametrize(
    ("entry", "host", "want"),
    [
        ("=example.com", "example.com", True),
        ("=example.com", "www.example.com", False),
        ("=example.com/a", "example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "notexample.com", False),
    ],
)
def test_a_host_alone_is_opened_without_those_below_it(entry: str, host: str, want: bool) -> None:
    assert grant(entry).in_force(PUPIL, PUPILS, host, "/a", NOON) is want


@pytest.mark.parametrize(
    ("path", "query", "want"),
    [
        ("/watch", "v=Ab1", True),
        ("/watch", "v=ab1", False),
        ("/watch", "v=Ab1&v=Cd2", False),
        ("/watch", "", False),
        ("/watch/", "v=Ab1", False),
        ("/Watch", "v=Ab1", False),
        ("/", "", False),
    ],
)
def test_one_page_is_opened_to_the_letter(path: str, query: str, want: bool) -> None:
    page = grant("example.com/watch", page="/watch?v=Ab1")
    assert page.in_force(PUPIL, PUPILS, "example.com", path, NOON, query=query) is want
    assert not page.is_whole


@pytest.mark.parametrize(
    ("period", "want"), [("lessons", True), ("break", False), ("none", False), ("", False)]
)
def test_a_grant_for_periods_is_in_force_in_these_alone(period: str, want: bool) -> None:
    limited = grant(periods=frozenset({"lessons"}))
    assert limited.in_force(PUPIL, PUPILS, "example.com", "/", NOON, period=period) is want


@pytest.mark.parametrize(("network", "want"), [("wired", False), ("", True)])
def test_a_grant_for_networks_is_in_force_from_these_alone(network: str, want: bool) -> None:
    limited = grant(networks=frozenset({network or PUPIL.network}))
    assert limited.in_force(PUPIL, PUPILS, "example.com", "/", NOON) is want
