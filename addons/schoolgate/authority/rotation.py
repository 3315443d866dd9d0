"""The next CA beside the one that signs, and those before: devices trust both while they change.

At every moment one file holds the CA that signs; it is replaced by a rename, and only by one that was
read and found good.
"""

import datetime as dt
import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from schoolgate.authority.pairs import PRIVATE, Pair, make_pair, read_pair, write_whole
from schoolgate.authority.store import (
    CERTIFICATE,
    KEY_AND_CERTIFICATE,
    NAME,
    CaInfo,
    info_of,
    keep_secrets,
    put_signing,
    signing,
)
from schoolgate.core.errors import RefusedError, UnavailableError

NEXT = "next-ca.pem"
OLD = "old"
# Of a fingerprint, what tells one CA from another in the name of a file.
_SHORT = 16


class Standing(StrEnum):
    """What a CA is there for."""

    SIGNING = "signing"
    NEXT = "next"
    """Devices are to trust it already."""
    OLD = "old"
    """It signed before; its key is kept, so that a switch can be undone."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A CA of this gateway.

    Attributes:
        standing: what it is there for.
        info: what it is; None where it cannot be used.
        pem: its certificate, empty where it cannot be used.
        trouble: why it cannot be used.
    """

    standing: Standing
    info: CaInfo | None = None
    pem: bytes = b""
    trouble: str = ""


def listed(directory: Path) -> list[Listed]:
    """Give every CA that is there: the one that signs first, then the next, then old ones.

    Raises:
        UnavailableError: when the one that signs cannot be used; of others that is said.
    """
    first = signing(directory)
    found = [_listed(Standing.SIGNING, first, directory / CERTIFICATE)]
    seen = {first.sha256}
    for standing, file in _others(directory):
        try:
            pair = read_pair(file, f"{file} has gone.")
        except UnavailableError as error:
            found.append(Listed(standing, trouble=str(error)))
            continue
        # Whoever was killed during a switch left it in two places.
        if pair.sha256 not in seen:
            seen.add(pair.sha256)
            found.append(_listed(standing, pair, file))
    return found


def published(directory: Path, now: dt.datetime) -> list[Listed]:
    """Give the CAs that devices are to trust: those that can be used and have not ended.

    Raises:
        UnavailableError: when the one that signs cannot be used.
    """
    return [
        each
        for each in listed(directory)
        if each.info is not None
        and (each.standing is Standing.SIGNING or each.info.not_after > now)
    ]


def named(found: Iterable[Listed], file: Path) -> Iterator[tuple[Path, Listed]]:
    """Give each CA a file of its own for its certificate: programs that take several from one are few.

    Args:
        found: some of `listed`.
        file: of the one that signs; others have what they are there for in their names.
    """
    many = Counter[Standing]()
    for each in found:
        many[each.standing] += 1
        end = "" if each.standing is Standing.SIGNING else f"-{each.standing}"
        number = f"-{many[each.standing]}" if many[each.standing] > 1 else ""
        yield file.with_name(f"{file.stem}{end}{number}{file.suffix}"), each


def renew(directory: Path, now: dt.datetime) -> CaInfo:
    """Make the next CA, of the same school, which signs nothing yet.

    Raises:
        RefusedError: when there is one already.
        UnavailableError: when there is no CA that signs, or the next cannot be written.
    """
    with _alone(directory):
        current = signing(directory)
        file = directory / NEXT
        if file.exists() and not _is_leftover(file, current):
            raise RefusedError(
                f"there is a next CA already, in {file}: bring it onto the devices and run "
                "'schoolgate ca switch', or take it away with 'schoolgate ca remove next'"
            )
        # Two of the same name are hard to tell apart on a device.
        made = make_pair(f"{NAME} {now:%Y-%m-%d}", current.organisation, now)
        write_whole(file, made.raw, PRIVATE)
        return info_of(made, file)


