"""How the lists of others stand, in a sentence; apart, as it needs what looks at the whole gateway."""

from collections.abc import Sequence
from datetime import datetime

from schoolgate.lists.feed_states import FeedState
from schoolgate.services.probing import Finding


def feeds_finding(states: Sequence[FeedState], now: datetime) -> Finding:
    """Say how the lists of others stand, in a sentence.

    Args:
        states: of the feeds.
        now: aware.
    """
    if not states:
        return Finding("feeds", True, "no lists of others are fetched")
    said = [f"{len(states)} feeds, {sum(one.domains for one in states):,} entries"]
    ages = [one.age_seconds(now) for one in states if one.fetched_at]
    if ages:
        said.append(f"the oldest of {max(ages) / 86_400:.1f} days ago")
    held = [one.feed for one in states if one.held]
    if held:
        said.append(f"updates wait for a person ({', '.join(held)}): schoolgate lists diff")
    failed = [one.feed for one in states if one.failed]
    if failed:
        said.append(f"could not be had the last time: {', '.join(failed)}")
    return Finding("feeds", True, "; ".join(said), is_note=bool(held or failed))
