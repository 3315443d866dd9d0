"""To systemd's journal, in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a socket and lines.

A few lines of the standard library; systemd-python is built against libsystemd on each machine.
"""

import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from schoolgate.shipping.receivers import Place, Record

SOCKET = Path("/run/systemd/journal/socket")
_INFO, _NOTICE = 6, 5


class Journald:
    """Writes to the journal of this machine.

    Args:
        address: its socket.
    """

    settle_seconds = 0.0

    def __init__(self, address: Path = SOCKET) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        """Send each as an entry of its own; a full queue is waited for."""
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                made.connect(str(self._address))
            except OSError:
                made.close()
                raise
            self._socket = made
        for record in records:
            self._socket.send(entry(record))

    def check(self) -> None:
        """Nothing is under way: a datagram has come when it was sent."""

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None


def entry(record: Record) -> bytes:
    """Give a line of the journal as an entry of journald's."""
    fields = {
        "MESSAGE": orjson.dumps(dict(record)).decode(),
        "PRIORITY": str(_NOTICE if record.get("verdict") == "block" else _INFO),
        "SYSLOG_IDENTIFIER": "schoolgate",
        **{
            f"SCHOOLGATE_{name.upper()}": str(value)
            for name, value in record.items()
            if not isinstance(value, list | dict)
        },
    }
    return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return name.encode() + b"=" + data + b"\n"
