"""Generations of fetched lists: each a folder with its lists and their index; a link says which is live.

What is in a generation is never changed, but for an index that has to be built anew. The next one is made
aside and renamed, and the link is replaced by a rename: whoever is killed leaves the old state or the new.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.gate import Finding, Ground

GENERATIONS = "generations"
LIVE = "live"
MANIFEST = "generation.json"
KEPT = 5
_ASIDE = ".new-"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list within a generation.

    Attributes:
        id: ``feed:list``.
        category: that it is in; empty for what guards.
        entries: how many.
        copy: digest of the copy that it was read from.
        approved: digest of what was approved of it when it was judged.
        findings: what the gate kept out.
        popular: entries of it that cover a popular host, whether or not they are kept out.
        faults: number of lines that are no entries.
    """

    id: str
    category: str
    entries: int
    copy: str
    approved: str = ""
    findings: tuple[Finding, ...] = ()
    popular: tuple[str, ...] = ()
    faults: int = 0

    @property
    def feed(self) -> str:
        """Id of its feed."""
        return self.id.partition(":")[0]

    @property
    def file(self) -> str:
        """Its name within the generation."""
        return f"{self.id.replace(':', '.', 1)}.txt"


@dataclass(frozen=True, slots=True)
class Generation:
    """What was, or is, live.

    Attributes:
        directory: with everything of it.
        number: counts from 1; 0 is the state without fetched lists.
        made: when, aware.
        why: what it was made for.
        lists: by id.
        added: entries that the one before did not have.
        removed: entries that this one does not have any more.
        replayed: what the journal says of it, in a sentence.
    """

    directory: Path
    number: int
    made: datetime
    why: str
    lists: Mapping[str, Listed] = field(default_factory=dict)
    added: int = 0
    removed: int = 0
    replayed: str = ""

    def path_of(self, listed: Listed) -> Path:
        """Give where a list of it is."""
        return self.directory / listed.file


def live_directory(state: Path) -> Path | None:
    """Give the folder of the generation that is live; None where there is none."""
    link = state / LIVE
    try:
        return state / link.readlink()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(
            [Fault(str(link), 0, f"cannot be read: {error.strerror}")]
        ) from error


def live_generation(state: Path) -> Generation | None:
    """Read the generation that is live; None where there is none.

    Raises:
        ConfigurationError: when it cannot be read.
    """
    directory = live_directory(state)
    return None if directory is None else read_generation(directory)


def kept_generations(state: Path) -> list[Generation]:
    """Read the generations that are kept, oldest first; what cannot be read is left out."""
    found = []
    for directory in _directories(state):
        with contextlib.suppress(ConfigurationError):
            found.append(read_generation(directory))
    return sorted(found, key=lambda generation: generation.number)


def read_generation(directory: Path) -> Generation:
    """Read what a generation says of itself.

    Raises:
        ConfigurationError: when it cannot be read.
    """
    path = directory / MANIFEST
    try:
        said: dict[str, Any] = json.loads(path.read_bytes())
        lists = {text["id"]: _listed(text) for text in said.pop("lists")}
        made = datetime.fromisoformat(said.pop("made"))
        return Generation(directory=directory, made=made, lists=lists, **said)
    except OSError as error:
        raise _damaged(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "is damaged") from error


def begin(state: Path) -> Path:
    """Make an empty folder for the next generation; what lies there of one that was killed goes.

    Raises:
        UnavailableError: when it cannot be made.
    """
    root = state / GENERATIONS
    try:
        root.mkdir(parents=True, exist_ok=True)
        for left in root.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        aside = root / f"{_ASIDE}{secrets.token_hex(4)}"
        aside.mkdir()
    except OSError as error:
        raise _unwritable(root, error) from error
    return aside


def write_manifest(generation: Generation) -> None:
    """Write what a generation says of itself, beside its lists.

    Raises:
        UnavailableError: when it cannot be written.
    """
    said = {
        "number": generation.number,
        "made": generation.made.isoformat(timespec="seconds"),
        "why": generation.why,
        "added": generation.added,
        "removed": generation.removed,
        "replayed": generation.replayed,
        "lists": [asdict(listed) for listed in generation.lists.values()],
    }
    path = generation.directory / MANIFEST
    try:
        write_whole(path, json.dumps(said, indent=1).encode())
    except OSError as error:
        raise _unwritable(path, error) from error


def finish(state: Path, aside: Path, number: int) -> Path:
    """Give a finished generation its name; it is not live yet.

    Raises:
        UnavailableError: when it cannot be renamed.
    """
    directory = state / GENERATIONS / str(number)
    try:
        sync_directory(aside)
        aside.rename(directory)
        sync_directory(directory.parent)
    except OSError as error:
        raise _unwritable(directory, error) from error
    return directory


def make_live(state: Path, number: int) -> None:
    """Switch to another generation, in one step; 0 is the state without fetched lists.

    Raises:
        UnavailableError: when the link cannot be replaced.
    """
    link = state / LIVE
    aside = state / f".{LIVE}.{secrets.token_hex(4)}"
    try:
        if number == 0:
            link.unlink(missing_ok=True)
        else:
            aside.symlink_to(Path(GENERATIONS) / str(number))
            aside.replace(link)
        sync_directory(state)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise _unwritable(link, error) from error


def next_number(state: Path) -> int:
    """Give a number that no generation has had since the oldest that is kept."""
    return max((int(path.name) for path in _directories(state)), default=0) + 1


def forget_old(state: Path, kept: int = KEPT) -> None:
    """Remove the oldest generations, but never the live one."""
    live = live_directory(state)
    directories = sorted(_directories(state), key=lambda path: int(path.name))
    for directory in directories[:-kept]:
        if directory != live:
            # Without its name first: half a generation is none.
            gone = directory.with_name(f"{_ASIDE}{directory.name}")
            with contextlib.suppress(OSError):
                directory.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file aside and rename it; a reader has the old one or the new one, whole.

    Raises:
        OSError: when it cannot be written; the old one is in place.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Have what was renamed in a directory on the disk.

    Raises:
        OSError: when it cannot be.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _directories(state: Path) -> list[Path]:
    try:
        return [path for path in (state / GENERATIONS).iterdir() if path.name.isdigit()]
    except OSError:
        return []


def _listed(text: dict[str, Any]) -> Listed:
    findings = tuple(
        Finding(said["entry"], Ground(said["ground"]), said["detail"])
        for said in text.pop("findings")
    )
    return Listed(**text | {"popular": tuple(text["popular"])}, findings=findings)


def _damaged(path: Path, message: str) -> ConfigurationError:
    hint = "schoolgate lists rollback takes up another generation"
    return ConfigurationError([Fault(str(path), 0, message, hint)])


def _unwritable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"{path} cannot be written: {error.strerror}. "
        "Give schoolgate's user write access and room on the disk."
    )
