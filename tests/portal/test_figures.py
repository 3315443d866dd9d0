"""The page of figures: charts and tables, CSV and paper, and nobody in them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.portal.house import House
from tests.portal.asking import Asking
from tests.portal.requested import stands_in
from tests.school import NOON

type Somebody = Callable[..., Any]


@pytest.fixture
def journal(here: House) -> Iterator[None]:
    directory = here.settings.journal_dir
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{NOON.date()}.jsonl"
    lines = [
        {"ts": f"{NOON.date()}T09:00:00.000+00:00", "event": "request.decided", "user": f"person-{n}",
         "group": "pupils", "verdict": verdict, "host": host, "category": category}
        for n in range(6)
        for verdict, host, category in (
            ("block", "games.example", "games"), ("monitor", "=many<b>.example", None),
        )
    ]  # fmt: skip
    alone = {**lines[1], "host": "blog-of-one.example", "group": "staff", "user": "person-99"}
    file.write_text("".join(json.dumps(line) + "\n" for line in [*lines, alone]))
    yield
    file.unlink()


@pytest.mark.usefixtures("journal")
def test_the_figures_name_nobody(somebody: Somebody) -> None:
    page = stands_in(Asking(somebody(Role.TECHNICIAN)), "/figures/")
    assert "13 requests of 7 people" in page
    assert "Games" in page
    assert "=many&lt;b&gt;.example" in page
    assert "person-" not in page
    assert "blog-of-one" not in page
    # Of the groups nothing is shown: the one would be all but the other, which is one person.
    assert page.count("<svg") == 3
    assert "2 more are not shown" in page
    assert 'fill="#b60f05"' in page


@pytest.mark.usefixtures("journal")
def test_they_come_as_a_file_and_on_paper(somebody: Somebody) -> None:
    browser = Asking(somebody(Role.HEADTEACHER))
    table = browser.get("/figures/file/?since=2026-11-23&until=2026-11-23").content.decode()
    assert "Kinds of sites,Games,6,6,6" in table.splitlines()
    assert "'=many<b>.example,6,,6" in table
    assert "Games" in stands_in(browser, "/figures/page/")
    answer = browser.get("/figures/pdf/")
    assert answer.status_code in (200, 302)
    if answer.status_code == 200:
        assert answer.content.startswith(b"%PDF-")


@pytest.mark.usefixtures("journal")
def test_of_days_without_a_line_there_is_nothing(somebody: Somebody) -> None:
    page = stands_in(Asking(somebody(Role.DSL)), "/figures/?since=2026-01-01&until=2026-01-07")
    assert "0 requests" in page


@pytest.mark.parametrize("query", ["since=2026-11-24&until=2026-11-01", "since=2000-01-01"])
def test_what_is_no_span_of_days_is_told(here: House, somebody: Somebody, query: str) -> None:
    answer = Asking(somebody(Role.DSL)).get(f"/figures/?{query}")
    assert answer.status_code == 503
    assert "no span of days" in answer.content.decode()


def test_one_at_a_time_counts(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schoolgate.portal.views import figures

    monkeypatch.setattr(figures, "_LONGEST_WAIT_SECONDS", 0.01)
    with figures._counting:
        answer = Asking(somebody(Role.DSL)).get("/figures/")
    assert "Others are counting" in answer.content.decode()