def switch(directory: Path, now: dt.datetime) -> CaInfo:
    """Have the next CA sign from now on, and keep the one that did.

    Raises:
        RefusedError: when there is no next one, or it is not good at this time.
        UnavailableError: when it is damaged, others can read it, or nothing can be written; the
            one that signs goes on.
    """
    with _alone(directory):
        file = directory / NEXT
        current = signing(directory)
        if not file.exists() or _is_leftover(file, current):
            raise RefusedError("there is no next CA: make one with 'schoolgate ca renew'")
        coming = read_pair(file, f"{file} has gone.")
        _put(directory, current, coming, now, directory / OLD / _name(current))
        file.unlink()
        return info_of(coming, directory / CERTIFICATE)


def switch_back(directory: Path, now: dt.datetime) -> CaInfo:
    """Have the CA sign that did before; the one that does now is the next one again.

    Raises:
        RefusedError: when there is none that is good, or there is a next one.
        UnavailableError: as `switch`.
    """
    with _alone(directory):
        current = signing(directory)
        file = directory / NEXT
        if file.exists() and not _is_leftover(file, current):
            raise RefusedError(f"there is a next CA in {file}, whose place would be taken")
        before = [each for each in _old(directory) if each != _name(current)]
        if not before:
            raise RefusedError("no CA has signed before this one")
        pair = read_pair(directory / OLD / before[0], "It has gone.")
        _put(directory, current, pair, now, file)
        (directory / OLD / before[0]).unlink()
        return info_of(pair, directory / CERTIFICATE)


def remove(directory: Path, standing: Standing) -> int:
    """Take the next CA away, or all old ones, with their keys; give how many there were.

    Raises:
        RefusedError: when it is the one that signs.
        UnavailableError: when they cannot be removed.
    """
    if standing is Standing.SIGNING:
        raise RefusedError("the CA that signs cannot be taken away: switch to another one first")
    with _alone(directory):
        files = [file for which, file in _others(directory) if which is standing]
        for file in files:
            file.unlink()
        return len(files)


def mark(directory: Path) -> tuple[int, ...]:
    """Give what changes when another CA signs; () where there is none."""
    try:
        status = (directory / KEY_AND_CERTIFICATE).stat()
    except OSError:
        return ()
    return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode


def _put(directory: Path, current: Pair, coming: Pair, now: dt.datetime, kept: Path) -> None:
    """Keep the CA that signs elsewhere, and only then put the other one in its place."""
    certificate = coming.certificate
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise RefusedError(
            f"the other CA is good from {certificate.not_valid_before_utc:%Y-%m-%d} until "
            f"{certificate.not_valid_after_utc:%Y-%m-%d}, and not now"
        )
    keep_secrets(directory)
    if not kept.parent.exists():
        kept.parent.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = directory.stat()
            os.chown(kept.parent, owner.st_uid, owner.st_gid)
    write_whole(kept, current.raw, PRIVATE)
    put_signing(directory, coming)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let nobody else change which CA signs; what cannot be written is said."""
    try:
        held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UnavailableError(
            f"There is no CA in {directory} yet; it is made when schoolgate first runs."
        ) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise UnavailableError(
            f"The CA in {directory} cannot be changed: {error.strerror or error}."
        ) from error
    finally:
        os.close(held)


def _listed(standing: Standing, pair: Pair, file: Path) -> Listed:
    return Listed(standing, info_of(pair, file), pair.certificate_pem)


def _others(directory: Path) -> Iterator[tuple[Standing, Path]]:
    if (directory / NEXT).exists():
        yield Standing.NEXT, directory / NEXT
    for name in _old(directory):
        yield Standing.OLD, directory / OLD / name


def _old(directory: Path) -> list[str]:
    """Give the files of old CAs, the one that signed last first."""
    files = list((directory / OLD).glob("*.pem"))
    return [file.name for file in sorted(files, key=lambda f: f.stat().st_mtime_ns, reverse=True)]


def _name(pair: Pair) -> str:
    return f"{pair.sha256.replace(':', '').lower()[:_SHORT]}.pem"


def _is_leftover(file: Path, current: Pair) -> bool:
    """Ask whether it is the one that signs already: a switch was killed before its last step."""
    try:
        return read_pair(file, "It has gone.").sha256 == current.sha256
    except UnavailableError:
        return False
