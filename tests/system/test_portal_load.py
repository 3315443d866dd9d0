"""Everybody asks at once: nobody gets an error, and every request is stored."""

import pytest

from benchmarks.portal import staff, stored, work

pytestmark = pytest.mark.long
PEOPLE = 24


def test_when_all_ask_at_once_nobody_gets_an_error_and_all_is_stored() -> None:
    with staff(PEOPLE) as here:
        work(here, 3.0)
        assert stored(here) == 2 * PEOPLE
    for taken in (here.signed_in, here.opened, here.sent, here.sent_at_once):
        assert taken.errors == []
        assert len(taken.milliseconds) == PEOPLE
