"""Reads the journal's files from a place on, line by line, and goes on to the next day's."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A worker may add a line to the file of yesterday for a moment after midnight.
_LATE = timedelta(seconds=60)
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal.

    Attributes:
        file: name of a day's file; "" before the first.
        offset: bytes of it that are done.
        begun: what tells the file from another of the same name, such as one that was begun after the first
            was set aside; "" where that is not known yet.
    """

    file: str = ""
    offset: int = 0
    begun: str = field(default="", compare=False)

    @property
    def source(self) -> str:
        """The file, unlike any other."""
        return f"{self.file}#{self.begun}"


class Tail:
    """The journal of one directory.

    Args:
        directory: of the files ``YYYY-MM-DD.jsonl``.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def start(self, now: datetime) -> Position:
        """Give where somebody begins who has never read: with the day that it is (UTC)."""
        return Position(f"{now.astimezone(UTC):%Y-%m-%d}.jsonl", 0)

    def read(
        self, position: Position, most_bytes: int, now: datetime
    ) -> tuple[list[bytes], Position]:
        """Give whole lines from a place on, and the place after them.

        Args:
            position: where to begin.
            most_bytes: of lines; one that is longer comes alone.
            now: aware.
        """
        try:
            data, begun = self._data(position, most_bytes)
        except FileNotFoundError:
            data, begun = b"", ""
        if begun and position.begun and begun != position.begun:
            return [], Position(position.file, 0, begun)
        end = data.rfind(b"\n") + 1
        if end:
            after = Position(position.file, position.offset + end, begun)
            return data[:end].split(b"\n")[:-1], after
        following = self._next(position.file, now)
        return [], Position(following, 0) if following else position

    def is_lost(self, position: Position) -> bool:
        """Ask whether lines were deleted before they were read, as far as can be told."""
        return (
            bool(position.offset)
            and not (self._directory / position.file).exists()
            and any(path.name > position.file for path in self._files())
        )

    def behind(self, position: Position) -> int:
        """Give how many bytes are still to be read."""
        total = 0
        for path in self._files():
            if path.name >= position.file:
                try:
                    size = path.stat().st_size
                except FileNotFoundError:
                    continue
                total += size - (position.offset if path.name == position.file else 0)
        return max(0, total)

    def waiting_since(self, position: Position) -> datetime | None:
        """Give the time of the first whole line that is still to be read; None where all are.

        Of one that says no time, it is that of the beginning of its file's day.
        """
        for path in self._files():
            if path.name < position.file:
                continue
            try:
                with path.open("rb") as file:
                    file.seek(position.offset if path.name == position.file else 0)
                    line = file.readline()
            except FileNotFoundError:
                continue
            if line.endswith(b"\n"):
                return _time_of(line, path.stem)
        return None

    def _data(self, position: Position, most_bytes: int) -> tuple[bytes, str]:
        """Give bytes from a place on, and what tells their file from others."""
        with (self._directory / position.file).open("rb") as file:
            # A line has an id of its own, so that no two files begin with the same.
            first = file.readline()
            begun = hashlib.sha256(first).hexdigest()[:_DIGITS] if first.endswith(b"\n") else ""
            file.seek(position.offset)
            data = file.read(most_bytes)
            if b"\n" not in data and len(data) == most_bytes:
                data += file.readline()
            return data, begun

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("????-??-??.jsonl"))

    def _next(self, name: str, now: datetime) -> str:
        """Give the file after one that nobody adds to any more; "" where there is none."""
        for path in self._files():
            if path.name > name:
                day = datetime.strptime(path.stem, "%Y-%m-%d").replace(tzinfo=UTC)
                return path.name if now >= day + _LATE else ""
        return ""


def _time_of(line: bytes, day: str) -> datetime:
    try:
        return datetime.fromisoformat(json.loads(line)["ts"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError):
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)


def read_position(file: Path) -> Position | None:
    """Give the place that was kept; None where there is none that can be read."""
    try:
        text = json.loads(file.read_bytes())
        return Position(str(text["file"]), int(text["offset"]), str(text.get("begun", "")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_position(file: Path, position: Position) -> None:
    """Keep a place.

    Raises:
        OSError: when it cannot be written.
    """
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    aside.write_text(json.dumps(asdict(position)), encoding="ascii")
    aside.replace(file)
