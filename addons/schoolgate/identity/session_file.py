"""The file through which the process that hears RADIUS tells all workers who is on the WiFi.

It is also what keeps sessions over a restart: devices do not sign in to the WiFi again because the
gateway was updated.
"""

import ipaddress
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schoolgate.identity.facts import Session

_MAX_BYTES = 64 * 1024 * 1024
# The process that hears RADIUS writes it anew each minute at least; older, it does not hear any more.
_FRESH_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Written:
    """The content of the file.

    Attributes:
        at: when it was written, seconds since 1970.
        sessions: those in force then.
    """

    at: float
    sessions: tuple[Session, ...] = ()


def write_sessions(file: Path, sessions: Sequence[Session], at: float) -> None:
    """Write the file whole, or leave the old one; only schoolgate can read it.

    Args:
        file: where.
        sessions: those in force.
        at: the time, seconds since 1970.

    Raises:
        OSError: when it cannot be written.
    """
    rows = [
        {
            "nas": session.nas,
            "id": session.id,
            "user": session.user,
            "group": session.group,
            "also": sorted(session.also),
            "mac": session.mac,
            "addresses": list(session.addresses),
            "prefixes": [str(prefix) for prefix in session.prefixes],
            "since": session.since,
            "until": session.until,
        }
        for session in sessions
    ]
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"at": at, "sessions": rows}, stream)
    temporary.replace(file)


def read_sessions(file: Path) -> Written:
    """Read the file; one that is not there holds nobody and is as old as can be.

    Raises:
        OSError: when it cannot be read.
        ValueError: when it is no such file.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Written(0.0)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"is larger than {_MAX_BYTES} bytes")
    try:
        read = json.loads(content)
        return Written(float(read["at"]), tuple(map(_session, read["sessions"])))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is no file of sessions: {error!r}") from error


def _session(row: dict[str, Any]) -> Session:
    return Session(
        nas=str(row["nas"]),
        id=str(row["id"]),
        user=str(row["user"]),
        group=str(row["group"]),
        also=frozenset(map(str, row["also"])),
        mac=str(row["mac"]),
        addresses=tuple(map(str, row["addresses"])),
        prefixes=tuple(ipaddress.ip_network(prefix) for prefix in row["prefixes"]),
        since=float(row["since"]),
        until=float(row["until"]),
    )


class SessionFile:
    """The sessions that another process hears, followed from look to look; used by one thread.

    Attributes:
        sessions: of the last look that could read the file; each ends by its own time.
        fault: what was wrong at the last look, or "".
        failing: whether sessions may be missing.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._taken: tuple[int, int, int] | None = None
        self._written_at = 0.0
        self.sessions: tuple[Session, ...] = ()
        self.fault = ""
        self.failing = True

    def look(self, at: float) -> bool:
        """Read the file if it was replaced, and say whether what is known changed.

        Args:
            at: seconds since 1970.
        """
        before = self.sessions
        try:
            stamp = self._stamp()
            if stamp != self._taken:
                heard = read_sessions(self._file)
                self.sessions, self._written_at = heard.sessions, heard.at
                self._taken = stamp
            self.fault = ""
            if at - self._written_at > _FRESH_SECONDS:
                self.fault = f"nobody hears RADIUS accounting: {self._file} is old"
        except (OSError, ValueError) as error:
            self._taken = None
            self.fault = f"{self._file} cannot be read: {error}; the last sessions are kept"
        self.failing = bool(self.fault)
        return self.sessions != before

    def _stamp(self) -> tuple[int, int, int]:
        found = self._file.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
