"""What a gateway keeps of bundles: the last few, which of them is in force, and how the last fetch ended."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from schoolgate.bundles.manifest import BundleFile, Manifest, as_json, read_manifest, sha256_of
from schoolgate.core.errors import ConfigurationError, Fault, RefusedError, UnavailableError
from schoolgate.lists.generations import (
    GENERATIONS,
    begin,
    finish,
    forget_old,
    live_directory,
    make_live,
    write_whole,
)

MANIFEST = "bundle.json"
METADATA, STAGING = "metadata", "staging"
_STATUS = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """How fetching goes.

    Attributes:
        highest: version of the newest that was ever taken; nothing older is taken again.
        held: the newest version when somebody rolled back; only what is newer is taken then. 0 is none.
        tried: when it was tried last; empty for never.
        succeeded: when the centre was last heard of without a fault; empty for never.
        failures: tries since then.
        fault: of the last try; empty where it was good.
    """

    highest: int = 0
    held: int = 0
    tried: str = ""
    succeeded: str = ""
    failures: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class BundleStore:
    """The bundles of a gateway.

    Attributes:
        directory: of all that is kept of them.
    """

    directory: Path

    @property
    def metadata(self) -> Path:
        """What was trusted last."""
        return self.directory / METADATA

    def live(self) -> Path | None:
        """Give the folder of the bundle in force; None where there is none."""
        return live_directory(self.directory)

    def in_force(self) -> Manifest | None:
        """Read the manifest of the bundle in force; None where there is none.

        Raises:
            ConfigurationError: when it is damaged.
        """
        directory = self.live()
        return None if directory is None else manifest_of(directory)

    def kept(self) -> list[int]:
        """Give the versions that are kept, oldest first."""
        try:
            names = [path.name for path in (self.directory / GENERATIONS).iterdir()]
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isdigit())

    def status(self) -> Status:
        """Read how fetching goes.

        Raises:
            UnavailableError: when it cannot be read: what is older could then not be told.
        """
        file = self.directory / _STATUS
        try:
            return Status(**json.loads(file.read_bytes()))
        except FileNotFoundError:
            return Status()
        except (OSError, ValueError, TypeError) as error:
            raise UnavailableError(
                f"{file} is damaged. Remove it once the bundle in force is the right one."
            ) from error

    def put_status(self, status: Status) -> None:
        """Keep how fetching goes.

        Raises:
            UnavailableError: when it cannot be written.
        """
        try:
            write_whole(self.directory / _STATUS, as_json(asdict(status)))
        except OSError as error:
            raise UnavailableError(
                f"{self.directory} cannot be written: {error.strerror}."
            ) from error

    def staging(self) -> Path:
        """Give the folder where files are fetched into, which is made.

        Raises:
            UnavailableError: when it cannot be made.
        """
        place = self.directory / STAGING
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"{place} cannot be made: {error.strerror}.") from error
        return place

    def here(self, wanted: BundleFile) -> Path | None:
        """Give a file that the bundle in force has already, and that is still what was signed."""
        directory = self.live()
        if directory is None:
            return None
        try:
            files = manifest_of(directory).files
            found = next(each for each in files if each.sha256 == wanted.sha256)
            path = directory / found.path
            return path if sha256_of(path) == wanted.sha256 else None
        except (ConfigurationError, OSError, StopIteration):
            return None

    def lay_out(self, manifest: bytes, files: dict[str, Path]) -> Path:
        """Lay a bundle out aside.

        Args:
            manifest: as it was signed.
            files: path in the bundle → the file, which is taken as it is.

        Raises:
            UnavailableError: when it cannot be written.
        """
        aside = begin(self.directory)
        try:
            for path, file in files.items():
                place = aside / path
                place.parent.mkdir(exist_ok=True)
                # Copies: an index that is built anew at the gateway must not change what was fetched.
                shutil.copyfile(file, place)
            write_whole(aside / MANIFEST, manifest)
        except OSError as error:
            raise UnavailableError(
                f"The bundle cannot be laid out in {aside}: {error.strerror}."
            ) from error
        return aside

    def put_in_force(self, aside: Path, manifest: Manifest, keep: int) -> None:
        """Put a bundle in force, in one step, and forget the oldest.

        Raises:
            UnavailableError: when it cannot be written; the one before stays.
        """
        place = self.directory / GENERATIONS / str(manifest.version)
        if place.exists():
            # Whoever was killed before it went live left it.
            shutil.rmtree(place)
        finish(self.directory, aside, manifest.version)
        self.put_status(replace(self.status(), highest=manifest.version, held=0))
        make_live(self.directory, manifest.version)
        forget_old(self.directory, keep)
        shutil.rmtree(self.directory / STAGING, ignore_errors=True)

    def roll_back(self, version: int | None = None) -> tuple[int, int]:
        """Put an earlier bundle in force, at once; what is in force now is not taken again by itself.

        Args:
            version: of it; None takes the one before.

        Returns:
            The version that was in force, and the one that is.

        Raises:
            RefusedError: when there is no such bundle.
            ConfigurationError: when it is damaged.
            UnavailableError: when nothing can be written.
        """
        now = self.in_force()
        if now is None:
            raise RefusedError("No bundle is in force.")
        earlier = [each for each in self.kept() if each < now.version]
        if version is None and not earlier:
            raise RefusedError("There is no earlier bundle here.")
        wanted = earlier[-1] if version is None else version
        if wanted not in self.kept():
            raise RefusedError(f"There is no bundle of version {wanted} here.")
        whole_or_fault(self.directory / GENERATIONS / str(wanted))
        status = self.status()
        self.put_status(replace(status, held=max(status.highest, now.version)))
        make_live(self.directory, wanted)
        return now.version, wanted

    def tried(self, now: datetime, fault: str) -> None:
        """Keep how a try ended; an empty fault is a good end."""
        status, at = self.status(), now.isoformat(timespec="seconds")
        ended = replace(status, tried=at, fault=fault)
        if fault:
            self.put_status(replace(ended, failures=status.failures + 1))
        else:
            self.put_status(replace(ended, failures=0, succeeded=at))


def manifest_of(directory: Path) -> Manifest:
    """Read the manifest of a bundle that is kept.

    Raises:
        ConfigurationError: when it is damaged.
    """
    file = directory / MANIFEST
    try:
        return read_manifest(file.read_bytes())
    except (OSError, RefusedError) as error:
        hint = "schoolgate bundle rollback puts another in force"
        raise ConfigurationError([Fault(str(file), 0, "cannot be read", hint)]) from error


def whole_or_fault(directory: Path) -> None:
    """Refuse a bundle of which a file is missing.

    Raises:
        ConfigurationError: when it is damaged.
    """
    for each in manifest_of(directory).files:
        if not (directory / each.path).is_file():
            raise ConfigurationError([Fault(str(directory / each.path), 0, "is not there")])
