"""Reading the journal's files from a place on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.shipping.tail import Position, Tail, read_position, write_position

MONDAY, TUESDAY = "2026-11-23.jsonl", "2026-11-24.jsonl"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEXT = datetime(2026, 11, 24, 0, 2, tzinfo=UTC)
START = Position(MONDAY, 0)
BIG = 1 << 20


def test_whole_lines_are_read_once(tmp_path: Path) -> None:
    tail, file = Tail(tmp_path), tmp_path / MONDAY
    assert tail.start(NOON) == START
    assert tail.read(START, BIG, NOON) == ([], START)
    file.write_bytes(b"one\ntwo\nthr")
    lines, after = tail.read(START, BIG, NOON)
    assert (lines, after) == ([b"one", b"two"], Position(MONDAY, 8))
    assert tail.read(after, BIG, NOON) == ([], after)
    assert tail.behind(after) == 3
    with file.open("ab") as more:
        more.write(b"ee\n")
    assert tail.read(after, BIG, NOON) == ([b"three"], Position(MONDAY, 14))


@pytest.mark.parametrize(
    ("position", "want"),
    [
        (START, NOON),
        # The second line says no time; so it is as old as its file can make it.
        (Position(MONDAY, 35), datetime(2026, 11, 23, tzinfo=UTC)),
        # The third is not whole yet: the next file is looked at.
        (Position(MONDAY, 39), NEXT),
        (Position(TUESDAY, 35), None),
        (Position("2026-11-25.jsonl", 0), None),
    ],
)
def test_how_long_lines_wait_is_said_by_the_first_of_them(
    tmp_path: Path, position: Position, want: datetime | None
) -> None:
    (tmp_path / MONDAY).write_bytes(b'{"ts":"2026-11-23T12:00:00+00:00"}\nbad\n{"ts":')
    (tmp_path / TUESDAY).write_bytes(b'{"ts":"2026-11-24T00:02:00+00:00"}\n')
    assert Tail(tmp_path).waiting_since(position) == want


@pytest.mark.parametrize(
    ("most", "want"), [(4, [b"one"]), (5, [b"one"]), (8, [b"one", b"two"]), (2, [b"one"])]
)
def test_a_piece_has_a_bound_and_a_line_at_least(
    tmp_path: Path, most: int, want: list[bytes]
) -> None:
    (tmp_path / MONDAY).write_bytes(b"one\ntwo\n")
    assert Tail(tmp_path).read(START, most, NOON)[0] == want


def test_the_next_day_begins_when_nobody_adds_to_the_last(tmp_path: Path) -> None:
    (tmp_path / MONDAY).write_bytes(b"one\n")
    (tmp_path / TUESDAY).write_bytes(b"two\n")
    tail, done = Tail(tmp_path), Position(MONDAY, 4)
    midnight = datetime(2026, 11, 24, 0, 0, 30, tzinfo=UTC)
    assert tail.read(done, BIG, midnight) == ([], done)
    assert tail.read(done, BIG, NEXT) == ([], Position(TUESDAY, 0))
    assert tail.behind(done) == 4


def test_what_was_deleted_before_it_was_read_is_known(tmp_path: Path) -> None:
    tail, reached = Tail(tmp_path), Position(MONDAY, 4)
    assert not tail.is_lost(reached)
    (tmp_path / TUESDAY).write_bytes(b"two\n")
    assert tail.is_lost(reached)
    assert tail.read(reached, BIG, NEXT)[1] == Position(TUESDAY, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"file": "x"}', '{"file": "x", "offset": "y"}'])
def test_a_place_is_kept(tmp_path: Path, text: str) -> None:
    file = tmp_path / "place.json"
    assert read_position(file) is None
    file.write_text(text)
    assert read_position(file) is None
    write_position(file, Position(MONDAY, 7))
    assert read_position(file) == Position(MONDAY, 7)


def test_a_file_that_was_set_aside_is_told_from_the_next_of_its_name(tmp_path: Path) -> None:
    tail, file = Tail(tmp_path), tmp_path / MONDAY
    file.write_bytes(b"one\ntwo\n")
    _, first = tail.read(START, BIG, NOON)
    # Erasing somebody sets today's lines aside, and the workers begin another file, which grows as long.
    file.rename(tmp_path / "2026-11-23.1a2b3c4d.closing")
    file.write_bytes(b"three\nfour\nfive\n")
    lines, again = tail.read(first, BIG, NOON)
    assert (lines, again) == ([], START)
    lines, second = tail.read(again, BIG, NOON)
    assert lines == [b"three", b"four", b"five"]
    assert len({first.source, second.source}) == 2
    write_position(tmp_path / "kept", second)
    kept = read_position(tmp_path / "kept")
    assert kept is not None
    assert kept.source == second.source
