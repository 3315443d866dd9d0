"""The school's own lists: `allow.txt` and `block.txt`, one host or host/path a line, and `pass.txt`."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault, RefusedError
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK, LOCAL_PASS
from schoolgate.documents import read_text

ALLOW, BLOCK, PASS = "allow.txt", "block.txt", "pass.txt"
FILES = {BLOCK: LOCAL_BLOCK, ALLOW: LOCAL_ALLOW, PASS: LOCAL_PASS}
_MODE = 0o644
_MARK = "\ufeff"  # of UTF-8, as some editors begin a file


@dataclass(frozen=True, slots=True)
class LocalLine:
    """A line of a list that is more than a remark.

    Attributes:
        number: from 1.
        written: as it stands there, without the remark.
        remark: what follows it.
        entry: what it means; None where it has a fault.
        fault: why it means nothing.
    """

    number: int
    written: str
    remark: str
    entry: ListEntry | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A list as it is now.

    Attributes:
        name: ``allow.txt``, ``block.txt`` or ``pass.txt``.
        path: where it is, or would be.
        lines: of it.
        digest: of all its bytes: whoever changes it says which state was seen.
    """

    name: str
    path: Path
    lines: tuple[LocalLine, ...]
    digest: str


def load_local_lists(directory: Path) -> tuple[ListEntry, ...]:
    """Read the lists; a file that does not exist is an empty list.

    Raises:
        ConfigurationError: with every line that is no host.
    """
    if not directory.is_dir():
        # Not an empty list: the school's own blocks must not vanish unnoticed.
        raise ConfigurationError(
            [Fault(str(directory), 0, "is not a directory", "see lists.local")]
        )
    entries: list[ListEntry] = []
    faults: list[Fault] = []
    for name in FILES:
        path = directory / name
        try:
            path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            # Not an empty list either.
            faults.append(Fault(str(path), 0, f"cannot be read: {error.strerror}"))
            continue
        for line in _lines(name, read_text(path)):
            if line.entry is not None:
                entries.append(line.entry)
            else:
                hint = "write only host or host/path"
                faults.append(Fault(str(path), line.number, line.fault, hint))
    if faults:
        raise ConfigurationError(faults)
    return tuple(entries)


def read_local_file(directory: Path, name: str) -> LocalFile:
    """Read one list, with the lines that have faults.

    Raises:
        ConfigurationError: when it is there and cannot be read at all.
    """
    path = directory / name
    text = read_text(path) if path.exists() else ""
    return LocalFile(name, path, tuple(_lines(name, text)), _digest(_bytes(path)))


