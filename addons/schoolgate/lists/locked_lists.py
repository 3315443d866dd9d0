"""The locked lists of a directory that only root may write: a manifest for each, and what it names."""

import base64
import binascii
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.hosts import as_ip
from schoolgate.core.locked import (
    ALGORITHMS,
    HashedEntries,
    HashForm,
    Hashing,
    LockedBy,
    LockedList,
    LockedLists,
    Page,
    PlainEntries,
    Spelling,
)
from schoolgate.core.locked.lists import Entries
from schoolgate.documents import Document, Strict, parse_document, validate
from schoolgate.lists.guarded import check_directory, read_guarded
from schoolgate.lists.public_suffixes import is_public_suffix

_ROOT = 0
# Stands for the directory, where no list is known.
_ALL = "all"
_MOST_BYTES = 256 * 1024 * 1024
_MOST_MANIFEST_BYTES = 64 * 1024
# A shorter hash would close what nobody listed.
_LEAST_HASH_BYTES = 8
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Hex = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2})*$")]


def _moment(value: object) -> object:
    """Read a day as its beginning; YAML has both kinds."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


class HashedText(Strict):
    """How the hashes of a list were made."""

    algorithm: Literal["md5", "sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    bytes: Annotated[int, Field(ge=_LEAST_HASH_BYTES, le=64)] | None = None
    of: Hashing = Hashing.URL
    spelling: Spelling = Spelling.FOLDED
    scheme: bool = False
    salt: Hex = ""
    hosts: FileName | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bytes is not None and self.bytes > self._whole:
            raise ValueError(f"{self.algorithm} has {self._whole} bytes, not {self.bytes}")
        return self

    @property
    def form(self) -> HashForm:
        """The same as a value of `core`."""
        return HashForm(
            self.algorithm,
            self.bytes or self._whole,
            self.of,
            self.spelling,
            self.scheme,
            bytes.fromhex(self.salt),
        )

    @property
    def _whole(self) -> int:
        return ALGORITHMS[self.algorithm](b"").digest_size


class ManifestText(Strict):
    """The manifest of a list: ``NAME.yaml``."""

    file: FileName
    title: str = ""
    version: Annotated[str, BeforeValidator(str)] = ""
    date: Annotated[AwareDatetime | None, BeforeValidator(_moment)] = None
    sha256: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$")] | None = None
    most_days: Annotated[int, Field(ge=1, le=366)] = 7
    hashed: HashedText | None = None


@dataclass(frozen=True, slots=True)
class LockedPlace:
    """Where locked lists are.

    Attributes:
        directory: that only root may write; one that does not exist holds none.
        required: names of lists without which nothing is let through.
        owner: numeric id of a user who counts as root.
    """

    directory: Path
    required: Sequence[str] = ()
    owner: int = field(default=_ROOT)

    def files(self) -> Iterator[Path]:
        """Give the directory and what is in it, as far as it can be found."""
        yield self.directory
        with contextlib.suppress(OSError):
            yield from self.directory.iterdir()


def read_locked_lists(
    place: LockedPlace, now: datetime, before: LockedLists | None = None
) -> LockedLists:
    """Read all locked lists; of one that has faults the last good state stays.

    Args:
        place: where they are.
        now: aware.
        before: those in force; None where nothing is in force yet.

    Returns:
        The lists; `LockedLists.refused` says what is wrong with which. One that is gone stays in force.

    Raises:
        ConfigurationError: when nothing is in force yet, and a list has faults or a required one is
            not there.
    """
    is_start, before = before is None, before or LockedLists()
    kept = {each.by.name: each for each in before.lists}
    found: dict[str, LockedList] = {}
    faults: dict[str, ConfigurationError] = {}
    try:
        names = _names(place)
    except ConfigurationError as error:
        names, faults = [], dict.fromkeys([*kept, *place.required] or [_ALL], error)
    for name in names:
        try:
            found[name] = _read(place, name, now)
        except ConfigurationError as error:
            faults[name] = error
    for name in (*place.required, *kept):
        if name not in found and name not in faults:
            faults[name] = _missing(place, name)
    if is_start and faults:
        each = {str(error): error for error in faults.values()}
        raise ConfigurationError(fault for error in each.values() for fault in error.faults)
    lists = {**{name: kept[name] for name in faults if name in kept}, **found}
    refused = {name: str(error) for name, error in faults.items()}
    return LockedLists(tuple(lists[name] for name in sorted(lists)), refused)


def _names(place: LockedPlace) -> list[str]:
    """Give the lists of which there is a manifest."""
    if not os.path.lexists(place.directory):
        return []
    check_directory(place.directory, place.owner)
    try:
        return sorted(
            path.stem
            for path in place.directory.iterdir()
            if path.suffix == ".yaml" and not path.name.startswith(".")
        )
    except OSError as error:
        raise ConfigurationError(
            [Fault(str(place.directory), 0, f"cannot be read: {error.strerror}")]
        ) from error


def _missing(place: LockedPlace, name: str) -> ConfigurationError:
    hint = "it is named in lists.locked_required" if name in place.required else ""
    file = place.directory / f"{name}.yaml"
    return ConfigurationError([Fault(str(file), 0, "is not there", hint)])


def _read(place: LockedPlace, name: str, now: datetime) -> LockedList:
    document = _manifest(place.directory / f"{name}.yaml", place.owner)
    text = validate(document, ManifestText)
    path = place.directory / text.file
    content, changed = read_guarded(path, _MOST_BYTES, place.owner)
    digest = hashlib.sha256(content).hexdigest()
    if text.sha256 is not None and text.sha256.lower() != digest:
        raise _fault(path, "is not the file of the manifest: its SHA-256 is another")
    dated = text.date or datetime.fromtimestamp(changed, UTC)
    if dated > now + timedelta(days=1):
        raise ConfigurationError([document.fault(("date",), "'date' lies in the future")])
    entries, unread = _entries(place, path, content, text.hashed)
    by = LockedBy(name, text.version or digest[:12], dated, digest)
    return LockedList(by, text.title or name, entries, timedelta(days=text.most_days), unread)


def _manifest(path: Path, owner: int) -> Document:
    content, _ = read_guarded(path, _MOST_MANIFEST_BYTES, owner)
    try:
        return parse_document(str(path), content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _fault(path, "is not UTF-8 text") from error


def _entries(
    place: LockedPlace, path: Path, content: bytes, hashed: HashedText | None
) -> tuple[Entries, tuple[int, ...]]:
    """Compile what a file lists, and give the numbers of the lines that list nothing."""
    if hashed is None:
        pages, unread = _all_read(path, content, _page)
        return PlainEntries(pages), unread
    form = hashed.form

    def hash_of(line: str) -> bytes:
        return _hash(line, hashed.encoding, form.size)

    hashes, unread = _all_read(path, content, hash_of)
    if hashed.hosts is None:
        return HashedEntries(form, hashes), unread
    beside = place.directory / hashed.hosts
    hosts, unread_hosts = _all_read(
        beside, read_guarded(beside, _MOST_BYTES, place.owner)[0], hash_of
    )
    if unread_hosts:
        # A host left out would be carried unread.
        raise _fault(beside, f"has lines that are no hashes: {unread_hosts[0]}")
    return HashedEntries(form, hashes, hosts), unread


def _all_read[T](
    path: Path, content: bytes, read: Callable[[str], T]
) -> tuple[list[T], tuple[int, ...]]:
    """Read every line.

    Raises:
        ConfigurationError: when no line, or less than half of them, says anything: this is no list.
    """
    found: list[T] = []
    unread: list[int] = []
    for number, line in _lines(content):
        try:
            found.append(read(line.decode("utf-8")))
        except (BadAddressError, ValueError):
            unread.append(number)
    if len(found) <= len(unread):
        said = f"{len(unread)} of its {len(found) + len(unread)} lines are no entries"
        raise _fault(path, f"is no list: {said}" if unread else "holds nothing")
    return found, tuple(unread)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith(b"#"):
            yield number, stripped


def _page(line: str) -> Page:
    """Read a line of a list in the clear.

    Raises:
        BadAddressError: when it is no address, or everybody's.
    """
    page = Page.parse(line)
    is_bare = "." not in page.host and as_ip(page.host) is None
    if page.is_site and (is_bare or is_public_suffix(page.host)):
        raise BadAddressError("everybody's sites are below it")
    return page


def _hash(line: str, encoding: str, size: int) -> bytes:
    """Read a line of a list of hashes.

    Raises:
        ValueError: when it is none of that size.
    """
    try:
        if encoding == "hex":
            found = bytes.fromhex(line)
        else:
            padded = line.rstrip("=") + "=" * (-len(line.rstrip("=")) % 4)
            found = base64.b64decode(
                padded, b"-_" if {"-", "_"} & set(line) else b"+/", validate=True
            )
    except binascii.Error as error:
        raise ValueError("is no hash") from error
    if len(found) != size:
        raise ValueError("is no hash of that size")
    return found


def _fault(path: Path, message: str) -> ConfigurationError:
    return ConfigurationError([Fault(str(path), 0, message)])


def faults_of(lists: LockedLists) -> Iterable[str]:
    """Give a sentence for each list of which another state was refused."""
    for name, fault in sorted(lists.refused.items()):
        yield f"The locked list {name} is not taken as it is now; its last good state stays. {fault}"
