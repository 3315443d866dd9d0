"""What was decided by hand, found for a client and a page."""

from datetime import datetime

import pytest

from schoolgate.core.approvals import Overlay, SiteBlock, Subject, Supervision, first
from schoolgate.core.categories import ListEntry
from tests.core.approvals.school import (
    ENDS,
    NOON,
    PUPIL,
    PUPILS,
    STARTS,
    TIMES,
    grant,
    suspension,
)


@TIMES
def test_a_suspension_is_in_force_from_its_start_until_just_before_its_end(
    now: datetime, want: bool
) -> None:
    assert suspension().in_force(PUPIL, PUPILS, now) is want


@pytest.mark.parametrize(
    ("subject", "want"), [("everyone", True), ("group:pupils", True), ("group:staff", False)]
)
def test_a_suspension_stops_its_subject_alone(subject: str, want: bool) -> None:
    assert suspension(Subject.parse(subject)).in_force(PUPIL, PUPILS, NOON) is want


def test_an_overlay_gives_every_grant_in_force_in_its_order() -> None:
    staff = Subject.parse("group:staff")
    grants = (
        grant(number=3),
        grant("other.example", number=4),
        grant(subject=staff, number=5),
        grant("example.com/a", number=1),
    )
    overlay = Overlay(1, grants=grants)
    in_force = overlay.grants_for(PUPIL, PUPILS, "example.com", "/a", NOON)
    assert [g.id for g in in_force] == [3, 1]
    assert overlay.grants_for(PUPIL, PUPILS, "example.com", "/a", ENDS) == []


def test_an_overlay_gives_every_grant_on_a_host_whatever_part_it_opens() -> None:
    overlay = Overlay(
        1,
        grants=(
            grant(number=3),
            grant("other.example", number=4),
            grant("www.example.com", number=5),
            grant(subject=Subject.parse("group:staff"), number=6),
            grant("example.com/a", number=1),
        ),
    )
    found = {
        host: [g.id for g in overlay.grants_on(PUPIL, PUPILS, host, NOON)]
        for host in ("example.com", "www.example.com", "notexample.com")
    }
    assert found == {"example.com": [3, 1], "www.example.com": [3, 5, 1], "notexample.com": []}
    assert overlay.grants_on(PUPIL, PUPILS, "example.com", ENDS) == []


def test_an_overlay_gives_the_first_suspension_that_stops_the_client() -> None:
    staff = suspension(Subject.parse("group:staff"), number=1)
    pupils, everyone = suspension(Subject.parse("group:pupils"), number=2), suspension(number=3)
    overlay = Overlay(1, suspensions=(staff, pupils, everyone))
    assert overlay.suspension_for(PUPIL, PUPILS, NOON) is pupils
    assert overlay.suspension_for(PUPIL, PUPILS, ENDS) is None


def test_an_empty_overlay_opens_and_stops_nothing() -> None:
    assert Overlay().grants_for(PUPIL, PUPILS, "example.com", "/", NOON) == []
    assert Overlay().grants_on(PUPIL, PUPILS, "example.com", NOON) == []
    assert Overlay().suspension_for(PUPIL, PUPILS, NOON) is None


@pytest.mark.parametrize(
    ("items", "want"), [([], None), ([1, 2], 1), ([None, 1], None), ([0, 1], 0)]
)
def test_the_first_of_some_values_is_given_or_none(
    items: list[int | None], want: int | None
) -> None:
    assert first(iter(items)) == want


def test_whoever_is_supervised_is_not_stopped() -> None:
    supervised = Supervision(1, Subject.parse("group:pupils"), STARTS, NOON, "with a teacher")
    overlay = Overlay(1, suspensions=(suspension(),), supervisions=(supervised,))
    early = STARTS + (NOON - STARTS) / 2
    assert overlay.suspension_for(PUPIL, PUPILS, early) is None
    assert overlay.suspension_for(PUPIL, PUPILS, NOON) is not None
    assert overlay.suspension_for(PUPIL, frozenset({"staff"}), early) is not None


@pytest.mark.parametrize(
    ("entry", "host", "want"),
    [
        ("bad.example", "bad.example", True),
        ("bad.example", "www.bad.example", True),
        ("=bad.example", "www.bad.example", False),
        ("bad.example", "example", False),
    ],
)
def test_a_site_blocked_at_once_is_found_for_its_hosts(entry: str, host: str, want: bool) -> None:
    block = SiteBlock(7, ListEntry.parse(entry, "", "report"), "reported")
    overlay = Overlay(1, blocks=(block,))
    assert overlay.block_on(host) == (block if want else None)
    assert not overlay.is_empty
    assert Overlay().block_on(host) is None
