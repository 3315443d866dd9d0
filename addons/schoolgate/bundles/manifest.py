"""What a bundle says of itself: its version, its ring, how long it is good, and each of its files."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, field_validator

from schoolgate.core.errors import RefusedError
from schoolgate.documents import Strict

# A manifest of ten thousand files has room.
MOST_MANIFEST_BYTES = 4_000_000
_MOST_FILES = 20_000
# One folder deep, and no name that leads anywhere else, on any system.
_PATH = re.compile(r"(?:policies/|lists/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,150}")
_OURS = "bundle.json"
RING = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or value == _OURS:
        raise ValueError(f"{value[:100]!r} is no name of a file in a bundle")
    return value


class BundleFile(Strict):
    """A file of a bundle.

    Attributes:
        path: below the folder of the bundle, with ``/``.
        length: in bytes.
        sha256: in hex.
    """

    path: Annotated[str, AfterValidator(_path)]
    length: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(Strict):
    """A bundle as it was let out into a ring.

    Attributes:
        version: counts everything that was ever let out, so that it never falls; what was withdrawn is
            replaced by an earlier bundle under a later version.
        bundle: number of the bundle at the centre.
        ring: the gateways that it is for.
        made: when.
        expires: until when it may be put in force.
        files: by path, each once.
    """

    version: Annotated[int, Field(ge=1, lt=1 << 53)]
    bundle: Annotated[int, Field(ge=1, lt=1 << 53)]
    ring: Annotated[str, Field(pattern=f"^{RING.pattern}$")]
    made: AwareDatetime
    expires: AwareDatetime
    files: Annotated[tuple[BundleFile, ...], Field(min_length=1, max_length=_MOST_FILES)]

    @field_validator("files")
    @classmethod
    def _differ(cls, value: tuple[BundleFile, ...]) -> tuple[BundleFile, ...]:
        # Also for a file system to which capitals are the same.
        if len({each.path.casefold() for each in value}) < len(value):
            raise ValueError("two files have the same path")
        return value

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(each.length for each in self.files)

    def as_bytes(self) -> bytes:
        """Give it as it is signed."""
        return self.model_dump_json(indent=1).encode()


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        RefusedError: when it is none.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"The bundle's manifest is refused: {place}: {first['msg']}.") from error


def judge(manifest: Manifest, ring: str, now: datetime, most_bytes: int) -> None:
    """Refuse what is signed and not for this gateway now.

    Args:
        manifest: of the bundle.
        ring: that the gateway is in.
        now: aware.
        most_bytes: that all files may have.

    Raises:
        RefusedError: when it is for others, has expired, or is too large.
    """
    if manifest.ring != ring:
        raise RefusedError(f"The bundle is for the ring {manifest.ring}, not for {ring}.")
    if manifest.expires <= now:
        raise RefusedError(f"The bundle expired on {manifest.expires:%Y-%m-%d %H:%M}.")
    if manifest.size_bytes > most_bytes:
        raise RefusedError(
            f"The bundle has {manifest.size_bytes // 1_000_000} MB, more than bundles.most_mb allows."
        )


def as_json(value: object) -> bytes:
    """Give a small state as text."""
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"


def sha256_of(file: Path) -> str:
    """Give the SHA-256 of a file, in hex.

    Raises:
        OSError: when it cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
