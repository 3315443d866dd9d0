"""The register of public lists: what it must say, and that it agrees with the categories."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists.category_files import read_category_files
from schoolgate.lists.feeds_file import Guards, read_feeds

_OWN = Path(__file__).parents[2] / "categories"


def _feed(**keys: Any) -> dict[str, Any]:
    return {
        "title": "One",
        "home": "https://one.example/",
        "licence": {"name": "MIT", "redistribution": True, "commercial": True},
        "format": "plain",
        "every_hours": 24,
        "on": True,
        "base": "https://one.example/lists/",
        "lists": {"a": {"file": "a.txt", "category": "games", "least": 1, "greatest": 9}},
        **keys,
    }


def _read(tmp_path: Path, feed: dict[str, Any], name: str = "one") -> Any:
    (tmp_path / "feeds.yaml").write_text(yaml.safe_dump({"feeds": {name: feed}}))
    return read_feeds([tmp_path], {"games"})[name]


def test_a_list_has_an_address_below_its_feeds(tmp_path: Path) -> None:
    feed = _read(tmp_path, _feed())
    (listed,) = feed.lists
    assert (listed.id, listed.address) == ("one:a", "https://one.example/lists/a.txt")
    assert (listed.format, listed.category, listed.on) == ("plain", "games", True)
    assert feed.guards is None


def test_a_list_may_be_written_otherwise_than_its_feed(tmp_path: Path) -> None:
    lists = {"a": {"file": "", "format": "hosts", "category": "games", "least": 1, "greatest": 9}}
    assert _read(tmp_path, _feed(lists=lists)).lists[0].format == "hosts"


def test_a_feed_that_guards_has_no_category(tmp_path: Path) -> None:
    feed = _feed(guards="education", lists={"a": {"file": "a", "least": 1, "greatest": 9}})
    assert _read(tmp_path, feed).guards is Guards.EDUCATION


def test_where_there_is_no_register_there_are_no_feeds(tmp_path: Path) -> None:
    assert read_feeds([tmp_path], {"games"}) == {}


@pytest.mark.parametrize(
    ("name", "keys", "said"),
    [
        ("one", {"format": "tables"}, "'plain'"),
        ("one", {"every_hours": 0}, "greater than or equal to 1"),
        ("one", {"lists": {}}, "at least 1 item"),
        ("one", {"licence": {"name": "MIT"}}, "'redistribution' is missing"),
        ("one", {"mirror": "x"}, "unknown key 'mirror'"),
        ("one", {"base": "ftp://one.example/"}, "no address of the web"),
        ("One", {}, "is no id"),
        ("one", {"lists": {"a/b": {"file": "a", "category": "games", "least": 1, "greatest": 2}}}, "no name"),
        ("one", {"lists": {"a": {"file": "a", "category": "game", "least": 1, "greatest": 2}}}, "'games'"),
        ("one", {"lists": {"a": {"file": "a", "category": "games", "least": 3, "greatest": 2}}}, "least is"),
        ("one", {"lists": {"a": {"file": "a", "least": 1, "greatest": 2}}}, "'category' is missing"),
        ("one", {"guards": "popular"}, "puts nothing into a category"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_line(
    tmp_path: Path, name: str, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        _read(tmp_path, _feed(**keys), name)
    assert all(fault.line > 0 for fault in caught.value.faults)


def test_the_register_and_the_categories_name_the_same_lists() -> None:
    categories = read_category_files([_OWN]).categories
    feeds = read_feeds([_OWN], categories)
    named = {(name, category.id) for category in categories.values() for name in category.feeds}
    assert named == {
        (listed.id, listed.category)
        for feed in feeds.values()
        for listed in feed.lists
        if listed.category
    }


def test_what_forbids_to_pass_it_on_or_to_earn_with_it_is_off() -> None:
    categories = read_category_files([_OWN]).categories
    for feed in read_feeds([_OWN], categories).values():
        free = feed.licence.redistribution and feed.licence.commercial
        assert free or (feed.licence.note and not feed.on), feed.id


def test_every_address_is_fetched_over_tls() -> None:
    categories = read_category_files([_OWN]).categories
    for feed in read_feeds([_OWN], categories).values():
        assert all(listed.address.startswith("https://") for listed in feed.lists)
