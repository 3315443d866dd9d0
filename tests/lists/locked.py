"""Locked lists of a test's own, in a directory that counts as root's."""

import os
from pathlib import Path

from schoolgate.lists import LockedPlace

NAMED = "iwf"


def locked_place(directory: Path, *required: str) -> LockedPlace:
    """Make the directory; whoever runs the test counts as root."""
    place = directory / "locked"
    place.mkdir(mode=0o755, exist_ok=True)
    return LockedPlace(place, required, os.getuid())


def put_list(directory: Path, text: str | bytes, name: str = NAMED, **keys: object) -> Path:
    """Write a list and its manifest, each aside and then renamed; give the list's file."""
    file = directory / f"{name}.txt"
    manifest = {"file": file.name, "version": "1", **keys}
    lines = "".join(f"{key}: {value}\n" for key, value in manifest.items())
    put(file, text)
    put(directory / f"{name}.yaml", lines)
    return file


def put(path: Path, text: str | bytes) -> None:
    """Replace a file at once, which only its owner may write."""
    aside = path.with_name(f".{path.name}.new")
    aside.write_bytes(text if isinstance(text, bytes) else text.encode())
    aside.chmod(0o644)
    aside.replace(path)
