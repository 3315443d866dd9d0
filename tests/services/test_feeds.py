"""Which feeds a machine has, and how they stand, in figures."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate import bootstrap
from schoolgate.core.errors import ConfigurationError
from schoolgate.services.feed_updates import update
from schoolgate.services.feeds import feeds_of, states_of
from schoolgate.settings import Settings, load_settings
from tests.publisher import Publisher, listed, publishing, register
from tests.school import School, write_school

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def school(tmp_path: Path) -> School:
    return write_school(tmp_path / "school")


@pytest.fixture
def publisher(school: School) -> Iterator[Publisher]:
    with publishing() as found:
        feeds = register(
            found.base,
            one={"lists": {"bets": listed("bets.txt"), "off": listed("off.txt", on=False)}},
            two={"on": False, "lists": {"games": listed("games.txt", "games")}},
        )
        (school.categories / "feeds.yaml").write_text(feeds)
        yield found


def _settings(school: School, *feeds: str) -> Settings:
    school.write_config(lists={"dirs": ["categories"], "feeds": list(feeds)})
    return load_settings(school.config, {})


@pytest.mark.usefixtures("publisher")
@pytest.mark.parametrize(
    ("named", "want"),
    [
        ((), ["one:bets"]),
        (("one",), ["one:bets"]),
        (("two",), ["two:games"]),
        (("one:off", "two"), ["one:off", "two:games"]),
    ],
)
def test_what_is_fetched_is_what_is_on_or_what_is_named(
    school: School, named: tuple[str, ...], want: list[str]
) -> None:
    assert [one.id for one in feeds_of(_settings(school, *named))[1]] == want


@pytest.mark.usefixtures("publisher")
def test_a_feed_that_is_none_is_a_fault(school: School) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no feed 'onee'.*did you mean 'one'"):
        feeds_of(_settings(school, "onee"))


def test_a_feed_stands_as_the_last_update_left_it(school: School, publisher: Publisher) -> None:
    settings = _settings(school, "one", "two")
    assert states_of(settings) == []
    publisher.lists["bets.txt"] = b"a.example\nb.example\nac.uk\nlogin.microsoftonline.com\n"
    (school.categories / "never-block.txt").write_text("login.microsoftonline.com\n")
    update(bootstrap.surroundings_of(settings))
    one, two = states_of(settings)
    assert (one.feed, one.domains, one.held, one.failed) == ("one", 2, 1, ())
    assert one.fetched_at is not None
    assert (two.domains, two.fetched_at) == (0, None)
    assert two.failed == ("two:games cannot be had: the server answers 404",)
