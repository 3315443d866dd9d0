"""Copies of lists: what is known of them, and when they are asked for again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.lists.copies import Copies, CopyState
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.fetching import Version

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_DAY = timedelta(days=1)
_LIST = FeedList("one", "bets", "https://one.example/bets", "plain", "gambling", 1, 9, on=True)


def _kept(copies: Copies) -> CopyState:
    state = CopyState("f00", {"": Version('"tag"', "Mon")}, _NOW, _NOW, address=_LIST.address)
    copies.make_room(_LIST)
    copies.part(_LIST).write_bytes(b"one.example\n")
    copies.keep(_LIST, state)
    return state


def test_what_is_kept_is_known_again(tmp_path: Path) -> None:
    copies = Copies(tmp_path)
    assert copies.known(_LIST) == CopyState(address=_LIST.address)
    state = _kept(copies)
    assert copies.known(_LIST) == state
    assert copies.path(_LIST).read_bytes() == b"one.example\n"
    assert not copies.part(_LIST).exists()


def test_a_copy_from_another_address_is_no_copy(tmp_path: Path) -> None:
    copies = Copies(tmp_path)
    _kept(copies)
    moved = FeedList("one", "bets", "https://two.example/", "plain", "gambling", 1, 9, on=True)
    assert copies.known(moved) == CopyState(address="https://two.example/")


def test_a_copy_that_was_lost_is_fetched_whole(tmp_path: Path) -> None:
    copies = Copies(tmp_path)
    _kept(copies)
    copies.path(_LIST).unlink()
    assert (copies.known(_LIST).digest, copies.known(_LIST).versions) == ("", None)


def test_where_nothing_is_to_change_nothing_does(tmp_path: Path) -> None:
    copies = Copies(tmp_path / "state", tmp_path / "aside")
    _kept(copies)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("failures", "after", "due"),
    [
        (0, timedelta(hours=23), False),
        (0, _DAY, True),
        (1, timedelta(minutes=14), False),
        (1, timedelta(minutes=15), True),
        (3, timedelta(minutes=59), False),
        (3, timedelta(minutes=60), True),
        (40, timedelta(hours=23), False),
        (40, _DAY, True),
        # A clock that was put back.
        (0, timedelta(days=-3), True),
    ],
)
def test_a_list_is_due(failures: int, after: timedelta, due: bool) -> None:
    assert CopyState(tried_at=_NOW, failures=failures).is_due(_DAY, _NOW + after) is due


def test_a_list_that_was_never_asked_for_is_due() -> None:
    assert CopyState().is_due(_DAY, _NOW)
