"""The hosts that carry everybody's content, of which no list may have the whole: `shared-hosts.txt`."""

from collections.abc import Sequence
from pathlib import Path

from schoolgate.documents import read_text

SHARED_HOSTS = "shared-hosts.txt"


def shared_hosts(dirs: Sequence[Path]) -> frozenset[str]:
    """Read the hosts that carry everybody's content: CDNs, script and font hosts."""
    lines = [
        line.partition("#")[0].strip()
        for directory in dirs
        if (directory / SHARED_HOSTS).exists()
        for line in read_text(directory / SHARED_HOSTS).splitlines()
    ]
    return frozenset(line for line in lines if line)
