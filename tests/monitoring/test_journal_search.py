"""Lines of the journal, found from the end, and no further than told; beside a naive search."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.monitoring import journal_search
from schoolgate.monitoring.journal_search import Found, newest_lines

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def search(files: list[Path], *needles: bytes, since: datetime = LONG_AGO) -> Found:
    return newest_lines(files, needles, since=since, most_bytes=1 << 30, most_lines=1 << 20)


def line(number: int, who: str = "a", at: datetime = NOON) -> bytes:
    ts = at.isoformat(timespec="milliseconds")
    return json.dumps({"ts": ts, "user": who, "n": number}, separators=(",", ":")).encode()


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(each + b"\n" for each in lines))
    return path


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"x")), max_size=40),
    block=st.integers(1, 70),
    ends_torn=st.booleans(),
)
def test_it_finds_what_a_naive_search_finds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], block: int, ends_torn: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "naive.jsonl"
    path.write_bytes(b"\n".join(lines) + (b"" if ends_torn else b"\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_search, "_BLOCK_BYTES", block)
        found = search([path], b"\x00", b"x")
    want = [one for one in lines if b"\x00" in one or b"x" in one]
    assert found.lines == want[::-1]
    assert not found.cut


def test_the_newest_file_comes_first_and_one_that_is_not_there_is_empty(tmp_path: Path) -> None:
    old = written(tmp_path / "old", line(1), line(2, "b"), line(3))
    new = written(tmp_path / "new", line(4))
    found = search([new, tmp_path / "none", old], b'"user":"a"')
    assert [json.loads(one)["n"] for one in found.lines] == [4, 3, 1]


@pytest.mark.parametrize(
    ("most_bytes", "most_lines", "want", "cut"),
    [
        (1 << 20, 100, 20, False),
        (1 << 20, 20, 20, False),
        (1 << 20, 19, 19, True),
        (1 << 20, 0, 0, True),
        (0, 100, 0, True),
        # Whole blocks are read, and then no more.
        (1, 100, 2, True),
    ],
)
def test_it_looks_no_further_than_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most_bytes: int,
    most_lines: int,
    want: int,
    cut: bool,
) -> None:
    lines = [line(number) for number in range(20)]
    monkeypatch.setattr(journal_search, "_BLOCK_BYTES", 2 * len(lines[-1]) + 20)
    path = written(tmp_path / "day", *lines)
    found = newest_lines(
        [path], [b'"user"'], since=LONG_AGO, most_bytes=most_bytes, most_lines=most_lines
    )
    assert (len(found.lines), found.cut) == (want, cut)
    assert found.lines == lines[::-1][:want]


def test_what_is_older_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(n, at=NOON + timedelta(minutes=n)) for n in range(100)]
    monkeypatch.setattr(journal_search, "_BLOCK_BYTES", 300)
    path = written(tmp_path / "day", *lines)
    since = NOON + timedelta(minutes=90)
    found = search([path], b'"user"', since=since)
    assert 10 <= len(found.lines) < 20
    assert not found.cut


def test_a_line_without_an_end_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_search, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(journal_search, "_LONGEST_LINE_BYTES", 256)
    path = written(tmp_path / "day", line(1), b'"user"' + b"x" * 5000, line(2))
    found = search([path], b'"user":"a"')
    assert [json.loads(one)["n"] for one in found.lines] == [2, 1]
