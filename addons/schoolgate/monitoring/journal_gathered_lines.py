"""Lines of gateways, laid aside as DuckDB reads them: each begins with whose it is, whatever else it says.

Of fields with one name in a line DuckDB takes the first, which is ours.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import orjson

TEXTS = (
    "id", "gateway", "event", "who", "client", "device", "user", "also", "grant", "group", "network",
    "period", "device_kind", "tls", "kind", "theme", "severity", "method", "scheme", "host", "inner_host",
    "entry", "url", "search", "file_name", "verdict", "reason", "clause", "category", "shape", "feed",
    "rule", "policy", "check", "list_version", "list_hash",
)  # fmt: skip
NUMBERS = ("worker", "score", "status", "bytes_up", "bytes_down", "duration_ms", "decision_us")
KNOWN = frozenset(("ts", *TEXTS, *NUMBERS))
# Ours, before those of the line.
SCHOOL, GATEWAY, ARRIVED, REST = "_school", "_gateway", "_arrived", "_rest"


def marked(
    lines: Sequence[bytes],
    names: frozenset[str] | None,
    school: str,
    gateway: str,
    arrived: datetime,
) -> tuple[bytes, int]:
    """Give lines with whose they are, and how many; some may still be none.

    Args:
        lines: JSON, as a gateway has sent them.
        names: of their fields, as the gateway says; who says less than there is gets less kept.
        school: as the server of NATS knows.
        gateway: likewise.
        arrived: when, in UTC.
    """
    head = orjson.dumps({SCHOOL: school, GATEWAY: gateway, ARRIVED: f"{arrived:%Y-%m-%dT%H:%M:%S}"})
    found = lines
    if names is None or not names <= KNOWN or any(line[:1] != b"{" for line in lines):
        found = [made for made in map(_known, lines) if made]
    if not found:
        return b"", 0
    start = b"\n" + head[:-1] + b","
    return (b"\n" + b"\n".join(found)).replace(b"\n{", start)[1:] + b"\n", len(found)


def _known(line: bytes) -> bytes:
    """Give a line with what is not known of it as one field; nothing where it is none."""
    try:
        record = orjson.loads(line)
    except ValueError:
        return b""
    if not isinstance(record, dict):
        return b""
    if not record.keys() <= KNOWN:
        rest = {name: record.pop(name) for name in record.keys() - KNOWN}
        record[REST] = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode()
    return orjson.dumps(record)


class Aside:
    """A file of lines that wait, and how many they are.

    Args:
        file: where; what it has is of one that was killed, and forgotten.

    Raises:
        OSError: when it cannot be made.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._open: BinaryIO = file.open("wb")
        self.count = self.size = 0

    def add(self, block: bytes, count: int) -> None:
        """Add lines.

        Raises:
            OSError: when there is no room.
        """
        self._open.write(block)
        self.count += count
        self.size += len(block)

    def flush(self) -> None:
        """Let others read them."""
        self._open.flush()

    def clear(self) -> None:
        """Forget them."""
        self._open.seek(0)
        self._open.truncate()
        self.count = self.size = 0

    def close(self) -> None:
        """Let the file go."""
        self._open.close()
