"""`schoolgate lists update | diff | approve | rollback`, from a publisher on loopback."""

from collections.abc import Iterator

import pytest

from tests.cli.ended import DONE, NO, OUT_OF_REACH, Ended, lines, refused, run
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


def test_each_line_of_a_hostile_feed_is_named_in_diff(school: School, publisher: Publisher) -> None:
    # The first letter of the school's own domain is Cyrillic.
    alike = "\u04bbill.org.uk".encode("idna").decode()
    school.write_config(lists={"dirs": ["categories"], "own_domains": ["hill.org.uk"]})
    (school.categories / "popular-hosts.txt").write_text("google.com\n")
    (school.categories / "never-block.txt").write_text("login.example\n")
    good = [f"bad{number}.example" for number in range(50)]
    publisher.lists["bets.txt"] = "\n".join(good).encode()
    run(school, "lists", "update")
    held = ["google.com", "hill.org.uk", "login.example", "ox.ac.uk", alike]
    dropped = ["gov.uk", "co.uk"]
    no_entries = {
        "localhost": "localhost",
        "10.0.0.0/8": "10.0.0.0/8",
        "a" * 300 + ".example": "a" * 60,
        "nul\0.example": "nul\\x00",
    }
    hostile = [*good, *held, *dropped, *no_entries]
    publisher.lists["bets.txt"] = "\n".join(hostile).encode()
    run(school, "lists", "update")
    said = lines(run(school, "lists", "diff", "--all"))
    for sign, names in (
        ("waits", held),
        ("dropped", dropped),
        ("no entry", list(no_entries.values())),
    ):
        for name in names:
            assert any(sign in line and name in line for line in said), (sign, name, said)
    assert not [line for line in said if line.startswith("  +")]
    for name in (*held, *dropped):
        assert "one" not in _shown(school, name).stdout.split()


def test_a_list_that_cannot_be_had_is_told_and_exits_1(
    school: School, publisher: Publisher
) -> None:
    del publisher.lists["bets.txt"]
    ended = run(school, "lists", "update")
    assert ended.returncode == NO
    assert "one:bets: failed: cannot be had: the server answers 404" in ended.stdout


def test_without_a_network_it_is_said_in_a_sentence_who_can_mend_it(school: School) -> None:
    bases = ("http://127.0.0.1:1/", "http://127.0.0.1:2/")
    names = [f"list{number}" for number in range(40)]
    feeds = register(
        "",
        one={"base": bases[0], "lists": {name: listed(f"{name}.txt") for name in names}},
        two={"base": bases[1], "lists": {name: listed(f"{name}.txt") for name in names}},
    )
    (school.categories / "feeds.yaml").write_text(feeds)
    for arguments in (("--dry-run",), ()):
        ended = run(school, "lists", "update", *arguments)
        refused(ended, OUT_OF_REACH, "No publisher of lists can be reached: .*school's network can")


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
