"""The lists in force: which one decides, what is wrong with which, and what is known by a host's name."""

from datetime import UTC, datetime, timedelta

from schoolgate.core.locked import LockedBy, LockedList, LockedLists, Page, PlainEntries
from schoolgate.core.urls import parse_web_url

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def locked(
    *lines: str, name: str = "iwf", date: datetime = NOON, unread: tuple[int, ...] = ()
) -> LockedList:
    """Give a list in the clear."""
    entries = PlainEntries(Page.parse(line) for line in lines)
    return LockedList(LockedBy(name, "v1", date, "ab" * 32), "Example", entries, unread=unread)


def test_the_first_list_that_has_an_address_is_named() -> None:
    lists = LockedLists((locked("bad.example/a"), locked("bad.example", name="police")))
    hit, other = (lists.at(parse_web_url(f"https://bad.example/{path}")) for path in ("a", "b"))
    assert (hit and hit.by.name, other and other.by.name) == ("iwf", "police")
    assert lists.at(parse_web_url("https://good.example/")) is None


def test_of_a_host_it_is_known_whether_it_or_a_part_of_it_is_listed() -> None:
    lists = LockedLists((locked("bad.example", "mixed.example/a"),))
    for host, whole, part in (
        ("www.bad.example", True, True),
        ("mixed.example", False, True),
        ("good.example", False, False),
    ):
        assert (lists.on(host) is not None, lists.with_part_of(host) is not None) == (whole, part)
        # The second time from what is kept.
        assert (lists.on(host) is not None) is whole


def test_answers_for_hosts_are_kept_within_a_bound() -> None:
    lists = LockedLists((locked("bad.example"),))
    for number in range(10_500):
        lists.on(f"h{number}.example")
    assert len(lists._hosts) <= 10_000


def test_a_list_is_faulty_when_it_is_refused_missing_unread_or_too_old() -> None:
    old = locked("bad.example", name="old", date=NOON - timedelta(days=8))
    slips = locked("bad.example", name="slips", unread=(3, 9))
    lists = LockedLists((locked("bad.example"), old, slips), {"refused": "is damaged"})
    assert {
        name: lists.fault(name, NOON) for name in ("iwf", "old", "slips", "refused", "gone")
    } == {
        "iwf": "",
        "old": "it is of 2026-11-15: 8 days old",
        "slips": "2 of its lines are no entries: 3, 9",
        "refused": "is damaged",
        "gone": "it is not there",
    }
