"""Lines become rows and rows lines again, without a name in them; of what is illegal little is left."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.monitoring.journal_columns import COLUMNS, EMPTIED, read_line, record_of, row_of
from schoolgate.monitoring.journal_names import WHO, Pseudonyms

OURS = Pseudonyms(b"k" * 64)
LINE = {
    "ts": "2026-11-23T10:00:00.123+00:00", "id": "1-5f3a-77", "gateway": "gateway", "worker": 1,
    "event": "request.decided", "client": "10.9.0.7", "device": "tablet-1", "user": "tom",
    "group": "pupils", "also": ["choir", "year-9"], "scheme": "https", "host": "a.example",
    "url": "https://a.example/b", "status": 200, "verdict": "monitor", "kinds": {"vpn": 3},
}  # fmt: skip
VALUES = (
    st.none()
    | st.text()
    | st.integers()
    | st.booleans()
    | st.lists(st.text(max_size=3), max_size=2)
)
FIELDS = (*COLUMNS, "url", "id", "also", "list_hash", "shape", "odd")


def back(record: dict[str, Any]) -> dict[str, Any]:
    """Give what a record is after it was a row, by way of the JSON that DuckDB reads."""
    row = json.loads(json.dumps(row_of(record, OURS)))
    assert set(row) <= set(COLUMNS)
    return record_of(row, OURS)


def test_a_line_is_a_row_and_a_line_again() -> None:
    row = row_of(LINE, OURS)
    assert (row["ts"], row["run"], row["seq"]) == (1_795_428_000_123, "1-5f3a", 77)
    assert (row["path"], row["rest"]) == ("/b", '{"also":["choir","year-9"],"kinds":{"vpn":3}}')
    assert not {"tom", "10.9.0.7", "tablet-1"} & set(map(str, row.values()))
    assert record_of(row, OURS) == LINE
    assert record_of(row, None)["user"] == OURS.of("user", "tom")


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_nothing_is_lost_whatever_a_line_holds(fields: dict[str, Any]) -> None:
    record = {"ts": LINE["ts"], "event": "x", **fields}
    fields_kept = {name for name, value in record.items() if value is not None}
    if "list_hash" in fields_kept or "illegal" in (record.get("category"), record.get("theme")):
        return
    # What stands for nobody; and who is a number, which the journal never writes.
    if any(not isinstance(record.get(name), str | None) or "\0" in (record.get(name) or "")
           for name in WHO):  # fmt: skip
        return
    assert back(record) == {name: record[name] for name in fields_kept}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example/", "/"),
        ("https://a.example:8443/x", ":8443/x"),
        ("https://b.example/x", "https://b.example/x"),
        ("https://a.example", None),
        ("/x", None),
        ("https://a.example.evil/", None),
    ],
)
def test_an_address_is_kept_without_what_its_host_says(url: str, path: str | None) -> None:
    record = {**LINE, "url": url}
    assert row_of(record, OURS).get("path") == path
    assert back(record) == record


@pytest.mark.parametrize(
    "marked", [{"category": "illegal"}, {"theme": "illegal"}, {"list_hash": "ab", "feed": "iwf"}]
)
def test_of_what_is_illegal_there_is_who_when_and_host(marked: dict[str, str]) -> None:
    """W-7.2.4: whatever a line came to hold, a closed day does not keep it."""
    record = {**LINE, **marked, "search": "words", "file_name": "a.jpg", "odd": "more"}
    left = back(record)
    assert left["user"] == "tom"
    assert left["host"] == "a.example"
    assert not {"url", "search", "file_name", "odd", "status", "scheme"} & set(left)


@pytest.mark.parametrize(
    ("line", "want"),
    [
        (b'{"ts":"x","a":1}', {"ts": "x", "a": 1}),
        (b'{"ts":"x","a":"\\udc80"}', {"ts": "x", "a": "\udc80"}),
        (b'{"ts":"x","a', None),
        (b"[1]", None),
        (b"{}", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_a_line(line: bytes, want: dict[str, Any] | None) -> None:
    assert read_line(line) == want


def test_fields_that_are_emptied_are_columns() -> None:
    assert set(EMPTIED.values()) <= set(COLUMNS)
