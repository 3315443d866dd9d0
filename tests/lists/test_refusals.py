"""Lists that are refused are read once for all workers, and again as soon as anything changed."""

from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists import catalogue, load_catalogue
from tests.lists.kept import Lists
from tests.school import NOON


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every build that was begun."""
    begun: list[object] = []
    build = catalogue.build_catalogue

    def counted(*arguments: object) -> object:
        begun.append(arguments)
        return build(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(catalogue, "build_catalogue", counted)
    return begun


def refused(lists: Lists, seconds: float = 0) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_catalogue(lists.places, NOON + timedelta(seconds=seconds), keep=True)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(("seconds", "want"), [(0, 1), (30, 1), (31, 2), (-31, 2)])
def test_the_next_worker_says_the_same_without_a_build_for_a_while(
    lists: Lists, builds: list[object], seconds: float, want: int
) -> None:
    lists.supply("one", "games", "<html>\n<body>\n")
    first = refused(lists)
    assert refused(lists, seconds) == first
    assert "is no list" in first[0]
    assert len(builds) == want


def test_whoever_asks_for_a_build_gets_one(lists: Lists, builds: list[object]) -> None:
    lists.supply("one", "games", "<html>\n<body>\n")
    assert refused(lists) == lists.faults()
    assert len(builds) == 2


def test_what_was_put_right_is_built_at_once(lists: Lists, builds: list[object]) -> None:
    lists.supply("one", "games", "<html>\n<body>\n")
    refused(lists)
    lists.supply("one", "games", "b.example\n")
    assert load_catalogue(lists.places, NOON, keep=True).sites.names == 5
    assert len(builds) == 2


def test_what_changed_while_it_was_read_is_read_anew(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list is taken away under the hands of whoever reads it; the lists without it are well."""
    path = lists.supply("one", "games", "b.example\n")
    size_of = catalogue._size

    def vanishes(read: Path) -> int:
        if read == path:
            path.unlink(missing_ok=True)
        return size_of(read)

    monkeypatch.setattr(catalogue, "_size", vanishes)
    assert "cannot be read" in refused(lists)[0]
    assert load_catalogue(lists.places, NOON, keep=True).sites.names == 4


def test_a_list_that_came_while_others_were_read_refuses_nothing_of_those(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made empty first, and gone again soon: the lists without it are as good as they were."""
    path = lists.supply("one", "games", "b.example\n")
    path.unlink()
    sources = catalogue._sources

    def comes(*arguments: object) -> object:
        path.touch()
        return sources(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(catalogue, "_sources", comes)
    assert "holds nothing" in refused(lists)[0]
    path.unlink()
    monkeypatch.setattr(catalogue, "_sources", sources)
    assert load_catalogue(lists.places, NOON, keep=True).sites.names == 4


@pytest.mark.parametrize("text", ["", "no json", "[]", '["x", "y", []]', '["x", 5, [[1]]]'])
def test_a_note_that_cannot_be_read_is_none(lists: Lists, builds: list[object], text: str) -> None:
    lists.supply("one", "games", "<html>\n<body>\n")
    (lists.state / ".refused").write_text(text)
    assert "is no list" in refused(lists)[0]
    assert len(builds) == 1
