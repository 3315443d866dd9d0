"""How a feed stands: as old as its oldest list, and with what waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from schoolgate.core.gate import Finding, Ground
from schoolgate.lists.copies import Copies, CopyState
from schoolgate.lists.feed_states import FeedState, feed_states
from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.reports import ListReport, Result, write_reports

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _list(name: str) -> FeedList:
    return FeedList("one", name, f"https://one.example/{name}", "plain", "games", 1, 9, on=True)


def test_a_feed_is_as_old_as_its_oldest_list(tmp_path: Path) -> None:
    copies = Copies(tmp_path)
    for name, hours in (("x", 2), ("y", 30)):
        copies.note(_list(name), CopyState("", None, _NOW - timedelta(hours=hours)))
    waits = Finding("google.com", Ground.POPULAR)
    write_reports(
        tmp_path,
        {
            "one:x": ListReport("one:x", Result.LIVE, findings=(waits,)),
            "one:y": ListReport("one:y", Result.FAILED, "is empty"),
        },
    )
    (state,) = feed_states(tmp_path, [_list("x"), _list("y")])
    assert state == FeedState("one", _NOW - timedelta(hours=30), 0, 1, ("one:y is empty",))
    assert state.age_seconds(_NOW) == 30 * 3600
    (state,) = feed_states(tmp_path, [_list("x"), _list("y"), _list("z")])
    assert state.fetched_at is None
    assert state.age_seconds(_NOW) == float("inf")
