"""What people decided about lists is kept, and what cannot be read is not taken for nothing."""

from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.lists.decided import Decided, read_decided, write_decided


def test_what_was_decided_is_read_back(tmp_path: Path) -> None:
    decided = Decided().with_held(["a:x", "a:y"], "taken back").with_copy("a:x", "f00")
    decided = decided.with_entries("a:x", ["b.example", "a.example"])
    write_decided(tmp_path, decided)
    assert read_decided(tmp_path) == decided
    assert decided.held == {"a:y": "taken back"}
    assert decided.entries == {"a:x": ("a.example", "b.example")}


def test_what_is_approved_of_a_list_has_a_mark_that_changes_with_it() -> None:
    first = Decided().with_entries("a:x", ["a.example"])
    second = first.with_entries("a:x", ["b.example"])
    marks = {Decided().approved_of("a:x"), first.approved_of("a:x"), second.approved_of("a:x")}
    assert len(marks) == 3
    assert Decided().approved_of("a:x") == first.approved_of("a:y") == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"copies": 3, "entries": {}, "held": {}}'])
def test_a_damaged_file_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "decided.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"decided\.json"):
        read_decided(tmp_path)
