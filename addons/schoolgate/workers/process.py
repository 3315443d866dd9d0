"""Forks a process that does one piece of work, and links it with the supervisor."""

import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, field
from enum import Enum
from pathlib import Path

from schoolgate.core.errors import (
    ConfigurationError,
    Fault,
    SchoolgateError,
    UnavailableError,
)
from schoolgate.workers.board import Heart

logger = logging.getLogger(__name__)

_READY = b"ready"
_ENDING = b"ending"
# As much as the kernel shows of a name (man 5 proc).
_LONGEST_NAME = 15


class Order(Enum):
    """What the supervisor tells a process."""

    DRAIN = b"d"
    """Take nothing new, end when what there is has ended."""
    STOP = b"s"
    """End now. Also what is told when the supervisor itself is gone."""


class Link:
    """What a process has of its supervisor.

    Attributes:
        number: of the post, from 1.
        seat: a number that no other living process has; given again when this one has ended.
        is_relief: whether it is to relieve a process that serves.
    """

    def __init__(
        self, number: int, seat: int, heart: Heart, channel: socket.socket, *, is_relief: bool
    ) -> None:
        self.number = number
        self.is_relief = is_relief
        self.seat = seat
        self._heart = heart
        self._channel = channel

    def beat(self, faults: int = 0, mark: int = 0) -> None:
        """Say that all goes on; to be called a few times a second from where work is done.

        Args:
            faults: bits that are shown on the board.
            mark: of what it works with, below 2⁶³, shown likewise.
        """
        self._heart.beat(time.monotonic(), faults, mark)

    def ready(self, faults: int = 0) -> None:
        """Say that it serves; from now on it must beat.

        Args:
            faults: bits that are shown on the board.
        """
        self.beat(faults)
        self._channel.sendall(_READY + b"\n")

    def ending(self) -> None:
        """Say that it ends by itself; from now on it need not beat, but must not take long."""
        with contextlib.suppress(OSError):
            self._channel.sendall(_ENDING + b"\n")

    def fileno(self) -> int:
        """Give what becomes readable when there is an order."""
        return self._channel.fileno()

    def order(self) -> Order:
        """Take the order; waits if there is none."""
        try:
            said = self._channel.recv(1)
        except OSError:
            said = b""
        return Order(said) if said else Order.STOP

    def failed(self, error: SchoolgateError) -> None:
        """Say why it cannot start."""
        faults = [astuple(fault) for fault in getattr(error, "faults", ())]
        told = json.dumps({"text": str(error), "faults": faults})
        self._channel.sendall(told.encode() + b"\n")


@dataclass
class Child:
    """A process as its supervisor sees it.

    Attributes:
        pidfd: becomes readable when it has ended.
        started: monotonic seconds.
        is_ready: whether it serves, or did.
        is_leaving: whether it was relieved and may go on with what it has.
        is_ending: whether it is on its way out.
        is_gone: whether it has ended and was reaped.
        until: when it is killed if it has not ended, monotonic; None while it may go on.
        error: why it could not start, as it said.
    """

    pid: int
    pidfd: int
    seat: int
    heart: Heart
    channel: socket.socket
    started: float
    is_ready: bool = False
    is_leaving: bool = False
    is_ending: bool = False
    until: float | None = None
    is_gone: bool = False
    error: SchoolgateError | None = None
    _said: bytes = field(default=b"", repr=False)

    def hear(self) -> bool:
        """Take what it said; give whether it may say more."""
        try:
            said = self.channel.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            if line == _READY:
                self.is_ready = True
            elif line == _ENDING:
                self.is_ending = True
            else:
                self.error = _error(line)
        return bool(said)

    def tell(self, order: Order) -> None:
        """Give it an order; one that is gone or does not listen is left to its deadline."""
        try:
            self.channel.send(order.value)
        except OSError as error:
            logger.debug("The process %d takes no order: %s", self.pid, error)

    def is_stopped(self) -> bool:
        """Say whether somebody stopped it by a signal, so that it cannot even say where it is."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        # man 5 proc: the state comes after the name, which may hold anything.
        return stat.rpartition(")")[2].split()[0] in ("T", "t")

    def waited_seconds(self) -> float:
        """Give how long its main thread was ready to run and had no processor."""
        try:
            # Documentation/scheduler/sched-stats.rst: time run, time waited (ns), times scheduled.
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def reap(self) -> int:
        """Wait for its end, free what it had, and give how it ended: its code, or minus a signal."""
        _, status = os.waitpid(self.pid, 0)
        while self.hear():
            pass
        self.is_gone = True
        os.close(self.pidfd)
        self.channel.close()
        self.heart.close()
        return os.waitstatus_to_exitcode(status)


def fork(
    name: str,
    number: int,
    seat: int,
    work: Callable[[Link], None],
    close: Iterable[int],
    *,
    is_relief: bool = False,
) -> Child:
    """Start a process; this one must have no other thread.

    Args:
        name: for lists of processes.
        number: of the post.
        seat: for `Link.seat`.
        work: what it does; it ends when that returns.
        close: descriptors that it must not have.
        is_relief: for `Link.is_relief`.
    """
    heart = Heart()
    ours, theirs = socket.socketpair()
    close = [*close, ours.fileno()]
    for stream in (sys.stdout, sys.stderr):
        # What waits in here would be written by both.
        stream.flush()
    pid = os.fork()
    if pid == 0:
        _be_child(name, Link(number, seat, heart, theirs, is_relief=is_relief), work, close)
    theirs.close()
    ours.setblocking(False)
    return Child(pid, os.pidfd_open(pid), seat, heart, ours, time.monotonic())


def _be_child(name: str, link: Link, work: Callable[[Link], None], close: Iterable[int]) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        # A terminal's Ctrl-C and hang-up reach every process; the supervisor alone answers them.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for descriptor in close:
            os.close(descriptor)
        _name_process(f"sg {name}")
        # Where it hangs is said when the supervisor asks, even if no Python code runs any more.
        faulthandler.register(signal.SIGQUIT, chain=False)
        work(link)
        code = 0
    except SchoolgateError as error:
        link.failed(error)
    except BaseException:  # the end of the process: nobody above would see it
        logger.exception("A process of schoolgate ends.")
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        # Nothing of what the supervisor would do at its end is this process's to do.
        os._exit(code)


def _name_process(name: str) -> None:
    try:
        Path("/proc/self/comm").write_text(name[:_LONGEST_NAME])
    except OSError:
        logger.debug("This process keeps the name of the command.")


def _error(line: bytes) -> SchoolgateError:
    told = json.loads(line)
    if told["faults"]:
        return ConfigurationError([Fault(*fault) for fault in told["faults"]])
    return UnavailableError(told["text"])
