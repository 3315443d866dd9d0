"""How the lists of others stand, in a sentence for doctor and for the portal."""

from datetime import UTC, datetime, timedelta

import pytest

from schoolgate.lists.feed_states import FeedState
from schoolgate.services.feed_finding import feeds_finding

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("states", "said", "note"),
    [
        ([], "no lists of others are fetched", False),
        (
            [FeedState("one", _NOW - timedelta(hours=36), 3000, 0, ())],
            "1 feeds, 3,000 entries; the oldest of 1.5 days ago",
            False,
        ),
        (
            [FeedState("one", None, 0, 0, ("one:x fails",)), FeedState("two", _NOW, 5, 2, ())],
            (
                "2 feeds, 5 entries; the oldest of 0.0 days ago; updates wait for a person (two): "
                "schoolgate lists diff; could not be had the last time: one"
            ),
            True,
        ),
    ],
)
def test_it_is_said_in_a_sentence(states: list[FeedState], said: str, note: bool) -> None:
    found = feeds_finding(states, _NOW)
    assert (found.said, found.ok, found.is_note) == (said, True, note)
