"""A line of the journal as a row of columns and back, and what of it is never kept in them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schoolgate.monitoring.journal_names import WHO, Pseudonyms

_TEXT, _NUMBER = "VARCHAR", "BIGINT"
# Fields that are columns of their own, as SQL types; whatever else a line has is in `rest`.
_PLAIN = {
    "gateway": _TEXT, "worker": _NUMBER, "event": _TEXT,
    "client": _TEXT, "device": _TEXT, "device_kind": _TEXT, "user": _TEXT, "group": _TEXT,
    "network": _TEXT, "period": _TEXT, "tls": _TEXT, "kind": _TEXT, "theme": _TEXT, "severity": _TEXT,
    "score": _NUMBER, "count": _NUMBER, "file_name": _TEXT, "inner_host": _TEXT, "method": _TEXT,
    "scheme": _TEXT, "host": _TEXT, "search": _TEXT, "verdict": _TEXT, "reason": _TEXT, "clause": _TEXT,
    "category": _TEXT, "shape": _TEXT, "entry": _TEXT, "feed": _TEXT, "rule": _TEXT, "policy": _TEXT,
    "status": _NUMBER, "bytes_up": _NUMBER, "bytes_down": _NUMBER, "duration_ms": _NUMBER,
    "decision_us": _NUMBER,
}  # fmt: skip
# `ts` in milliseconds of Unix time; `id` as what comes before its last hyphen, and the number after it;
# `path` is `url` without scheme and host, where it begins with them.
COLUMNS: Mapping[str, str] = {
    "ts": _NUMBER, "run": _TEXT, "seq": _NUMBER, **_PLAIN, "path": _TEXT, "rest": _TEXT,
}  # fmt: skip
# Columns that a setting may have emptied after a time, by the field of a line that they keep.
EMPTIED = {
    "url": "path", "search": "search", "file_name": "file_name", "inner_host": "inner_host", "host": "host",
    "entry": "entry", "client": "client", "device": "device", "user": "user", "rest": "rest",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LARGEST = (1 << 63) - 1
ILLEGAL = "illegal"
# Of what is illegal: who, when, where, and what was done about it (W-7.2.4).
_OF_ILLEGAL = frozenset(
    {
        "ts", "id", "gateway", "worker", "event", *WHO, "device_kind", "group", "also", "network", "host",
        "inner_host", "theme", "severity", "verdict", "clause", "category", "feed", "list_version",
        "list_hash", "policy",
    }
)  # fmt: skip


def read_line(line: bytes) -> dict[str, Any] | None:
    """Give the record of a line; None where it is none."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            # Half of a surrogate pair, say.
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
    return record if isinstance(record, dict) and "ts" in record else None


def row_of(record: Mapping[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Give the row of a record, with pseudonyms; columns without a value are left out."""
    left = {name: value for name, value in record.items() if value is not None}
    if is_illegal(left):
        left = {name: value for name, value in left.items() if name in _OF_ILLEGAL}
    row: dict[str, Any] = {}
    _put_time(left, row)
    _put_id(left, row)
    for name in WHO:
        # Whatever it is: nothing of it may be kept as it is.
        if left.get(name):
            left[name] = pseudonyms.of(name, str(left[name]))
    for name, kind in _PLAIN.items():
        if _fits(left.get(name), kind):
            row[name] = left.pop(name)
    _put_url(left, row)
    if left:
        row["rest"] = json.dumps(left, sort_keys=True, separators=(",", ":"))
    return row


def record_of(row: Mapping[str, Any], pseudonyms: Pseudonyms | None) -> dict[str, Any]:
    """Give the record of a row.

    Args:
        row: with the names of `COLUMNS`.
        pseudonyms: turn those of people back into names; without, they stay.
    """
    record: dict[str, Any] = {}
    if row.get("ts") is not None:
        at = _EPOCH + row["ts"] * _MILLISECOND
        record["ts"] = at.isoformat(timespec="milliseconds")
    if row.get("run") is not None:
        seq = row.get("seq")
        record["id"] = row["run"] if seq is None else f"{row['run']}-{seq}"
    record |= {name: row[name] for name in _PLAIN if row.get(name) is not None}
    path = row.get("path")
    if path is not None:
        whole = path[:1] not in ("/", ":")
        record["url"] = path if whole else f"{record['scheme']}://{record['host']}{path}"
    if row.get("rest"):
        record |= json.loads(row["rest"])
    if pseudonyms is not None:
        for name in WHO:
            if name in record:
                record[name] = pseudonyms.name(name, record[name]) or record[name]
    return record


def is_illegal(record: Mapping[str, Any]) -> bool:
    """Ask whether a record is of what is illegal: by category, by theme, or by a locked list."""
    return ILLEGAL in (record.get("category"), record.get("theme")) or "list_hash" in record


def _fits(value: object, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, str) and _is_text(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _put_time(left: dict[str, Any], row: dict[str, Any]) -> None:
    try:
        at = datetime.fromisoformat(left["ts"])
        row["ts"] = (at - _EPOCH) // _MILLISECOND
    except (KeyError, TypeError, ValueError, OverflowError):
        return
    if at.astimezone(UTC).isoformat(timespec="milliseconds") == left["ts"]:
        del left["ts"]


def _put_id(left: dict[str, Any], row: dict[str, Any]) -> None:
    whole = left.get("id")
    if not isinstance(whole, str) or not whole.isascii():
        return
    run, _, number = whole.rpartition("-")
    if run and number.isdigit() and str(int(number)) == number and int(number) <= _LARGEST:
        row["run"], row["seq"] = run, int(number)
        del left["id"]


def _put_url(left: dict[str, Any], row: dict[str, Any]) -> None:
    url = left.get("url")
    if not isinstance(url, str) or not _is_text(url):
        return
    path = url.removeprefix(f"{row.get('scheme')}://{row.get('host')}")
    # What begins like a path or a port without having been one goes beside.
    if (path != url and path[:1] in ("/", ":")) or (path == url and url[:1] not in ("", "/", ":")):
        row["path"] = path
        del left["url"]
