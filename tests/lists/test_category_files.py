"""The category files: what they hold, and every fault of every file at once."""

from pathlib import Path

import pytest

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry, Reach
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.lists import CURATED, ListPlaces, load_catalogue
from schoolgate.lists.category_files import read_category_files
from tests.school import NOON, category_text

GAMES = """\
id: games
title: Games
description: About games.
domains:
  - chess.example
  - Bücher.example
  - a.example/Play//Now
"""


def write(directory: Path, **texts: str) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in texts.items():
        (directory / f"{name.replace('_', '-')}.yaml").write_text(text)
    return directory


def load(*dirs: Path) -> Catalogue:
    return load_catalogue(ListPlaces(dirs, dirs[0] / "state"), NOON, keep=False)


def faults(*dirs: Path) -> list[Fault]:
    with pytest.raises(ConfigurationError) as caught:
        read_category_files(dirs)
    return list(caught.value.faults)


def test_a_category_and_its_sites_are_read(tmp_path: Path) -> None:
    keys = {"protected": True, "public_suffixes": True, "feeds": ["one", "two"]}
    write(tmp_path, web_mail=category_text("web-mail", "Mail", ["mail.example"], **keys))
    found = load(tmp_path)
    category = Category("web-mail", "Mail", "About web-mail.", True, True, ("one", "two"))
    assert found.categories == {"web-mail": category}
    entry = ListEntry("mail.example", "/", "web-mail", CURATED)
    assert found.sites.entries("www.mail.example") == [entry]


def test_a_category_may_have_its_sites_published(tmp_path: Path) -> None:
    text = category_text("mail", "Mail", ["mail.example", "post.example"], published=True)
    write(tmp_path, mail=text)
    found = load(tmp_path).categories["mail"]
    assert found.published == ("mail.example", "post.example")


def test_entries_are_brought_to_one_form(tmp_path: Path) -> None:
    write(tmp_path, games=GAMES)
    entries = [placed.entry.text for placed in read_category_files([tmp_path]).entries]
    assert entries == ["chess.example", "xn--bcher-kva.example", "a.example/play/now"]


def test_a_sign_before_a_host_says_how_far_the_entry_reaches(tmp_path: Path) -> None:
    domains = ["a.example", "=b.example", "*.c.example", "=d.example/Page", "=München.example"]
    write(tmp_path, games=category_text("games", "Games", domains))
    entries = [placed.entry for placed in read_category_files([tmp_path]).entries]
    assert [(entry.text, entry.reach) for entry in entries] == [
        ("a.example", Reach.SITE),
        ("=b.example", Reach.HOST),
        ("*.c.example", Reach.BELOW),
        ("=d.example/page", Reach.HOST),
        ("=xn--mnchen-3ya.example", Reach.HOST),
    ]


@pytest.mark.parametrize(
    ("domain", "itself", "below"),
    [("a.example", True, True), ("=a.example", True, False), ("*.a.example", False, True)],
)
def test_a_host_alone_and_what_is_below_it_can_be_listed_apart(
    tmp_path: Path, domain: str, itself: bool, below: bool
) -> None:
    write(tmp_path, games=category_text("games", "Games", [domain]))
    sites = load(tmp_path).sites
    listed = [sites.categories(sites.get(host)) for host in ("a.example", "www.a.example")]
    assert listed == [("games",) if want else () for want in (itself, below)]


def test_what_is_not_said_is_off(tmp_path: Path) -> None:
    write(tmp_path, games="id: games\ntitle: Games\ndescription: d\n")
    found = load(tmp_path)
    assert found.categories == {"games": Category("games", "Games", "d", False, False, ())}
    assert found.sites.counts == {"games": 0}


def test_the_entries_of_each_category_are_counted(tmp_path: Path) -> None:
    write(tmp_path, games=GAMES, news=category_text("news", "News", ["chess.example"]))
    found = load(tmp_path)
    assert found.sites.counts == {"games": 3, "news": 1}
    assert len(found.sites) == 4
    assert found.sites.categories(found.sites.get("chess.example")) == ("games", "news")


