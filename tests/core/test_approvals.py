"""A grant opens a site, and a suspension closes everything, for somebody and for a time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schoolgate.core.approvals import (
    Acceptance,
    Grant,
    Overlay,
    Role,
    Subject,
    SubjectKind,
    Supervision,
    Suspension,
    acceptance,
    first,
    school_day,
)
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError

STARTS = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENDS = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
SUMMER_TIME = timezone(timedelta(hours=1))

EVERYONE = Subject(SubjectKind.EVERYONE)
PUPILS = frozenset({"pupils"})
PUPIL = Client("10.0.0.7", "pupils", user="abc", device="tablet-3")


def grant(entry: str = "example.com", subject: Subject = EVERYONE, number: int = 1) -> Grant:
    listed = ListEntry.parse(entry, "local-allow", "grants")
    return Grant(number, listed, subject, STARTS, ENDS, Role.TECHNICIAN, "for the lesson")


def suspension(subject: Subject = EVERYONE, number: int = 1) -> Suspension:
    return Suspension(number, subject, STARTS, ENDS, "misuse")


# -- subjects ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "want", "shown"),
    [
        ("everyone", EVERYONE, "everyone"),
        ("group:staff", Subject(SubjectKind.GROUP, "staff"), "group:staff"),
        ("user:abc", Subject(SubjectKind.USER, "abc"), "user:abc"),
        ("user:a:b", Subject(SubjectKind.USER, "a:b"), "user:a:b"),
        ("user:10.0.0.7", Subject(SubjectKind.USER, "10.0.0.7"), "user:10.0.0.7"),
        ("device:00:1b:44", Subject(SubjectKind.DEVICE, "00:1b:44"), "device:00:1b:44"),
        ("client:10.0.0.7", Subject(SubjectKind.CLIENT, "10.0.0.7"), "client:10.0.0.7"),
        ("10.0.0.7", Subject(SubjectKind.CLIENT, "10.0.0.7"), "client:10.0.0.7"),
        ("2001:DB8:0::7", Subject(SubjectKind.CLIENT, "2001:db8::7"), "client:2001:db8::7"),
        ("client:2001:DB8:0::7", Subject(SubjectKind.CLIENT, "2001:db8::7"),
         "client:2001:db8::7"),
    ],
)  # fmt: skip
def test_a_subject_is_everyone_a_kind_with_an_id_or_a_bare_address(
    text: str, want: Subject, shown: str
) -> None:
    assert Subject.parse(text) == want
    assert str(want) == shown
    assert Subject.parse(shown) == want


@pytest.mark.parametrize(
    "text",
    ["", ":", "abc", "everyone:", "everyone:x", "Everyone", "group:", "user:", "class:7b",
     "10.0.0", "10.0.0.256"],
)  # fmt: skip
def test_a_subject_that_names_nobody_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(RefusedError, match="names nobody: write everyone, an IP address, or"):
        Subject.parse(text)


@pytest.mark.parametrize("text", ["client:abc", "client:10.0.0", "client:10.0.0.0/8"])
def test_a_client_is_named_by_its_address(text: str) -> None:
    with pytest.raises(RefusedError, match="is not an IP address"):
        Subject.parse(text)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("everyone", True),
        ("group:pupils", True),
        ("group:staff", False),
        ("user:abc", True),
        ("user:ab", False),
        ("device:tablet-3", True),
        ("device:tablet-33", False),
        ("client:10.0.0.7", True),
        ("client:10.0.0.77", False),
        ("user:pupils", False),  # an id of another kind
        ("group:abc", False),
        ("device:10.0.0.7", False),
    ],
)
def test_a_subject_concerns_exactly_the_client_that_it_names(text: str, want: bool) -> None:
    assert Subject.parse(text).concerns(PUPIL, PUPILS) is want


# -- grants --------------------------------------------------------------------------------------


TIMES = pytest.mark.parametrize(
    ("now", "want"),
    [
        (STARTS - INSTANT, False),
        (STARTS, True),
        (NOON, True),
        (ENDS - INSTANT, True),
        (ENDS, False),
        (ENDS + timedelta(days=1), False),
        (STARTS.astimezone(SUMMER_TIME), True),  # the same instant on another clock
        (ENDS.astimezone(SUMMER_TIME), False),
        (STARTS.replace(tzinfo=SUMMER_TIME), False),  # nine o'clock there is eight here
    ],
)


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


# -- suspensions ---------------------------------------------------------------------------------


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


# -- the overlay ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("text", ["::ffff:10.0.0.7", "client:::ffff:10.0.0.7", "10.0.0.7"])
def test_an_address_is_the_one_by_which_the_client_is_known(text: str) -> None:
    assert Subject.parse(text).concerns(PUPIL, PUPILS)


def test_whoever_is_supervised_is_not_stopped() -> None:
    supervised = Supervision(1, Subject.parse("group:pupils"), STARTS, NOON, "with a teacher")
    overlay = Overlay(1, suspensions=(suspension(),), supervisions=(supervised,))
    early = STARTS + (NOON - STARTS) / 2
    assert overlay.suspension_for(PUPIL, PUPILS, early) is None
    assert overlay.suspension_for(PUPIL, PUPILS, NOON) is not None
    assert overlay.suspension_for(PUPIL, frozenset({"staff"}), early) is not None


@pytest.mark.parametrize(
    ("client", "want"),
    [
        (PUPIL, "user:abc"),
        (Client("10.0.0.7", "pupils", device="tablet-3"), "device:tablet-3"),
        (Client("10.0.0.7", "pupils"), "client:10.0.0.7"),
    ],
)
def test_a_warning_is_accepted_by_the_person_or_else_the_device_or_else_the_address(
    client: Client, want: str
) -> None:
    assert acceptance(client, "cloud", NOON) == Acceptance(want, "cloud", "2026-11-23")


@pytest.mark.parametrize(
    ("moment", "want"),
    [
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), "2026-06-30"),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), "2026-07-01"),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), "2026-11-23"),
    ],
)
def test_a_day_in_school_is_one_of_the_calendar_there(moment: datetime, want: str) -> None:
    assert school_day(moment) == want
