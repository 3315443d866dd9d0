"""A disk that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small(place: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system of a size at a directory, which is made."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small file system")
    try:
        yield place
    finally:
        # Also where somebody still looks into it.
        subprocess.run(["umount", "--lazy", str(place)], check=True)
