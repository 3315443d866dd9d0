"""Lease files on disk, looked at while their server writes them; what was good is kept."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.core.people import LeaseKind, LeaseSource
from schoolgate.identity.facts import Lease
from schoolgate.identity.leases import parse_leases

MAX_BYTES = 64 * 1024 * 1024
# Looks at a file that is never found at rest before that is called a fault.
_PATIENCE = 20


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells whether a file is the one that was looked at before."""

    device: int
    inode: int
    size: int
    changed_ns: int


class LeaseFile:
    """One server's leases, followed from look to look; used by one thread.

    Attributes:
        leases: of the last look that found a good file, without those that had ended by then; each
            still ends by its own time.
        fault: what was wrong at the last look, or "".
        failing: whether what is known may be out of date; so it is before the first good look.
        settled: whether the last look found the file at rest; else look again soon.
    """

    def __init__(self, source: LeaseSource) -> None:
        self._source = source
        self._seen: tuple[_Stamp, ...] = ()
        self._taken: tuple[_Stamp, ...] | None = None
        self._restless = 0
        self.leases: tuple[Lease, ...] = ()
        self.fault = ""
        self.failing = True
        self.settled = True

    def look(self, at: float) -> bool:
        """Read the file if it changed, and say whether what is known changed.

        dnsmasq empties its file and writes it anew, so that it is read only when two looks in a row
        find the same. Kea appends, so that what was read up to the last whole line is good; of the
        files that its clean-up moves about, those that count are found again after reading.

        Args:
            at: seconds since 1970.
        """
        try:
            files = self._files()
            stamps = tuple(_stamp(file) for file in files)
            if stamps == self._taken:
                self.settled = True
                return False
            if not self._at_rest(stamps):
                return False
            contents = [_read(file) for file in files]
            moved = self._files() != files or not self._undisturbed(files, stamps)
        except OSError as error:
            return self._failed(f"cannot be read: {error.strerror or error}")
        except ValueError as error:
            return self._failed(str(error))
        if moved:
            self._unsettled()
            return False
        return self._taken_over(contents, stamps, at)

    def _files(self) -> list[Path]:
        """Give the files that count, the oldest first, as Kea's own start reads them.

        Its clean-up (LFC) moves FILE to FILE.1, writes FILE.2 and FILE.1 as one to FILE.output,
        renames that to FILE.completed and then to FILE.2.
        """
        file = self._source.file
        if self._source.kind is LeaseKind.DNSMASQ:
            return [file]
        completed = file.with_name(file.name + ".completed")
        before = (
            [completed]
            if completed.exists()
            else [file.with_name(file.name + ".2"), file.with_name(file.name + ".1")]
        )
        # Between the move and the new file there is a moment without FILE.
        return [*(path for path in before if path.exists()), file]

    def _at_rest(self, stamps: tuple[_Stamp, ...]) -> bool:
        still = stamps == self._seen or self._source.kind is not LeaseKind.DNSMASQ
        self._seen = stamps
        if not still:
            self._unsettled()
        return still

    def _undisturbed(self, files: Sequence[Path], before: tuple[_Stamp, ...]) -> bool:
        after = tuple(_stamp(file) for file in files)
        if self._source.kind is LeaseKind.DNSMASQ:
            return after == before
        return all(
            (a.device, a.inode) == (b.device, b.inode) and a.size >= b.size
            for a, b in zip(after, before, strict=True)
        )

    def _unsettled(self) -> None:
        self.settled = False
        self._restless += 1
        if self._restless >= _PATIENCE:
            self.failing = True
            self.fault = f"{self._source.file} changes without a rest; the last leases are kept"

    def _failed(self, why: str) -> bool:
        self.settled = True
        self._taken = None
        self.failing = True
        self.fault = f"{self._source.file} {why}; the last leases are kept"
        return False

    def _taken_over(self, contents: list[bytes], stamps: tuple[_Stamp, ...], at: float) -> bool:
        read = parse_leases(self._source.kind, contents, at)
        self.settled, self._restless, self._taken = True, 0, stamps
        self.failing = not read.readable
        if self.failing:
            self.fault = (
                f"{self._source.file} is no file of {self._source.kind} leases "
                f"({'; '.join(read.faults)}); the last leases are kept"
            )
            return False
        self.fault = ""
        if read.bad_lines:
            self.fault = (
                f"{self._source.file} has {read.bad_lines} lines that cannot be read "
                f"({'; '.join(read.faults)}); the others count"
            )
        changed = read.leases != self.leases
        self.leases = read.leases
        return changed


def _stamp(file: Path) -> _Stamp:
    found = file.stat()
    return _Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _read(file: Path) -> bytes:
    """Read a file whole.

    Raises:
        OSError: when it cannot be.
        ValueError: when it is too large, or is no regular file (a pipe would be waited for).
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not file.is_file():
            raise ValueError("is no regular file")
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES} bytes")
    return content
