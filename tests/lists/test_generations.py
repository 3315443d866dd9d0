"""Generations of fetched lists: made aside, live by one rename, some kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.gate import Finding, Ground
from schoolgate.lists import generations
from schoolgate.lists.generations import (
    Generation,
    Listed,
    begin,
    finish,
    forget_old,
    kept_generations,
    live_directory,
    live_generation,
    make_live,
    next_number,
    read_generation,
    write_manifest,
    write_whole,
)

_AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def _make(state: Path, number: int) -> Generation:
    aside = begin(state)
    listed = Listed(
        "one:bets", "gambling", 2, "f00", "", (Finding("co.uk", Ground.PUBLIC_SUFFIX),), ("a.example",), 3
    )  # fmt: skip
    (aside / listed.file).write_text("a.example\nb.example\n")
    made = Generation(aside, number, _AT, "test", {listed.id: listed}, 2, 1, "said")
    write_manifest(made)
    return read_generation(finish(state, aside, number))


def test_a_generation_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    made = _make(tmp_path, 1)
    assert (made.number, made.made, made.added, made.removed, made.replayed) == (
        1,
        _AT,
        2,
        1,
        "said",
    )
    listed = made.lists["one:bets"]
    assert (listed.feed, listed.file, listed.popular) == ("one", "one.bets.txt", ("a.example",))
    assert [str(one) for one in listed.findings] == ["co.uk: is a public suffix"]
    assert made.path_of(listed).read_text().split() == ["a.example", "b.example"]


def test_one_is_live_when_it_is_made_so(tmp_path: Path) -> None:
    _make(tmp_path, 1)
    assert live_generation(tmp_path) is None
    make_live(tmp_path, 1)
    live = live_generation(tmp_path)
    assert live is not None
    assert live.number == 1
    make_live(tmp_path, 0)
    assert live_directory(tmp_path) is None


def test_numbers_go_on(tmp_path: Path) -> None:
    assert next_number(tmp_path) == 1
    _make(tmp_path, 1)
    _make(tmp_path, 7)
    assert next_number(tmp_path) == 8


def test_the_oldest_go_and_the_live_one_stays(tmp_path: Path) -> None:
    for number in range(1, 6):
        _make(tmp_path, number)
    make_live(tmp_path, 1)
    forget_old(tmp_path, 2)
    assert [one.number for one in kept_generations(tmp_path)] == [1, 4, 5]


def test_what_was_left_half_made_is_swept_by_the_next(tmp_path: Path) -> None:
    left = begin(tmp_path)
    (left / "one.bets.txt").write_text("a.example\n")
    begin(tmp_path)
    assert not left.exists()
    assert kept_generations(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"number": 1, "made": 3, "lists": []}'])
def test_a_damaged_one_is_named_with_what_can_be_done(tmp_path: Path, text: str) -> None:
    made = _make(tmp_path, 1)
    make_live(tmp_path, 1)
    (made.directory / generations.MANIFEST).write_text(text)
    with pytest.raises(ConfigurationError, match=r"is damaged.*lists rollback"):
        live_generation(tmp_path)
    assert kept_generations(tmp_path) == []


def test_a_link_that_leads_nowhere_is_a_fault_and_not_no_lists(tmp_path: Path) -> None:
    made = _make(tmp_path, 1)
    make_live(tmp_path, 1)
    made.directory.rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        live_generation(tmp_path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
