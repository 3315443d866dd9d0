"""One file that holds many: written whole or not at all, and read with nothing in it believed.

A gzipped tar; its last member is the manifest, with the SHA-256 of every other one.
"""

import errno
import gzip
import hashlib
import io
import json
import os
import secrets
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from schoolgate.core.errors import RefusedError, UnavailableError

FORMAT = 1
MANIFEST = "manifest.json"
_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700
_KIND = "schoolgate back-up"
_LONGEST_MANIFEST = 64 * 1024 * 1024
# Little of what is kept is worth more effort.
_LEVEL = 6
# What file systems without links say: FAT, some of CIFS.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file says of itself.

    Attributes:
        facts: who made it, when, from which schema.
        sums: name → SHA-256 of every member.
    """

    facts: Mapping[str, str]
    sums: Mapping[str, str]


def write_archive(
    file: Path, members: Iterable[tuple[str, Path]], facts: Mapping[str, str]
) -> Manifest:
    """Write files into a new private one, which is there only when it is whole and on the disk.

    Args:
        file: that is made.
        members: name in it, and where it is read. One that has gone meanwhile is left out; one that
            grows is taken as long as it was.
        facts: for the manifest.

    Raises:
        RefusedError: when the file is there already.
        UnavailableError: when something cannot be read or written.
    """
    if file.exists():
        raise RefusedError(f"{file} is there already: name another file, or move it away")
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=_LEVEL) as archive:
                manifest = _fill(archive, members, facts)
            raw.flush()
            os.fsync(raw.fileno())
        _name(aside, file)
        sync_directory(file.parent)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            aside.unlink()
    return manifest


def unpack(file: Path, directory: Path, only: str | None = None) -> Manifest:
    """Read a file into an empty directory, and see that all of it is as it was written.

    Nothing is written anywhere else, and nothing but files and directories.

    Args:
        file: that `write_archive` wrote.
        directory: where its members go.
        only: the member that is written, where the others are only looked at.

    Raises:
        RefusedError: when it is damaged, or no file of schoolgate's, or of a newer one.
        UnavailableError: when it cannot be read, or the directory cannot be written.
    """
    damaged = f"{file} is damaged, or no back-up of schoolgate's"
    try:
        sums = _extract(file, directory, only)
        manifest = _manifest(directory / MANIFEST)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise RefusedError(f"{damaged} ({error})") from error
    except OSError as error:
        # The library says so of what is no gzip, too.
        if error.errno is None:
            raise RefusedError(f"{damaged} ({error})") from error
        raise UnavailableError(f"{error.filename or file}: {error.strerror}") from error
    wrong = sorted({name for name, _ in manifest.sums.items() ^ sums.items()})
    if wrong:
        raise RefusedError(f"{damaged}: {wrong[0]} is not as it was written")
    return manifest


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on the disk."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _name(aside: Path, file: Path) -> None:
    """Give a file its name, which nobody else has."""
    try:
        # Unlike a rename, it takes nobody's place.
        os.link(aside, file)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE))
        try:
            aside.replace(file)
        except OSError:
            file.unlink()
            raise


class _Hashing:
    """A file that notes what is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sum.update(data)
        return data


def _fill(
    archive: tarfile.TarFile, members: Iterable[tuple[str, Path]], facts: Mapping[str, str]
) -> Manifest:
    sums: dict[str, str] = {}
    for name, path in members:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            status = os.fstat(file.fileno())
            member = tarfile.TarInfo(name)
            member.size, member.mtime = status.st_size, int(status.st_mtime)
            member.mode = status.st_mode & 0o777
            hashing = _Hashing(file)
            archive.addfile(member, hashing)
            sums[name] = hashing.sum.hexdigest()
    told = {"kind": _KIND, "format": FORMAT, "facts": dict(facts), "sums": sums}
    text = json.dumps(told, indent=1).encode()
    last = tarfile.TarInfo(MANIFEST)
    last.size, last.mode = len(text), _PRIVATE_FILE
    archive.addfile(last, io.BytesIO(text))
    return Manifest(dict(facts), sums)


def _extract(file: Path, directory: Path, only: str | None) -> dict[str, str]:
    """Write every member below a directory, or one; give all sums, without the manifest's."""
    sums: dict[str, str] = {}
    with gzip.open(file) as raw, tarfile.open(fileobj=raw, mode="r:") as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            plain = str(name) == member.name and not name.is_absolute() and ".." not in name.parts
            if not member.isreg() or not plain or member.name in sums:
                raise tarfile.TarError(f"it holds {member.name[:100]!r}, which is no file of ours")
            safe = tarfile.data_filter(member, str(directory))
            content = archive.extractfile(member)
            assert content is not None
            hashing = _Hashing(content)
            if only is None or member.name in (only, MANIFEST):
                _write(hashing, directory / safe.name, member.mode & 0o755)
            else:
                while hashing.read(1 << 20):
                    pass
            sums[member.name] = hashing.sum.hexdigest()
        # The sum of the whole stands at its very end.
        while raw.read(1 << 20):
            pass
    sums.pop(MANIFEST, None)
    return sums


def _write(content: _Hashing, target: Path, mode: int) -> None:
    target.parent.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
    with os.fdopen(handle, "wb") as out:
        while data := content.read(1 << 20):
            out.write(data)
    target.chmod(mode)


def _manifest(file: Path) -> Manifest:
    if not file.is_file() or file.stat().st_size > _LONGEST_MANIFEST:
        raise ValueError("it has no manifest")
    told = json.loads(file.read_bytes())
    if told["kind"] != _KIND:
        raise ValueError("it is of something else")
    if told["format"] != FORMAT:
        made_by = told["facts"].get("version", "?")
        raise RefusedError(
            f"it was made by a newer schoolgate ({made_by}): restore it with that one"
        )
    facts = {str(name): str(fact) for name, fact in told["facts"].items()}
    return Manifest(facts, {str(name): str(one) for name, one in told["sums"].items()})
