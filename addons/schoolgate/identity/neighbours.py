"""The table of neighbours (ARP and IPv6 neighbour discovery), as the `ip` command shows it.

Through it all addresses of a device hang together: the one that DHCP lent and the privacy addresses
(RFC 8981) that it made up for itself are seen with one hardware address.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hardware import mac_or_nothing
from schoolgate.core.prefixes import parsed_address
from schoolgate.identity.facts import Neighbour

# Reachability was confirmed, or is just being asked for, or an administrator said so.
_CONFIRMED = frozenset({"REACHABLE", "DELAY", "PROBE", "PERMANENT"})
_UNUSABLE = frozenset({"FAILED", "INCOMPLETE", "NOARP", "NONE"})
_TIMEOUT_SECONDS = 5
_MAX_BYTES = 64 * 1024 * 1024
# For how long a table that can no longer be read is still believed.
_KEPT_SECONDS = 60.0


def parse_neighbours(text: str) -> tuple[Neighbour, ...]:
    """Read what ``ip -json neigh show`` printed; entries without a device are left out.

    Raises:
        ValueError: when it is not such a table.
    """
    table = json.loads(text or "[]")
    if not (isinstance(table, list) and all(isinstance(entry, dict) for entry in table)):
        raise ValueError("is no list of neighbours")
    return tuple(dict.fromkeys(_entries(table)))


def _entries(table: list[dict[str, Any]]) -> Iterator[Neighbour]:
    for entry in table:
        states = entry.get("state")
        states = set(map(str, states)) if isinstance(states, list) else set()
        mac = mac_or_nothing(str(entry.get("lladdr", "")))
        if not mac or states & _UNUSABLE:
            continue
        try:
            address = parsed_address(str(entry.get("dst", "")))
        except BadAddressError:
            continue
        # A link-local address may stand for another device on each link.
        if not address.is_link_local:
            yield Neighbour(str(address), mac, bool(states & _CONFIRMED))


def neighbour_table() -> str:
    """Ask the kernel, through `ip` of iproute2; for a thread, since it waits for a process.

    Raises:
        OSError: when the command is missing or fails.
        subprocess.TimeoutExpired: when it does not end.
    """
    command = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if command is None:
        raise FileNotFoundError(2, "the command 'ip' (iproute2) is not installed")
    done = subprocess.run(  # noqa: S603 - fixed words
        [command, "-json", "neigh", "show"],
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode or len(done.stdout) > _MAX_BYTES:
        raise OSError(done.returncode, done.stderr.decode("utf-8", "replace")[:200])
    return done.stdout.decode("utf-8", "replace")


class NeighbourTable:
    """The neighbours, followed from look to look; used by one thread.

    Unlike a lease an entry has no end of its own, so that a table that cannot be read any more is
    believed for a minute and then forgotten.

    Attributes:
        neighbours: of the last look that could read the table.
        fault: what was wrong at the last look, or "".
        failing: whether nothing is known; so it is before the first good look.
    """

    def __init__(self, read: Callable[[], str] = neighbour_table) -> None:
        self._read = read
        self._read_at = 0.0
        self.neighbours: tuple[Neighbour, ...] = ()
        self.fault = ""
        self.failing = True

    def look(self, at: float) -> bool:
        """Read the table, and say whether what is known changed; ``at`` is seconds since 1970."""
        before = self.neighbours
        try:
            self.neighbours = parse_neighbours(self._read())
            self._read_at = at
            self.fault = ""
            self.failing = False
        except (OSError, ValueError, subprocess.TimeoutExpired, RecursionError) as error:
            self.fault = f"the table of neighbours cannot be read: {error}"
            if not 0 <= at - self._read_at < _KEPT_SECONDS:
                self.neighbours = ()
                self.failing = True
        return self.neighbours != before
