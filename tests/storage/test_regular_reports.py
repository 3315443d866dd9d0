"""A report of a week or a term is kept once, with its mail, by however many make it at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.storage import Outbox
from schoolgate.storage.regular_reports import RegularReports
from tests.storage.days import at

AT_ONCE = 4


def test_of_many_who_make_it_at_once_one_is_kept(engine: Engine) -> None:
    store, together = RegularReports(engine), Barrier(AT_ONCE)

    def make() -> bool:
        together.wait()
        return store.add("weekly", "2026-W47", "Figures.", "Of the week", [Role.DSL], at(9))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        made = [asked.result() for asked in [threads.submit(make) for _ in range(AT_ONCE)]]
    assert sorted(made) == [False, False, False, True]
    [(mail, _)] = Outbox(engine).unsent()
    assert (mail.audience, mail.subject) == ("role:dsl", "Of the week")
    assert store.text(int(mail.about.removeprefix("figures:"))) == "Figures."
    assert store.has("weekly", "2026-W47")
    assert not store.has("termly", "2026-W47")


def test_one_that_is_not_there_is_refused(engine: Engine) -> None:
    with pytest.raises(RefusedError, match="no report 7"):
        RegularReports(engine).text(7)