def with_line(text: str, entry: ListEntry, remark: str) -> str:
    """Give the text of a list with another line at its end; all else stays as it is.

    Raises:
        RefusedError: when the line would be read back as anything else than that one entry.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    before = text if not text or text.endswith(("\n", "\r")) else text + end
    line = f"{entry.text}  # {remark}{end}"
    # A path may hold what begins a remark or another line, and so may a remark.
    read_back = [one.entry for one in _lines(entry.feed.removeprefix("local/"), line)]
    if read_back != [entry]:
        raise RefusedError(
            f"'{entry.text}' with that reason does not fit into a line of a list: write it otherwise"
        )
    return before + line


def without_line(text: str, number: int) -> str:
    """Give the text of a list without one line; all else stays as it is."""
    lines = text.splitlines(keepends=True)
    # The mark at the beginning is the file's, not the line's.
    mark = _MARK if number == 1 and text.startswith(_MARK) else ""
    return mark + "".join(line for i, line in enumerate(lines, start=1) if i != number)


def pass_unread(directory: Path, host: str, why: str) -> bool:
    """Add a host to `pass.txt`, which a running gateway reads within a second.

    Args:
        directory: of the school's own lists.
        host: alone, without what is below it.
        why: a remark for people.

    Returns:
        Whether it was not there.

    Raises:
        ConfigurationError: when the file cannot be read.
        RefusedError: when it cannot be written.
    """
    file = read_local_file(directory, PASS)
    entry = ListEntry(host, "/", LOCAL_PASS, f"local/{PASS}", Reach.HOST)
    if any(line.entry == entry for line in file.lines):
        return False
    with replacing(file, lambda text: with_line(text, entry, " ".join(why.split()))):
        pass
    return True


def add_host(directory: Path, name: str, host: str, why: str) -> bool:
    """Add a host and what is below it to `block.txt` or `allow.txt`.

    Args:
        directory: of the school's own lists.
        name: of the file.
        host: of a site.
        why: a remark for people.

    Returns:
        Whether it was not there.

    Raises:
        ConfigurationError: when the file cannot be read.
        RefusedError: when it cannot be written.
    """
    file = read_local_file(directory, name)
    entry = ListEntry.parse(host, FILES[name], f"local/{name}")
    if any(line.entry == entry for line in file.lines):
        return False
    with replacing(file, lambda text: with_line(text, entry, " ".join(why.split()))):
        pass
    return True


@contextmanager
def replacing(file: LocalFile, change: Callable[[str], str]) -> Iterator[None]:
    """Put another text in the place of a list, whole or not at all.

    What is done within happens when all is ready and only the last step is left: the file is replaced
    at its end, and stays as it is where something is raised.

    Args:
        file: the list as it was seen.
        change: gives the new text from the old one.

    Raises:
        RefusedError: when it is another than was seen, or cannot be written.
    """
    # A link stays one: what it leads to is replaced.
    path = file.path.resolve()
    try:
        place = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RefusedError(_unwritable(file.path, error)) from error
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # Of two who change it at once the second sees what the first has done.
        fcntl.flock(place, fcntl.LOCK_EX)
        before = _bytes(path)
        if _digest(before) != file.digest:
            raise RefusedError(
                f"{file.name} was changed meanwhile: look at it again, nothing was done"
            )
        try:
            _write(aside, change(before.decode("utf-8")).encode(), path)
        except OSError as error:
            raise RefusedError(_unwritable(file.path, error)) from error
        yield
        try:
            aside.replace(path)
            os.fsync(place)
        except OSError as error:
            raise RefusedError(_unwritable(file.path, error)) from error
    finally:
        aside.unlink(missing_ok=True)
        os.close(place)


def why_not_writable(file: LocalFile) -> str:
    """Give a sentence that says why a list cannot be changed by this process; "" where it can."""
    directory = file.path.resolve().parent
    if os.access(directory, os.W_OK | os.X_OK):
        return ""
    return (
        f"The portal may not write to {directory}: change {file.name} there by hand, or give "
        "schoolgate's user write access to that directory."
    )


def _lines(name: str, text: str) -> Iterator[LocalLine]:
    for number, line in enumerate(text.splitlines(), start=1):
        before, _, remark = line.partition("#")
        written = before.strip()
        if not written:
            continue
        try:
            entry = ListEntry.parse(written, FILES[name], f"local/{name}")
        except BadAddressError as error:
            yield LocalLine(number, written, remark.strip(), None, str(error))
            continue
        if name == PASS and entry.path != "/":
            fault = f"'{written}' is a part of a site: a connection is read or not as a whole"
            yield LocalLine(number, written, remark.strip(), None, fault)
        else:
            yield LocalLine(number, written, remark.strip(), entry)


def _write(aside: Path, content: bytes, path: Path) -> None:
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        if path.exists():
            kept = path.stat()
            os.fchmod(descriptor, kept.st_mode & 0o7777)
            if (kept.st_uid, kept.st_gid) != (os.geteuid(), os.getegid()):
                _keep_owner(descriptor, kept)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _keep_owner(descriptor: int, kept: os.stat_result) -> None:
    try:
        os.fchown(descriptor, kept.st_uid, kept.st_gid)
    except PermissionError:
        # Who may write the directory may take the file over; that it can be read is what counts.
        return


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        fault = Fault(str(path), 0, f"cannot be read: {error.strerror}")
        raise ConfigurationError([fault]) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unwritable(path: Path, error: OSError) -> str:
    return (
        f"{path} cannot be written ({error.strerror}): change it there by hand, or give schoolgate's "
        "user write access to its directory"
    )