def test_several_directories_are_read_as_one(tmp_path: Path) -> None:
    write(tmp_path / "a", games=GAMES)
    write(tmp_path / "b", news=category_text("news", "News", []))
    assert set(load(tmp_path / "a", tmp_path / "b").categories) == {"games", "news"}


def test_only_category_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, games=GAMES, feeds="not: a category")
    (tmp_path / "verify.py").write_text("not a category")
    (tmp_path / "shared-hosts.txt").write_text("cdn.example")
    assert set(load(tmp_path).categories) == {"games"}


def test_the_version_changes_with_the_content_alone(tmp_path: Path) -> None:
    write(tmp_path, games=GAMES)
    first = load(tmp_path).version
    assert load(tmp_path).version == first
    write(tmp_path, games=GAMES + "# a word\n")
    second = load(tmp_path).version
    write(tmp_path, news=category_text("news", "News", []))
    third = load(tmp_path).version
    assert len({first, second, third}) == 3


def test_an_entry_can_be_blamed_at_its_line(tmp_path: Path) -> None:
    write(tmp_path, games=GAMES)
    placed = read_category_files([tmp_path]).entries[1]
    assert placed.written == "Bücher.example"
    assert placed.fault("is wrong") == Fault(str(tmp_path / "games.yaml"), 6, "is wrong")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("id: games\ntitle: Games\n", "1: the key 'description' is missing"),
        ("id: games\ntitle: ''\ndescription: d\n", "2: 'title': string should have at least 1"),
        ("id: games\ntitle: G\ndescription: d\ndomain: []",
         "4: unknown key 'domain' (did you mean 'domains'?)"),
        ("id: games\ntitle: G\ndescription: d\ndomains: a.example",
         "4: 'domains': input should be a valid tuple"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - a.example\n  - 5\n",
         "6: 'domains.1': input should be a valid string"),
        ("title: G\nid: Games\ndescription: d", "2: 'id': string should match pattern"),
        ("title: G\nid: game\ndescription: d", "2: the id 'game' is not the file's name"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - a.example\n  - a b\n",
         "6: 'a b' is not a host name"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - https://a.example\n",
         "5: 'https://a.example' has a scheme or a port"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - a.*.example\n",
         "5: 'a.*.example' has a wildcard"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - =*.a.example\n",
         "5: '=*.a.example' has a wildcard"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - a.example/x?y\n",
         "5: 'a.example/x?y' has a wildcard or a query"),
        ("id: games\ntitle: G\ndescription: d\ndomains:\n  - ''\n", "5: '' is not a host name"),
        ("id: games\nid: games\ntitle: G\ndescription: d", "2: gives 'id' twice"),
        ("id: [", "1: is not valid YAML"),
        ("", "1: holds no keys"),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_line(tmp_path: Path, text: str, want: str) -> None:
    write(tmp_path, games=text)
    [fault] = faults(tmp_path)
    assert str(fault).startswith(f"{tmp_path / 'games.yaml'}:{want}")


def test_a_category_is_defined_once(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a", games=GAMES), write(tmp_path / "b", games=GAMES)
    want = Fault(str(other / "games.yaml"), 1, "the category 'games' exists already")
    assert faults(one, other) == [want]


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    bad = category_text("games", "Games", ["a b", "fine.example", "c d"])
    write(tmp_path, games=bad, news="id: new\ntitle: N\ndescription: d", shopping="id: [")
    found = faults(tmp_path, tmp_path / "nowhere")
    assert [Path(fault.file).name for fault in found] == [
        "games.yaml", "games.yaml", "news.yaml", "nowhere", "shopping.yaml",
    ]  # fmt: skip


def test_a_directory_that_is_none_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a", games=GAMES)
    nowhere = tmp_path / "nowhere"
    want = Fault(str(nowhere), 0, "is not a directory", "see lists.dirs")
    assert faults(tmp_path / "a", nowhere) == [want]


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b"]])
def test_without_any_category_nothing_could_be_filtered(tmp_path: Path, names: list[str]) -> None:
    dirs = [write(tmp_path / name) for name in names]
    want = "holds no category files: nothing could be filtered"
    assert [fault.message for fault in faults(*dirs)] == [want]
