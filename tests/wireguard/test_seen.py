"""When devices were heard of, from the process that knows to commands."""

from pathlib import Path

import pytest

from schoolgate.wireguard.seen import Seen, Sight, read_seen, write_seen


def test_what_is_written_is_read(tmp_path: Path) -> None:
    seen = Seen(100.0, {"key": Sight(90.0, 99.5, 1, 2), "other": Sight()})
    write_seen(tmp_path, seen)
    assert read_seen(tmp_path) == seen


@pytest.mark.parametrize(
    "text", ["", "[]", '{"at": 1}', '{"at": 1, "devices": {"a": [1, 2, 3, 4, 5]}}']
)
def test_what_is_damaged_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.json").write_text(text)
    assert read_seen(tmp_path) == Seen(0.0, {})


def test_what_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert read_seen(tmp_path) == Seen(0.0, {})
