"""Lines as DuckDB reads them: each bears whose it is first, and what is not known of it in one field."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.monitoring.journal_gathered_lines import KNOWN, Aside, marked

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = {"_school": "hill", "_gateway": "gw1", "_arrived": "2026-11-23T12:00:00"}


def made(*lines: bytes, names: frozenset[str] | None = KNOWN) -> list[object]:
    block, count = marked(lines, names, "hill", "gw1", NOON)
    found = block.splitlines()
    assert len(found) == count
    return [json.loads(line, object_pairs_hook=first) for line in found]


def first(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of fields with one name take the first, as DuckDB does."""
    return dict(reversed(pairs))


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (b'{"id":"a"}', {"id": "a"}),
        (b'{"id":"a","host":"{"}', {"id": "a", "host": "{"}),
        # Who says that they are another is not believed.
        (b'{"_school":"hermitage","id":"a"}', {"id": "a"}),
    ],
)
def test_a_line_is_of_whom_the_server_knows(line: bytes, want: dict[str, str]) -> None:
    assert made(line) == [OURS | want]


@pytest.mark.parametrize("names", [None, frozenset({"id", "brand_new"})])
def test_what_is_not_known_is_one_field(names: frozenset[str] | None) -> None:
    line = b'{"id":"a","brand_new":1,"_school":"hermitage"}'
    rest = '{"_school":"hermitage","brand_new":1}'
    assert made(line, names=names) == [OURS | {"id": "a", "_rest": rest}]


@pytest.mark.parametrize("line", [b"[]", b"null", b"", b"17", b'"{"', b"\xff"])
def test_what_is_no_line_is_left_out_and_the_others_stay(line: bytes) -> None:
    assert made(b'{"id":"a"}', line, b'{"id":"b"}') == [OURS | {"id": "a"}, OURS | {"id": "b"}]
    assert made(line) == []


def test_what_waits_is_forgotten_with_who_laid_it_aside(tmp_path: Path) -> None:
    aside = Aside(tmp_path / "lines")
    aside.add(b"a\nb\n", 2)
    aside.flush()
    assert (aside.file.read_bytes(), aside.count) == (b"a\nb\n", 2)
    aside.clear()
    aside.add(b"c\n", 1)
    aside.flush()
    assert (aside.file.read_bytes(), aside.count) == (b"c\n", 1)
    aside.close()
    again = Aside(aside.file)
    assert again.file.read_bytes() == b""
    again.close()
