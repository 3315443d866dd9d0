"""Grants of the register, found by words, state, who, category and dates."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schoolgate.core.approvals import AccessRequest, Grant, Role, State, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.services.grant_search import Sought, Standing, found
from tests.services.requested import NINE, form

DAY = timedelta(days=1)
REQUEST = AccessRequest(
    7, 1, State.APPROVED, "tess@school.example", frozenset(), form(staff_name="Tess Teacher"), NINE
)


def grant(number: int, site: str, begins: int, ends: int, request: int | None = None) -> Grant:
    entry = ListEntry.parse(site, "grant", "grant")
    subject = Subject.parse("group:staff" if number % 2 else "client:10.0.0.7")
    times = (NINE + begins * DAY, NINE + ends * DAY)
    return Grant(number, entry, subject, *times, Role.HEADTEACHER, "For Year 4.", request=request)


GRANTS = [
    grant(1, "past.example", -9, -1),
    grant(2, "soon.example", -9, 3),
    grant(3, "long.example/a", -1, 30, request=7),
    grant(4, "next.example", 2, 30),
]
ALL = Sought(standing=Standing.ALL)


@pytest.mark.parametrize(
    ("sought", "want"),
    [
        (Sought(), [4, 3, 2]),
        (ALL, [4, 3, 2, 1]),
        (Sought(standing=Standing.SOON), [2]),
        (Sought(standing=Standing.ENDED), [1]),
        (replace(ALL, words="  EXAMPLE year "), [4, 3, 2, 1]),
        (replace(ALL, words="long.example/a"), [3]),
        (replace(ALL, words="adverts tables"), [3]),
        (replace(ALL, words="adverts soon"), []),
        (replace(ALL, who="Tess"), [3]),
        (replace(ALL, who="tess@school"), [3]),
        (replace(ALL, who="10.0.0.7"), [4, 2]),
        (replace(ALL, who="head"), [4, 3, 2, 1]),
        (replace(ALL, who="named 3"), [3]),
        (replace(ALL, category="games"), [2, 1]),
        (replace(ALL, since=NINE - DAY), [4, 3, 2]),
        (replace(ALL, until=NINE), [3, 2, 1]),
        (replace(ALL, since=NINE + 3 * DAY, until=NINE + 4 * DAY), [4, 3]),
    ],
)
def test_what_is_looked_for_is_found_the_newest_first(sought: Sought, want: list[int]) -> None:
    kept = found(
        GRANTS,
        sought,
        NINE,
        requests=lambda: [REQUEST],
        named=lambda one: f"named {one.id}",
        categories=lambda one: frozenset({"games"} if one.id < 3 else ()),
    )
    assert [one.id for one in kept] == want


def test_requests_are_read_only_where_their_words_matter() -> None:
    def never() -> list[AccessRequest]:
        raise AssertionError

    kept = found(
        GRANTS, Sought(), NINE, requests=never, named=str, categories=lambda _: frozenset()
    )
    assert len(kept) == 3
