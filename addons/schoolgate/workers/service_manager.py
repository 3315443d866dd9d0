"""Tells systemd how the service is: that it serves, that it is alive, that it stops (sd_notify(3))."""

import contextlib
import os
import socket
from collections.abc import Callable, MutableMapping

# So often in the time after which systemd takes the service for hung, that it may be short.
# sd_watchdog_enabled(3) advises twice at least.
_OFTEN = 8


class ServiceManager:
    """Whoever started this process, if it is systemd; else nobody is told anything.

    Args:
        environment: from which the variables are taken, so that no other process speaks in its place.
        own: id of this process.
    """

    def __init__(
        self, environment: MutableMapping[str, str] = os.environ, own: Callable[[], int] = os.getpid
    ) -> None:
        place = environment.pop("NOTIFY_SOCKET", "")
        interval = environment.pop("WATCHDOG_USEC", "")
        whose = environment.pop("WATCHDOG_PID", "")
        # A name that begins with @ has no file.
        self._place = f"\0{place[1:]}" if place.startswith("@") else place
        is_ours = not whose or whose == str(own())
        seconds = int(interval) / 1e6 if is_ours and interval.isdecimal() else 0.0
        self._every = seconds / _OFTEN if place else 0.0
        self._due = 0.0

    def ready(self) -> None:
        """Say that everything serves."""
        self._tell("READY=1")

    def alive(self, now: float) -> None:
        """Say so as often as is wanted; ``now`` is in monotonic seconds."""
        if self._every and now >= self._due:
            self._due = now + self._every
            self._tell("WATCHDOG=1")

    def reloading(self, now: float) -> None:
        """Say that a reload begins; `ready` ends it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1e6)}")

    def stopping(self) -> None:
        """Say that it ends."""
        self._tell("STOPPING=1")

    def _tell(self, what: str) -> None:
        if not self._place:
            return
        # Nobody filters less because systemd did not hear.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as one,
        ):
            one.sendto(what.encode(), self._place)
