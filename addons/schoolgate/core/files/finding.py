"""What was recognised in a body, and the limits within which it is looked into."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a policy can have a rule about.

    Attributes:
        SOFTWARE: runs, installs or starts something: W-6.3.1-software.
        FILESHARING: belongs to file-sharing: W-6.3.1-filesharing.
        MEDIA: audio or video as a file to keep: W-6.3.1-media-download.
        SEALED: an archive into which nobody here can look: by a password, by its form, or damaged.
        BOMB: an archive that unpacks beyond the limits.
    """

    SOFTWARE = "software"
    FILESHARING = "filesharing"
    MEDIA = "media"
    SEALED = "sealed"
    BOMB = "bomb"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was recognised.

    Attributes:
        kind: what it counts as.
        format: its id, such as ``pe``; those of `formats.TITLES`.
        title: for people, with an article: "a Windows program".
        name_inside: where in an archive it lies, from the outside in, with " > " between the names;
            empty where the body itself is it.
        file_name: the name under which the body would be saved; empty where nothing says so.
    """

    kind: Kind
    format: str
    title: str
    name_inside: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far archives are looked into.

    Attributes:
        depth: archives within each other; a ``.tar.gz`` is two.
        ratio: bytes that may unpack out of each byte of the body, all layers together.
        grace_bytes: that may unpack in any case.
        unpacked_bytes: that may unpack in all.
        members: files in all archives together.
        kept_bytes: of a header that is kept until it is whole.
    """

    depth: int = 8
    ratio: int = 200
    grace_bytes: int = 16 * 1024 * 1024
    unpacked_bytes: int = 64 * 1024**3
    members: int = 500_000
    kept_bytes: int = 1024 * 1024
