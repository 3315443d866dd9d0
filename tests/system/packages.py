"""What tests need of npm, fetched once, whichever of the processes asks for it first."""

import fcntl
import os
import subprocess
from pathlib import Path

from tests.system.conftest import program


def fetched(directory: Path) -> Path:
    """Give the packages of a directory with a ``package-lock.json``; who comes second waits for the first."""
    found = directory / "node_modules"
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not found.exists():
            subprocess.run(
                [program("npm"), "ci", "--silent"], cwd=directory, check=True, timeout=300
            )
    finally:
        os.close(handle)
    return found
