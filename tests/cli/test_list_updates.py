"""`schoolgate lists update | diff | approve | rollback`, from a publisher on loopback."""

from collections.abc import Iterator

import pytest

from tests.cli.ended import DONE, NO, Ended, lines, refused, run
from tests.publisher import Publisher, listed, publishing, register
from tests.school import School


@pytest.fixture
def publisher(school: School) -> Iterator[Publisher]:
    """A publisher whose one list the school has."""
    with publishing() as found:
        feeds = register(found.base, one={"lists": {"bets": listed("bets.txt")}})
        (school.categories / "feeds.yaml").write_text(feeds)
        (school.categories / "popular-hosts.txt").write_text("popular.example\n")
        found.lists["bets.txt"] = b"one.example\nco.uk\npopular.example\nx y\n"
        yield found


def _shown(school: School, host: str) -> Ended:
    return run(school, "lists", "show", host)


def test_a_technicians_day(school: School, publisher: Publisher) -> None:
    said = lines(run(school, "lists", "update", "--dry-run"))
    assert said[0] == "one:bets: live: 1 entry waits for a person"
    assert said[-1].endswith("generation 1 would be live, 1 entries more, 0 less")
    assert _shown(school, "one.example").returncode == NO

    said = lines(run(school, "lists", "update"))
    assert said[-1].endswith("generation 1 is live, 1 entries more, 0 less")
    assert any("one" in line.split() for line in lines(_shown(school, "one.example")))

    said = lines(run(school, "lists", "diff"))
    assert said[0].startswith("generation 1, live since ")
    for line in (
        "  waits    popular.example: is one of the most visited hosts (and only one feed says gambling)",
        "  dropped  co.uk: is a public suffix",
        "  no entry line 4: 'x y' is not a host name",
        "  +one.example",
    ):
        assert line in said

    assert lines(run(school, "lists", "approve", "one", "popular.example")) == [
        "approved: one:bets: popular.example",
        "generation 2 is live.",
    ]
    assert lines(run(school, "lists", "rollback", "1")) == [
        "generation 1 is live, instead of 2.",
        "held until approved: one:bets",
    ]
    audit = run(school, "audit", "list").stdout
    assert "lists.approved" in audit
    assert "lists.rolled-back" in audit


def test_a_list_that_cannot_be_had_is_told_and_exits_1(
    school: School, publisher: Publisher
) -> None:
    del publisher.lists["bets.txt"]
    ended = run(school, "lists", "update")
    assert ended.returncode == NO
    assert "one:bets: failed: cannot be had: the server answers 404" in ended.stdout


def test_what_cannot_be_done_is_said_in_a_sentence(school: School, publisher: Publisher) -> None:
    refused(run(school, "lists", "approve", "one"), NO, "nothing of that waits")
    refused(run(school, "lists", "update", "two"), NO, "'two' is no feed that is fetched here")
    refused(run(school, "lists", "rollback", "3"), NO, "no generation 3; there are: none")


def test_without_feeds_there_is_nothing_to_do(school: School) -> None:
    ended = run(school, "lists", "update")
    assert (ended.returncode, ended.stdout) == (
        DONE,
        "No feed is on: see lists.feeds in schoolgate.yaml.\n",
    )
    assert lines(run(school, "lists", "diff")) == [
        "No list was ever fetched: schoolgate lists update."
    ]
