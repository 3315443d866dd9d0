"""What is counted of scripted sessions is what was delivered, to one segment; the page has the figures."""

import pytest

from benchmarks.metering.sessions import SEGMENT_SECONDS, Outcome, outcomes, table
from tests.gateway import ROOT


@pytest.mark.parametrize("outcome", list(outcomes()), ids=lambda each: each.session)
def test_what_is_counted_is_what_was_delivered_to_one_segment(outcome: Outcome) -> None:
    assert abs(outcome.counted - outcome.delivered) <= SEGMENT_SECONDS
    assert outcome.counted >= outcome.watched


def test_the_page_has_the_table_as_it_comes_out() -> None:
    assert table() in (ROOT / "docs/metering.md").read_text()
