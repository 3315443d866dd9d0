"""Updates of the lists of others, from a publisher on loopback to what the school's lists say."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schoolgate import bootstrap
from schoolgate.core.errors import RefusedError
from schoolgate.core.gate import Ground
from schoolgate.lists.generations import kept_generations, live_generation
from schoolgate.lists.reports import Result, read_reports
from schoolgate.services import feed_updates
from schoolgate.services.feed_making import Surroundings, Update
from schoolgate.services.feed_rollback import roll_back
from schoolgate.settings import load_settings
from tests import publisher as answers
from tests.publisher import Publisher, listed, publishing, register
from tests.school import School, category_text, write_school

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Updating:
    """A school whose lists come from the publisher of the test."""

    def __init__(self, root: Path, publisher: Publisher) -> None:
        self.school: School = write_school(root / "school")
        self.publisher = publisher
        self.now = _NOW
        self.waited: list[float] = []
        (self.school.categories / "education.yaml").write_text(
            category_text("education", "Education", ["ac.uk", "mit.edu"], protected=True)
        )
        (self.school.categories / "popular-hosts.txt").write_text("google.com\nwww.bbc.co.uk\n")
        (self.school.categories / "never-block.txt").write_text("login.example\n")
        self.register(one={"lists": {"bets": listed("bets.txt")}})

    def register(self, **feeds: dict[str, object]) -> None:
        (self.school.categories / "feeds.yaml").write_text(register(self.publisher.base, **feeds))

    def publish(self, path: str, content: Any) -> None:
        self.publisher.lists[path] = content

    @property
    def around(self) -> Surroundings:
        settings = load_settings(self.school.config, {})
        around = bootstrap.surroundings_of(settings)
        way = replace(around.way, sleep=self.waited.append)
        return replace(around, now=lambda: self.now, way=way, own=("hill.org.uk",))

    def update(self, *names: str, **keys: Any) -> Update:
        return feed_updates.update(self.around, names=names, **keys)

    @property
    def state(self) -> Path:
        return self.school.state / "lists"

    def listed(self, host: str) -> list[str]:
        """Give the lists that have a host, as a gateway would."""
        engine = bootstrap.load_engine(load_settings(self.school.config, {}))
        return [f"{entry.feed}:{entry.category}" for entry in engine.listed(host, "/")]

    def report(self, name: str = "one:bets") -> list[str]:
        return [str(finding) for finding in read_reports(self.state)[name].findings]

    def visited(self, host: str, *users: str, **keys: object) -> None:
        """Write visits of the day before into the journal."""
        at = self.now - timedelta(days=1)
        file = self.school.state / "journal" / f"{at.date()}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as journal:
            for user in users:
                line = {
                    "ts": at.isoformat(), "event": "request.decided", "client": "192.0.2.7",
                    "user": user, "group": "pupils", "host": host, "url": f"https://{host}/",
                    "verdict": "monitor", **keys,
                }  # fmt: skip
                journal.write(json.dumps(line, separators=(",", ":")) + "\n")


@pytest.fixture
def updating(tmp_path: Path) -> Iterator[Updating]:
    with publishing() as publisher:
        yield Updating(tmp_path, publisher)


def test_what_is_published_is_in_use(updating: Updating) -> None:
    updating.publish("bets.txt", b"one.example\ntwo.example\n")
    done = updating.update()
    assert (done.asked, done.failed, done.waiting) == (1, [], [])
    assert done.generation
    assert (done.generation.number, done.generation.added) == (1, 2)
    assert updating.listed("www.one.example") == ["one:gambling"]


def test_what_did_not_change_is_not_fetched_again_and_makes_no_generation(
    updating: Updating,
) -> None:
    updating.publish("bets.txt", b"one.example\n")
    updating.update()
    before = updating.state / "generations"
    assert updating.update().generation is None
    assert [path.name for path in before.iterdir()] == ["1"]
    assert "If-None-Match" in updating.publisher.asked[-1][1]


def test_a_list_that_changed_makes_a_generation_that_shares_the_other_lists(
    updating: Updating,
) -> None:
    updating.register(
        one={"lists": {"bets": listed("bets.txt")}}, two={"lists": {"games": listed("games.txt", "games")}}
    )  # fmt: skip
    updating.publish("bets.txt", b"one.example\n")
    updating.publish("games.txt", b"play.example\n")
    updating.update()
    updating.publish("bets.txt", b"one.example\nthree.example\n")
    done = updating.update()
    assert done.generation
    assert (done.generation.number, done.generation.added) == (2, 1)
    first, second = kept_generations(updating.state)
    games = first.lists["two:games"]
    assert first.path_of(games).samefile(second.path_of(games))
    assert updating.listed("three.example") == ["one:gambling"]
    assert updating.listed("play.example") == ["two:games"]


def test_one_list_that_fails_leaves_the_others_and_its_last_good_copy(updating: Updating) -> None:
    updating.register(
        one={"lists": {"bets": listed("bets.txt")}}, two={"lists": {"games": listed("games.txt", "games")}}
    )  # fmt: skip
    updating.publish("bets.txt", b"one.example\n")
    updating.publish("games.txt", b"play.example\n")
    updating.update()
    updating.publish("bets.txt", answers.failing(500, 99, b""))
    updating.publish("games.txt", b"play.example\nmore.example\n")
    done = updating.update()
    assert [(one.id, one.why) for one in done.failed] == [
        ("one:bets", "cannot be had: the server answers 500 (4 tries)")
    ]
    assert updating.listed("one.example") == ["one:gambling"]
    assert updating.listed("more.example") == ["two:games"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (answers.page(), "a web page came"),
        (b"<!DOCTYPE html>\n<html>Sign in</html>", "a web page came"),
        (bytes(range(256)) * 100, "binary"),
        (b"no\nhosts\nat\nall\nhere.example\n", "are no host"),
        (b"", "is empty"),
        (answers.zeros(), "larger than"),
        (answers.cut_off(b"one.example\n" * 50), "cut off"),
    ],
)
def test_what_is_no_list_is_refused_and_the_last_good_one_stays(
    updating: Updating, content: Any, why: str
) -> None:
    updating.publish("bets.txt", b"one.example\n")
    updating.update()
    updating.publish("bets.txt", content)
    (failed,) = updating.update().failed
    assert why in failed.why
    assert read_reports(updating.state)["one:bets"].result is Result.FAILED
    assert updating.listed("one.example") == ["one:gambling"]
    updating.publish("bets.txt", b"one.example\ntwo.example\n")
    assert updating.update().failed == []
    assert updating.listed("two.example") == ["one:gambling"]


def test_a_list_that_moved_is_followed(updating: Updating) -> None:
    updating.publish("moved.txt", b"one.example\n")
    updating.publish("bets.txt", answers.redirecting(f"{updating.publisher.base}moved.txt"))
    assert updating.update().failed == []
    assert updating.listed("one.example") == ["one:gambling"]


def test_a_list_that_takes_too_long_is_given_up_and_the_others_are_in_use(
    updating: Updating,
) -> None:
    updating.register(
        one={"lists": {"bets": listed("bets.txt"), "play": listed("play.txt", "games")}}
    )
    ticks = [0.0]

    def slow(handler: answers.Handler) -> None:
        handler.begin()
        ticks[0] += 1_000
        handler.wfile.write(b"slow.example\n")

    updating.publish("bets.txt", slow)
    updating.publish("play.txt", b"play.example\n")
    way = replace(updating.around.way, clock=lambda: ticks[0])
    (failed,) = feed_updates.update(replace(updating.around, way=way)).failed
    assert failed.id == "one:bets"
    assert "too slow" in failed.why
    assert updating.listed("slow.example") == []
    assert updating.listed("play.example") == ["one:games"]


def test_a_list_is_asked_for_when_it_is_due(updating: Updating) -> None:
    updating.publish("bets.txt", b"one.example\n")
    assert updating.update(due_only=True).asked == 1
    updating.now += timedelta(hours=23)
    assert updating.update(due_only=True).asked == 0
    updating.now += timedelta(hours=2)
    assert updating.update(due_only=True).asked == 1


def test_after_a_failure_it_is_asked_for_sooner_and_later_each_time(updating: Updating) -> None:
    waits = []
    for minutes in (0, 15, 30, 60):
        updating.now += timedelta(minutes=minutes - 1)
        assert not minutes or updating.update(due_only=True).asked == 0
        updating.now += timedelta(minutes=1)
        waits.append(updating.update(due_only=True).asked)
    assert waits == [1, 1, 1, 1]


def test_a_dry_run_says_what_would_be_and_changes_nothing(updating: Updating) -> None:
    updating.publish("bets.txt", b"one.example\nco.uk\n")
    done = updating.update(dry=True)
    assert done.generation
    assert done.generation.added == 1
    assert [str(one) for one in done.reports["one:bets"].findings] == ["co.uk: is a public suffix"]
    assert live_generation(updating.state) is None
    assert [path.name for path in updating.state.iterdir()] == [".updating"]
    assert updating.listed("one.example") == []


def test_a_feed_that_turns_hostile_brings_nothing_in_and_each_line_is_named(
    updating: Updating,
) -> None:
    good = [b"bad%d.example" % number for number in range(50)]
    updating.publish("bets.txt", b"\n".join(good))
    updating.update()
    # The first letter of the school's own domain is Cyrillic.
    alike = "\u04bbill.org.uk".encode("idna").decode()
    hostile = ["google.com", "gov.uk", "co.uk", "localhost", "10.0.0.0/8", "a" * 300 + ".example",
               "nul\0.example", alike, "ox.ac.uk", "mit.edu", "login.example", "hill.org.uk"]  # fmt: skip
    updating.publish("bets.txt", b"\n".join(good) + b"\n" + "\n".join(hostile).encode() + b"\n")
    done = updating.update()
    assert done.generation is None or done.generation.added == 0
    report = read_reports(updating.state)["one:bets"]
    grounds = {finding.entry: finding.ground for finding in report.findings}
    assert grounds == {
        "google.com": Ground.POPULAR,
        "gov.uk": Ground.PUBLIC_SUFFIX,
        "co.uk": Ground.PUBLIC_SUFFIX,
        alike: Ground.LOOKS_LIKE,
        "ox.ac.uk": Ground.NEVER,
        "mit.edu": Ground.NEVER,
        "login.example": Ground.NEVER,
        "hill.org.uk": Ground.NEVER,
    }
    assert report.fault_count == 4
    named = "\n".join(report.faults)
    assert all(said in named for said in ("localhost", "10.0.0.0/8", "aaaa", "nul\\x00"))
    for host in hostile:
        if host.isascii() and "/" not in host and "\0" not in host and len(host) < 200:
            assert "one:gambling" not in updating.listed(f"www.{host}" if "." in host else host)


def test_what_waits_goes_live_when_somebody_approves_it(updating: Updating) -> None:
    updating.publish("bets.txt", b"google.com\nox.ac.uk\nother.example\n")
    updating.update()
    assert updating.listed("google.com") == []
    said = feed_updates.approve(updating.around, ["one"], ["google.com"])
    assert said == ["one:bets: google.com"]
    updating.update(fetch=False)
    assert updating.listed("google.com") == ["one:gambling"]
    assert updating.listed("ox.ac.uk") == [
        "curated:education"
    ] or "one:gambling" not in updating.listed("ox.ac.uk")
    feed_updates.approve(updating.around, ["one"], [])
    updating.update(fetch=False)
    assert "one:gambling" in updating.listed("ox.ac.uk")
    with pytest.raises(RefusedError, match="nothing of that waits"):
        feed_updates.approve(updating.around, ["one"], [])


def test_what_was_approved_stays_so_at_the_next_update(updating: Updating) -> None:
    updating.publish("bets.txt", b"google.com\nother.example\n")
    updating.update()
    feed_updates.approve(updating.around, ["one"], [])
    updating.update(fetch=False)
    updating.publish("bets.txt", b"google.com\nother.example\nmore.example\n")
    assert updating.update().waiting == []
    assert updating.listed("google.com") == ["one:gambling"]


def test_two_feeds_that_agree_close_a_popular_host(updating: Updating) -> None:
    updating.register(
        one={"lists": {"bets": listed("bets.txt")}}, two={"lists": {"bets": listed("too.txt")}}
    )
    updating.publish("bets.txt", b"google.com\n")
    updating.publish("too.txt", b"other.example\n")
    updating.update()
    assert updating.listed("google.com") == []
    updating.publish("too.txt", b"other.example\ngoogle.com\n")
    updating.update()
    assert updating.listed("google.com") == ["one:gambling", "two:gambling"]


def _many(count: int) -> bytes:
    return b"".join(b"bad%d.example\n" % number for number in range(count))


@pytest.mark.parametrize(("count", "why"), [(60, "shrank from 100 to 60"), (30, "the least")])
def test_a_list_that_shrinks_too_much_is_held_whole(
    updating: Updating, count: int, why: str
) -> None:
    updating.register(one={"lists": {"bets": listed("bets.txt", least=50)}})
    updating.publish("bets.txt", _many(100))
    updating.update()
    updating.publish("bets.txt", _many(count))
    (held,) = updating.update().waiting
    assert held.result is Result.HELD
    assert why in held.why
    assert updating.listed("bad99.example") == ["one:gambling"]
    # It goes on waiting, and is not judged again and again.
    assert updating.update().reports == {}
    feed_updates.approve(updating.around, ["one:bets"], [])
    updating.update(fetch=False)
    assert updating.listed("bad99.example") == []


def test_a_list_that_grows_too_much_is_held_whole(updating: Updating) -> None:
    updating.publish("bets.txt", _many(1_500))
    updating.update()
    updating.publish("bets.txt", _many(4_000))
    (held,) = updating.update().waiting
    assert held.why == "grew from 1,500 to 4,000 entries"
    assert updating.listed("bad3999.example") == []


def test_a_rollback_is_held_until_somebody_approves(updating: Updating) -> None:
    updating.publish("bets.txt", _many(100))
    updating.update()
    updating.publish("bets.txt", _many(101))
    updating.update()
    assert updating.listed("bad100.example") == ["one:gambling"]
    assert roll_back(updating.state, 1, "taken back") == (2, ["one:bets"])
    assert updating.listed("bad100.example") == []
    updating.publish("bets.txt", _many(102))
    (held,) = updating.update().waiting
    assert held.why == "taken back"
    assert updating.listed("bad100.example") == []
    feed_updates.approve(updating.around, ["one"], [])
    updating.update(fetch=False)
    assert updating.listed("bad101.example") == ["one:gambling"]


def test_generation_0_is_without_fetched_lists(updating: Updating) -> None:
    updating.publish("bets.txt", _many(10))
    updating.update()
    roll_back(updating.state, 0, "taken back")
    assert updating.listed("bad1.example") == []
    with pytest.raises(RefusedError, match="no generation 7; there are: 1"):
        roll_back(updating.state, 7, "taken back")


def test_some_generations_are_kept(updating: Updating) -> None:
    for number in range(1, 9):
        updating.publish("bets.txt", _many(100 + number))
        updating.update()
    assert [one.number for one in kept_generations(updating.state)] == [4, 5, 6, 7, 8]


def test_what_many_people_visited_waits_and_what_few_did_is_said(updating: Updating) -> None:
    updating.visited("www.many.example", *(f"user{number}" for number in range(6)))
    updating.visited("few.example", "user1", "user2")
    updating.visited("blocked.example", *(f"user{number}" for number in range(6)), verdict="block")
    updating.publish("bets.txt", b"many.example\nfew.example\nblocked.example\nother.example\n")
    done = updating.update()
    assert str(done.replayed) == (
        "this update would newly block 2 sites that 6 people used in the last seven days"
    )
    assert updating.report() == ["many.example: is in use here (www.many.example, 6 people)"]
    assert updating.listed("many.example") == []
    assert updating.listed("few.example") == ["one:gambling"]
    assert done.generation
    assert done.generation.replayed == str(done.replayed)


def test_what_is_closed_already_is_not_newly_closed(updating: Updating) -> None:
    updating.visited("chess.example", *(f"user{number}" for number in range(6)))
    updating.publish("bets.txt", b"chess.example\n")
    assert "nothing that was visited" in str(updating.update().replayed)


def test_registers_guard_what_they_name(updating: Updating) -> None:
    text = json.dumps([{"name": "One", "domains": ["uni.example"]}]).encode()
    updating.register(
        one={"lists": {"bets": listed("bets.txt")}},
        universities={
            "format": "universities", "guards": "education",
            "lists": {"world": listed("world.json", None)},
        },
    )  # fmt: skip
    updating.publish("world.json", text)
    updating.publish("bets.txt", b"www.uni.example\nother.example\n")
    updating.update()
    assert updating.report() == [
        "www.uni.example: is never to be blocked by mistake (education: uni.example)"
    ]
    assert updating.listed("www.uni.example") == []


def test_every_format_is_fetched_and_read(updating: Updating) -> None:
    updating.register(
        ut={"format": "ut1", "lists": {"bets": listed("bets.tar.gz")}},
        fly={"format": "v2fly", "lists": {"bets": listed("data/bets")}},
        zone={"format": "rpz", "lists": {"bets": listed("zone.txt")}},
        gz={"format": "hosts", "lists": {"bets": listed("packed.txt")}},
    )
    updating.publish("bets.tar.gz", answers.tarball("bets", domains=b"ut.example\n"))
    updating.publish("data/bets", b"include:more\nfly.example\n")
    updating.publish("data/more", b"full:full.example\n")
    updating.publish("zone.txt", b"zone.example CNAME .\n*.zone.example CNAME .\n")
    updating.publish("packed.txt", answers.packed(b"0.0.0.0 packed.example\n"))
    assert updating.update().failed == []
    hosts = ["ut.example", "fly.example", "full.example", "zone.example", "packed.example"]
    assert [updating.listed(host) for host in hosts] == [
        [f"{feed}:gambling"] for feed in ("ut", "fly", "fly", "zone", "gz")
    ]
    assert updating.listed("www.full.example") == []
    assert updating.update().generation is None


def test_a_feed_that_is_not_fetched_here_is_refused_by_name(updating: Updating) -> None:
    with pytest.raises(RefusedError, match=r"'other' is no feed that is fetched here.*: one"):
        updating.update("other")


def test_a_list_that_is_switched_off_is_gone(updating: Updating) -> None:
    updating.publish("bets.txt", _many(10))
    updating.update()
    updating.register(one={"on": False, "lists": {"bets": listed("bets.txt")}})
    updating.update()
    assert updating.listed("bad1.example") == []
