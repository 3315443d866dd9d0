"""Asking publishers: several hosts at once, each politely, and none again that is not there."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.lists.copies import Copies, CopyState
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.fetching import Way
from schoolgate.services.feed_fetching import Came, fetch_all, host_of
from tests import publisher as answers
from tests.publisher import Publisher, publishing

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_NOBODY = "http://127.0.0.1:1/"
_SECONDS = 60


class Asking:
    """Asks for lists, whose copies are below a directory."""

    def __init__(self, root: Path) -> None:
        self.copies = Copies(root)
        self.waited: list[float] = []

    def __call__(self, *lists: FeedList) -> dict[str, Came]:
        way = Way(sleep=self.waited.append)
        came = fetch_all(lists, self.copies, way, _NOW, lambda *_: None)
        return {one.listed.id: one for one in came}


def _list(base: str, name: str) -> FeedList:
    return FeedList("feed", name, f"{base}{name}.txt", "plain", "gambling", 1, 100, True)


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    return Asking(tmp_path)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as found:
        yield found


def test_nothing_is_asked_for_where_nothing_is_due(asking: Asking) -> None:
    assert asking() == {}


def test_the_host_of_a_list_is_who_publishes_it() -> None:
    assert host_of(_list("https://lists.example:8443/a/", "x")) == "lists.example:8443"


def test_hosts_are_asked_at_once(asking: Asking, publisher: Publisher) -> None:
    """Each answers only when the other was asked, too."""
    both = threading.Barrier(2)

    def together(handler: answers.Handler) -> None:
        both.wait(_SECONDS)
        handler.with_etag(b"one.example\n")

    with publishing() as other:
        publisher.lists["a.txt"] = other.lists["b.txt"] = together
        came = asking(_list(publisher.base, "a"), _list(other.base, "b"))
    assert [one.state.why for one in came.values()] == ["", ""]


def test_a_host_is_asked_for_one_list_after_the_other_on_one_connection(
    asking: Asking, publisher: Publisher
) -> None:
    ports, at_once, most = set(), [0], [0]

    def watched(handler: answers.Handler) -> None:
        ports.add(handler.client_address[1])
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        handler.with_etag(b"one.example\n")
        at_once[0] -= 1

    names = [f"list{number}" for number in range(12)]
    publisher.lists |= {f"{name}.txt": watched for name in names}
    came = asking(*(_list(publisher.base, name) for name in names))
    assert all(one.is_new for one in came.values())
    assert (len(came), most[0], len(ports)) == (12, 1, 1)


def test_a_host_that_is_not_there_is_given_up_with_all_its_lists(
    asking: Asking, publisher: Publisher
) -> None:
    publisher.lists["here.txt"] = b"one.example\n"
    away = [_list(_NOBODY, f"away{number}") for number in range(30)]
    came = asking(*away, _list(publisher.base, "here"))
    assert came["feed:here"].is_new
    del came["feed:here"]
    assert all(one.unreachable and not one.is_new for one in came.values())
    assert {one.state.why for one in came.values()} == {
        "cannot be reached: Connection refused (2 tries)"
    }
    assert {one.state.failures for one in came.values()} == {1}
    # Once for all of them.
    assert asking.waited == [1.0]


@pytest.mark.parametrize("status", [404, 500])
def test_a_host_that_has_no_list_of_a_name_is_asked_for_the_others(
    asking: Asking, publisher: Publisher, status: int
) -> None:
    publisher.lists["a.txt"] = answers.failing(status, 9, b"")
    publisher.lists["b.txt"] = b"one.example\n"
    came = asking(_list(publisher.base, "a"), _list(publisher.base, "b"))
    assert f"answers {status}" in came["feed:a"].state.why
    assert not came["feed:a"].unreachable
    assert came["feed:b"].is_new


def test_a_copy_that_we_have_is_new_when_it_differs(asking: Asking, publisher: Publisher) -> None:
    listed = _list(publisher.base, "a")
    for text, is_new in ((b"one.example\n", True), (b"one.example\n", False), (b"two\n", True)):
        publisher.lists["a.txt"] = text
        came = asking(listed)["feed:a"]
        assert came.is_new is is_new
        if is_new:
            asking.copies.keep(listed, came.state)
    assert asking.copies.known(listed) != CopyState()
