"""Reads the journal's files from a place on, line by line, and goes on to the next day's."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

# A worker may add a line to the file of yesterday for a moment after midnight.
_LATE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal.

    Attributes:
        file: name of a day's file; "" before the first.
        offset: bytes of it that are done.
    """

    file: str = ""
    offset: int = 0


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
            data = self._data(position, most_bytes)
        except FileNotFoundError:
            data = b""
        end = data.rfind(b"\n") + 1
        if end:
            return data[:end].split(b"\n")[:-1], Position(position.file, position.offset + end)
        after = self._next(position.file, now)
        return [], Position(after, 0) if after else position

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

    def _data(self, position: Position, most_bytes: int) -> bytes:
        with (self._directory / position.file).open("rb") as file:
            file.seek(position.offset)
            data = file.read(most_bytes)
            if b"\n" not in data and len(data) == most_bytes:
                data += file.readline()
            return data

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob("????-??-??.jsonl"))

    def _next(self, name: str, now: datetime) -> str:
        """Give the file after one that nobody adds to any more; "" where there is none."""
        for path in self._files():
            if path.name > name:
                day = datetime.strptime(path.stem, "%Y-%m-%d").replace(tzinfo=UTC)
                return path.name if now >= day + _LATE else ""
        return ""


def read_position(file: Path) -> Position | None:
    """Give the place that was kept; None where there is none that can be read."""
    try:
        text = json.loads(file.read_bytes())
        return Position(str(text["file"]), int(text["offset"]))
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
