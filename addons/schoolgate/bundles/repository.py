"""The centre's repository of bundles: files for any web server, signed as The Update Framework has it.

``metadata/`` and ``targets/`` are TUF's (a target for each ring, which is a manifest), ``blobs/`` has the
files of all bundles by their SHA-256, and ``bundles/`` what was made and not yet let out.
"""

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from schoolgate.bundles.keys import ONLINE, ROOT, TARGETS, Keyring
from schoolgate.bundles.manifest import BundleFile, Manifest, as_json
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.lists.generations import sync_directory, write_whole
from schoolgate.lists.locking import only_one

CANARY, ALL = "canary", "all"
RINGS = (CANARY, ALL)
METADATA, TARGET_FILES, BLOBS, BUNDLES = "metadata", "targets", "blobs", "bundles"
_HISTORY = "history.json"
# Gateways that know only an expired root take nothing any more; "trust bundle renew" goes on.
ROOT_DAYS = 5 * 365
BUNDLE_DAYS = 90
# So long a gateway believes that what it was told last is the newest; renewed by "trust bundle refresh".
FRESH_DAYS = 7
_LOCK = ".changing"
_LOOK_SECONDS, _MOST_LOOKS = 0.5, 240


@dataclass(frozen=True, slots=True)
class LetOut:
    """A bundle that was let out into a ring; ``version`` is that of its manifest."""

    ring: str
    bundle: int
    version: int
    at: str
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository.

    Attributes:
        directory: of all of it.
    """

    directory: Path

    @property
    def root_file(self) -> Path:
        """The root that gateways are given when they are set up; it holds no secret."""
        return self.directory / METADATA / "1.root.json"

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Have one command at a time change it until the end of the block; the next one waits.

        Raises:
            UnavailableError: when another one takes two minutes, or the directory cannot be written.
        """
        # Readable: root's must not keep out the account of the daily timer.
        with only_one(self.directory, _LOCK, 0o644, _wait):
            yield

    def found(self, keys: Path, now: datetime) -> None:
        """Begin: sign a root, and that nothing is let out.

        Raises:
            RefusedError: when there is a repository.
            UnavailableError: when a key cannot be read or a file not be written.
        """
        if self.root_file.exists():
            raise RefusedError(f"There is a repository in {self.directory} already.")
        signers = {role: Keyring(keys).signers(role) for role in (ROOT, TARGETS, ONLINE)}
        root = Root(expires=_whole(now + timedelta(days=ROOT_DAYS)), consistent_snapshot=True)
        for role, key in (
            (Root.type, ROOT), (Targets.type, TARGETS),
            (Snapshot.type, ONLINE), (Timestamp.type, ONLINE),
        ):  # fmt: skip
            root.add_key(signers[key][0].public_key, role)
        try:
            for name in (METADATA, TARGET_FILES, BLOBS, BUNDLES):
                (self.directory / name).mkdir(parents=True, exist_ok=True)
            targets = Targets(expires=_whole(now + timedelta(days=BUNDLE_DAYS)))
            self._sign(targets, signers[TARGETS])
            self._sign_fresh(Snapshot(), Timestamp(), targets.version, signers[ONLINE], now)
            # Last: with it the repository is there.
            self._sign(root, signers[ROOT])
        except OSError as error:
            raise _unwritable(self.directory, error) from error

    def root(self) -> Root:
        """Give the newest root.

        Raises:
            UnavailableError: when there is no repository.
        """
        file = newest_root(self.directory) or self.root_file
        return self._read(Metadata[Root], file.name).signed

    def write_root(self, root: Root, signers: Sequence[CryptoSigner]) -> None:
        """Sign a root that follows the newest; those before stay, as gateways go from one to the next.

        Raises:
            UnavailableError: when it cannot be written.
        """
        try:
            self._sign(root, signers)
            sync_directory(self.directory / METADATA)
        except OSError as error:
            raise _unwritable(self.directory, error) from error

    def sign_again(self, keys: Keyring, now: datetime, *, with_targets: bool) -> None:
        """Sign what is let out once more, with other keys.

        Args:
            keys: that sign.
            now: aware.
            with_targets: also what is let out itself, not only that it is the newest.

        Raises:
            UnavailableError: when a key or file cannot be read or written.
        """
        try:
            if with_targets:
                self._publish(self._targets(), keys, now)
            else:
                self._sign_next(self._snapshot().meta["targets.json"].version, keys, now)
        except OSError as error:
            raise _unwritable(self.directory, error) from error

    def make(self, files: Mapping[str, Path]) -> int:
        """Keep the files of a new bundle; nobody gets it yet.

        Args:
            files: path in the bundle → where the file is.

        Returns:
            Its number.

        Raises:
            RefusedError: when a path is none.
            UnavailableError: when a file cannot be read or written.
        """
        try:
            kept = [self._keep(path, file) for path, file in sorted(files.items())]
            number = max(self.made(), default=0) + 1
            text = as_json([each.model_dump() for each in kept])
            write_whole(self.directory / BUNDLES / f"{number}.json", text)
        except OSError as error:
            raise _unwritable(self.directory, error) from error
        except ValueError as error:
            raise RefusedError(f"No bundle was made: {error}") from error
        return number

    def made(self) -> list[int]:
        """Give the numbers of the bundles that there are."""
        found = (self.directory / BUNDLES).glob("*.json")
        return sorted(int(path.stem) for path in found if path.stem.isdigit())

    def history(self) -> list[LetOut]:
        """Give what was let out, oldest first."""
        try:
            said: list[dict[str, Any]] = json.loads((self.directory / _HISTORY).read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{self.directory / _HISTORY} cannot be read.") from error
        return [LetOut(**each) for each in said]

    def let_out(
        self, ring: str, bundle: int, keys: Path, now: datetime, days: int = BUNDLE_DAYS
    ) -> Manifest:
        """Sign a bundle as the one of a ring.

        Args:
            ring: the gateways that get it.
            bundle: its number.
            keys: where those of targets and online are.
            now: aware.
            days: that it is good for.

        Raises:
            RefusedError: when there is no such bundle.
            UnavailableError: when a key or file cannot be read or written.
        """
        if bundle not in self.made():
            raise RefusedError(f"There is no bundle {bundle}; 'trust bundle list' shows them.")
        targets = self._targets()
        version = self._next_version(targets)
        expires = now + timedelta(days=days)
        try:
            said = json.loads((self.directory / BUNDLES / f"{bundle}.json").read_bytes())
            kept = tuple(BundleFile(**each) for each in said)
            manifest = Manifest(
                version=version, bundle=bundle, ring=ring, made=now, expires=expires, files=kept
            )
            content = manifest.as_bytes()
            target = TargetFile.from_data(f"{ring}.json", content, ["sha256"])
            target.unrecognized_fields["custom"] = {"version": version, "bundle": bundle}
            name = f"{target.hashes['sha256']}.{ring}.json"
            write_whole(self.directory / TARGET_FILES / name, content)
            targets.targets[target.path] = target
            self._publish(targets, Keyring(keys), now)
            out = LetOut(ring, bundle, version, now.isoformat(timespec="seconds"))
            self._remember([*self.history(), out])
        except OSError as error:
            raise _unwritable(self.directory, error) from error
        return manifest

    def in_force(self) -> dict[str, tuple[int, int]]:
        """Give version and bundle of each ring that has one."""
        found = {}
        for path, target in self._targets().targets.items():
            custom = target.unrecognized_fields["custom"]
            found[path.removesuffix(".json")] = (custom["version"], custom["bundle"])
        return found

    def withdraw(self, bundle: int, keys: Path, now: datetime) -> list[Manifest]:
        """Let the bundle before out again wherever one is, under a later version.

        Raises:
            RefusedError: when it is in no ring, or there was none before it.
            UnavailableError: as `let_out`.
        """
        rings = [ring for ring, (_, number) in self.in_force().items() if number == bundle]
        if not rings:
            raise RefusedError(f"Bundle {bundle} is in no ring.")
        past = self.history()
        gone = {out.bundle for out in past if out.withdrawn} | {bundle}
        there = set(self.made()) - gone
        # What all had serves the canaries too.
        before = {
            ring: [out.bundle for out in past if out.ring in (ring, ALL) and out.bundle in there]
            for ring in rings
        }
        if not all(before.values()):
            raise RefusedError(f"There was no bundle before {bundle}: make one that is right.")
        try:
            self._remember(
                replace(out, withdrawn=out.withdrawn or out.bundle == bundle) for out in past
            )
        except OSError as error:
            raise _unwritable(self.directory, error) from error
        return [self.let_out(ring, before[ring][-1], keys, now) for ring in sorted(rings)]

    def refresh(self, keys: Path, now: datetime) -> None:
        """Say again that what is let out is the newest.

        Raises:
            UnavailableError: when the key or a file cannot be read or written.
        """
        targets = self._snapshot().meta["targets.json"].version
        try:
            self._sign_next(targets, Keyring(keys), now)
        except OSError as error:
            raise _unwritable(self.directory, error) from error

    def forget(self, kept: int) -> int:
        """Remove the oldest bundles that are in no ring, and what only they have; give how many went."""
        in_rings = {bundle for _, bundle in self.in_force().values()}
        old = [number for number in self.made()[:-kept] if number not in in_rings]
        for number in old:
            (self.directory / BUNDLES / f"{number}.json").unlink(missing_ok=True)
        left = [json.loads(p.read_bytes()) for p in (self.directory / BUNDLES).glob("*.json")]
        needed = {each["sha256"] for bundle in left for each in bundle}
        for blob in (self.directory / BLOBS).iterdir():
            if blob.name not in needed:
                blob.unlink()
        return len(old)

    def _keep(self, path: str, file: Path) -> BundleFile:
        """Keep a file as a blob."""
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        blob = self.directory / BLOBS / digest
        if not blob.exists():
            aside = blob.with_name(f".{digest}")
            shutil.copyfile(file, aside)
            aside.chmod(0o644)
            aside.replace(blob)
            sync_directory(blob.parent)
        return BundleFile(path=path, length=blob.stat().st_size, sha256=digest)

    def _next_version(self, targets: Targets) -> int:
        out = [t.unrecognized_fields["custom"]["version"] for t in targets.targets.values()]
        return max([*out, *(each.version for each in self.history())], default=0) + 1

    def _remember(self, history: Iterable[LetOut]) -> None:
        said = [asdict(each) for each in history]
        write_whole(self.directory / _HISTORY, as_json(said))

    def _publish(self, targets: Targets, keys: Keyring, now: datetime) -> None:
        targets.version += 1
        targets.expires = _whole(now + timedelta(days=BUNDLE_DAYS))
        self._sign(targets, keys.signers(TARGETS))
        self._sign_next(targets.version, keys, now)

    def _sign_next(self, targets: int, keys: Keyring, now: datetime) -> None:
        """Sign anew what says what is the newest."""
        snapshot, timestamp = self._snapshot(), self._timestamp()
        # Not that of the newest file: a killed command may have left one that nobody was told of.
        snapshot.version += 1
        timestamp.version += 1
        self._sign_fresh(snapshot, timestamp, targets, keys.signers(ONLINE), now)

    def _sign_fresh(
        self,
        snapshot: Snapshot,
        timestamp: Timestamp,
        targets: int,
        signers: Sequence[CryptoSigner],
        now: datetime,
    ) -> None:
        snapshot.meta["targets.json"] = MetaFile(targets)
        timestamp.snapshot_meta = MetaFile(snapshot.version)
        snapshot.expires = timestamp.expires = _whole(now + timedelta(days=FRESH_DAYS))
        self._sign(snapshot, signers)
        # Last: it is what gateways ask for first.
        self._sign(timestamp, signers)

    def _sign(self, signed: Signed, signers: Sequence[CryptoSigner]) -> None:
        metadata: Metadata[Any] = Metadata(signed)
        if signed.type != Root.type and newest_root(self.directory):
            self._check_named(signed.type, signers)
        for signer in signers:
            metadata.sign(signer, append=True)
        name = f"{signed.type}.json"
        if signed.type != Timestamp.type:
            name = f"{signed.version}.{name}"
        write_whole(self.directory / METADATA / name, metadata.to_bytes())

    def _check_named(self, role: str, signers: Sequence[CryptoSigner]) -> None:
        """See that gateways will believe what is signed: a copy of a key may be from before a rotation."""
        root = self.root()
        if not {each.public_key.keyid for each in signers} & set(root.roles[role].keyids):
            raise UnavailableError(
                f"The key for {role} is not the one that root {root.version} names: bring the newest copy "
                "of it, or finish 'schoolgate trust bundle rotate'."
            )

    def _timestamp(self) -> Timestamp:
        return self._read(Metadata[Timestamp], "timestamp.json").signed

    def _snapshot(self) -> Snapshot:
        number = self._timestamp().snapshot_meta.version
        return self._read(Metadata[Snapshot], f"{number}.snapshot.json").signed

    def _targets(self) -> Targets:
        """Read what the newest snapshot leads to; what a killed command signed beyond it counts nothing."""
        number = self._snapshot().meta["targets.json"].version
        return self._read(Metadata[Targets], f"{number}.targets.json").signed

    def _read[T: (Root, Targets, Snapshot, Timestamp)](
        self, kind: type[Metadata[T]], name: str
    ) -> Metadata[T]:
        try:
            return kind.from_bytes((self.directory / METADATA / name).read_bytes())
        except (RepositoryError, OSError) as error:
            raise UnavailableError(
                f"There is no repository of bundles in {self.directory}: "
                "'schoolgate trust bundle keys' makes one."
            ) from error


def newest_root(directory: Path) -> Path | None:
    """Give the file of the newest root of a repository; None where there is none."""
    found = (directory / METADATA).glob("*.root.json")
    numbers = [int(path.name.partition(".")[0]) for path in found if path.name[0].isdigit()]
    return directory / METADATA / f"{max(numbers)}.root.json" if numbers else None


def _whole(moment: datetime) -> datetime:
    # TUF's times have no fractions.
    return moment.replace(microsecond=0)


def _wait(attempt: int) -> None:
    if attempt == _MOST_LOOKS:
        raise UnavailableError(
            "Another command changes the trust's bundles: try again when it is done."
        )
    time.sleep(_LOOK_SECONDS)


def _unwritable(path: Path, error: OSError) -> UnavailableError:
    what = error.filename or path
    return UnavailableError(f"{what} cannot be read or written: {error.strerror}.")
