"""What goes beyond what was asked for is named; what lies within it is not."""

from dataclasses import replace
from typing import Any

import pytest

from schoolgate.core.approvals import Scope, Subject, widenings
from schoolgate.core.categories import ListEntry
from tests.core.approvals.school import ENDS, INSTANT, NOON, STARTS

AROUND = {
    "pupils": frozenset({"pupils"}),
    "year-4": frozenset({"year-4", "pupils"}),
    "staff": frozenset({"staff"}),
}


def scope(entry: str = "example.com/a", subject: str = "group:pupils", **more: Any) -> Scope:
    listed = ListEntry.parse(entry, "grant", "grant")
    return replace(Scope(listed, Subject.parse(subject), STARTS, ENDS), **more)


ONE = frozenset({"lessons"})
TWO = frozenset({"lessons", "break"})


@pytest.mark.parametrize(
    ("asked", "given", "want"),
    [
        (scope(), scope(), []),
        (scope(), scope("example.com/a/b"), []),
        (scope(), scope("www.example.com/a"), []),
        (scope(), scope("=example.com/a"), []),
        (scope(), scope("example.com/ab"), ["example.com/ab instead of example.com/a"]),
        (scope(), scope("example.com"), ["example.com instead of example.com/a"]),
        (scope("=example.com"), scope("example.com"), ["example.com instead of =example.com"]),
        (scope("=example.com"), scope("=www.example.com"), ["=www.example.com instead of =example.com"]),
        (scope("www.example.com"), scope("example.com"), ["example.com instead of www.example.com"]),
        (scope(page="/a?b"), scope(), ["example.com/a instead of example.com/a?b"]),
        (scope(page="/a?b"), scope(page="/a?c"), ["example.com/a?c instead of example.com/a?b"]),
        (scope(), scope(page="/a?b"), []),
        (scope(), scope(subject="group:year-4"), []),
        (scope(subject="group:year-4"), scope(), ["for group:pupils instead of group:year-4"]),
        (scope(), scope(subject="user:abc"), ["for user:abc instead of group:pupils"]),
        (scope(subject="everyone"), scope(subject="user:abc"), []),
        (scope(subject="user:abc"), scope(subject="user:ab"), ["for user:ab instead of user:abc"]),
        (scope(), scope(starts=NOON, ends=NOON + INSTANT), []),
        (scope(), scope(starts=STARTS - INSTANT), ["from an earlier time"]),
        (scope(), scope(ends=ENDS + INSTANT), ["until a later time"]),
        (scope(), scope(periods=ONE, networks=ONE), []),
        (scope(periods=TWO), scope(periods=ONE), []),
        (scope(periods=ONE), scope(periods=TWO), ["in other periods of the day"]),
        (scope(periods=ONE), scope(), ["in other periods of the day"]),
        (scope(networks=ONE), scope(networks=TWO), ["from other networks"]),
        (scope(networks=ONE), scope(), ["from other networks"]),
    ],
)  # fmt: skip
def test_each_way_to_open_more_is_named(asked: Scope, given: Scope, want: list[str]) -> None:
    assert widenings(asked, given, AROUND) == want
