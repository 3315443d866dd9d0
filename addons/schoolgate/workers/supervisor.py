"""Keeps a process at each post: starts it, replaces it when it ends or hangs, changes the guard.

One thread and no event loop of asyncio: it forks, and what forks must have no other thread.
"""

import contextlib
import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from schoolgate.core.errors import SchoolgateError, UnavailableError
from schoolgate.workers.board import Board, Row
from schoolgate.workers.process import Child, Link, Order, fork
from schoolgate.workers.restarts import Restarts
from schoolgate.workers.service_manager import ServiceManager
from schoolgate.workers.watchdog import Sign, Watchdog

logger = logging.getLogger(__name__)

_LAST_WORDS_SECONDS = 0.2
_SHORT_OF_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Times:
    """How long things may take, in seconds.

    Attributes:
        look: between two looks at everybody.
        patience: how long a process may be silent.
        together: how long all may be at once.
        start: how long a replacement may take until it serves.
        drain: how long a process that was relieved may go on with what it has.
        stop: how long it may take to end when told to.
    """

    look: float = 0.1
    patience: float = 1.2
    together: float = 10.0
    start: float = 300.0
    drain: float = 600.0
    stop: float = 15.0


@dataclass
class Post:
    """A piece of work that one process always does.

    Attributes:
        name: for people.
        number: from 1.
        work: what the process does.
        listeners: descriptors that only processes at this post have.
        is_relieved: whether a reload puts another process here.
        is_essential: whether nothing runs without it; what is not is started again and again.
    """

    name: str
    number: int
    work: Callable[[Link], None]
    listeners: Sequence[int] = ()
    is_relieved: bool = True
    is_essential: bool = True
    child: Child | None = None
    relief: Child | None = None
    restarts: Restarts = field(default_factory=Restarts)
    due: float | None = None
    error: SchoolgateError | None = None


class Supervisor:
    """Runs the posts until SIGINT or SIGTERM; SIGHUP relieves them all without a break.

    The SIGHUP of a terminal that is closed ends it, as it ends other programs.

    Args:
        posts: what to run.
        board: where to show how they are, a row for each post.
        times: how long things may take.
        reload: called before a reload; raises SchoolgateError when there must be none.
        ended: called with the seat of each process that has ended.
        manager: told how the service is; without it nobody is.
    """

    def __init__(
        self,
        posts: Sequence[Post],
        board: Board,
        times: Times = Times(),
        reload: Callable[[], None] = lambda: None,
        ended: Callable[[int], None] = lambda _: None,
        manager: ServiceManager | None = None,
    ) -> None:
        self._posts = posts
        self._board = board
        self._times = times
        self._reload = reload
        self._seat_free = ended
        self._manager = manager or ServiceManager({})
        self._is_reloading = False
        self._watchdog = Watchdog[int](times.look, times.patience, times.together)
        self._selector = selectors.DefaultSelector()
        self._leaving: list[Child] = []
        self._signals: list[int] = []
        self._terminal = _has_terminal()
        self._open = False
        self._reload_due = False
        self._stopping = False
        self._looked = 0.0

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` once all serve, and go on until told to stop.

        Raises:
            SchoolgateError: as the first process that cannot start says; nothing runs then.
        """
        with self._listening_to_signals():
            try:
                for post in self._posts:
                    post.child = self._start(post)
                self._until_all_serve()
                if not self._stopping:
                    self._open = True
                    self._show(time.monotonic())
                    ready()
                    self._manager.ready()
                while not self._stopping:
                    self._turn()
            finally:
                self._stop_all()
                self._selector.close()

    # -- one turn ---------------------------------------------------------------------------------

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._times.look):
            if callable(key.data):
                key.data()
        while self._signals:
            self._signalled(self._signals.pop(0))
        now = time.monotonic()
        if now - self._looked >= self._times.look:
            self._looked = now
            self._look(now)

    def _look(self, now: float) -> None:
        serving = {c.pid: c for c in self._children() if c.is_ready and not c.is_ending}
        signs = {pid: Sign(c.heart.last()[0], c.waited_seconds()) for pid, c in serving.items()}
        for pid in self._watchdog.look(now, signs):
            self._end_hung(serving[pid], now)
        for child in self._children():
            if child.until is not None and now >= child.until:
                self._overdue(child, now)
        for post in self._posts:
            if post.due is not None and now >= post.due and not self._stopping:
                post.due = None
                try:
                    post.child = self._start(post)
                except OSError as error:
                    # The machine is out of something; the others must not end for it.
                    delay = post.restarts.delay(0.0)
                    logger.error("%s cannot be started: %s", post.name, error)  # noqa: TRY400
                    post.due = now + max(delay, _SHORT_OF_SECONDS)
                else:
                    post.child.until = now + self._times.start
        if self._reload_due and not any(post.relief for post in self._posts):
            self._reload_due = False
            self._is_reloading = True
            self._manager.reloading(now)
            self._start_reliefs()
        if self._is_reloading and not any(post.relief for post in self._posts):
            self._is_reloading = False
            self._manager.ready()
        self._manager.alive(now)
        self._show(now)

    def _show(self, now: float) -> None:
        self._board.write(now, [self._row(post) for post in self._posts])

    def _row(self, post: Post) -> Row:
        child, restarts = post.child, post.restarts.total
        if child is None or not child.is_ready:
            return Row(restarts=restarts)
        beat, faults, mark = child.heart.last()
        return Row(beat, not child.is_ending, faults, restarts, mark)

    def _children(self) -> Iterator[Child]:
        for post in self._posts:
            for child in (post.child, post.relief):
                if child is not None:
                    yield child
        yield from list(self._leaving)

    # -- starting ---------------------------------------------------------------------------------

    def _start(self, post: Post, *, is_relief: bool = False) -> Child:
        child = fork(
            post.name,
            post.number,
            self._free_seat(),
            post.work,
            self._not_for(post),
            is_relief=is_relief,
        )
        self._selector.register(child.channel, selectors.EVENT_READ, lambda: self._heard(child))
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._ended(child))
        return child

    def _free_seat(self) -> int:
        taken = {child.seat for child in self._children()}
        return next(seat for seat in range(1, len(taken) + 2) if seat not in taken)

    def _not_for(self, post: Post) -> Iterator[int]:
        """Give the descriptors that a process at a post must not have."""
        yield self._selector.fileno()
        yield from self._wakeup
        for child in self._children():
            yield child.channel.fileno()
            yield child.pidfd
        for other in self._posts:
            if other is not post:
                yield from other.listeners

    def _until_all_serve(self) -> None:
        while not self._stopping:
            missing = [
                post
                for post in self._posts
                if post.is_essential and not (post.child and post.child.is_ready)
            ]
            if not missing:
                return
            self._turn()
            for post in missing:
                if post.restarts.total and not self._stopping:
                    raise self._why(post)

    def _why(self, post: Post) -> SchoolgateError:
        return post.error or UnavailableError(
            f"{post.name} ended before it served. What it said last is above."
        )

    def _heard(self, child: Child) -> None:
        was_ready = child.is_ready
        if child.is_gone:
            # It ended in the same turn; what it said was heard then.
            return
        if not child.hear():
            self._selector.unregister(child.channel)
        if child.is_ending:
            child.is_leaving = False
            child.until = time.monotonic() + self._times.stop
        if not child.is_ready or was_ready:
            return
        if not child.is_leaving:
            # Who is relieved while it starts has been told by when to go.
            child.until = None
        for post in self._posts:
            if post.relief is child:
                old, post.child, post.relief = post.child, child, None
                post.due = None
                if old is not None:
                    self._relieve(old)

    # -- ending -----------------------------------------------------------------------------------

    def _ended(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.channel)
        code = child.reap()
        self._seat_free(child.seat)
        if child in self._leaving:
            self._leaving.remove(child)
        for post in self._posts:
            if post.relief is child:
                post.relief = None
                if not self._stopping:
                    logger.error("%s is not relieved: %s", post.name, child.error or _how(code))
                    post.due = time.monotonic() if post.child is None else None
            elif post.child is child:
                post.child = None
                self._vacant(post, child, code)

    def _vacant(self, post: Post, child: Child, code: int) -> None:
        now = time.monotonic()
        post.error = child.error
        delay = post.restarts.delay(now - child.started)
        if self._stopping or post.relief is not None or (post.is_essential and not self._open):
            return
        post.due = now + delay
        if child.error is None or child.is_ready:
            logger.error("%s has ended (%s) and is replaced.", post.name, _how(code))
        if delay:
            logger.error(
                "%s ended %d times in a row%s. The next attempt is in %.1f seconds; "
                "what it should serve waits.",
                post.name, post.restarts.in_a_row, f": {child.error}" if child.error else "", delay,
            )  # fmt: skip

    def _end_hung(self, child: Child, now: float) -> None:
        name = next((p.name for p in self._posts if child in (p.child, p.relief)), "A relieved one")
        logger.error(
            "%s has not answered for %.1f seconds and is ended; where it hangs:",
            name, self._watchdog.silent(child.pid),
        )  # fmt: skip
        child.kill(signal.SIGQUIT)
        # Time to write that, for one that can run at all.
        child.is_ending, child.is_leaving = True, False
        child.until = now + (0.0 if child.is_stopped() else _LAST_WORDS_SECONDS)

    def _overdue(self, child: Child, now: float) -> None:
        if child.is_leaving:
            # Its time for what it had is over; now it has a short one to end.
            child.is_leaving = False
            child.until = now + self._times.stop
            child.is_ending = True
            child.tell(Order.STOP)
        else:
            child.until = None
            child.kill()

    def _relieve(self, child: Child) -> None:
        child.is_leaving = True
        child.until = time.monotonic() + self._times.drain
        self._leaving.append(child)
        child.tell(Order.DRAIN)

    def _stop_all(self) -> None:
        self._stopping = True
        self._manager.stopping()
        end = time.monotonic() + self._times.stop
        for child in self._children():
            child.tell(Order.STOP)
        while any(True for _ in self._children()):
            # A second Ctrl-C is one too many for whoever waits.
            if time.monotonic() >= end or self._signals:
                for child in self._children():
                    child.kill()
            for key, _ in self._selector.select(self._times.look):
                if callable(key.data):
                    key.data()

    # -- signals ----------------------------------------------------------------------------------

    def _signalled(self, number: int) -> None:
        if number == signal.SIGHUP and self._terminal == _has_terminal():
            # One at a time; asked for during one, the next begins when that is over.
            self._reload_due = True
        else:
            self._stopping = True

    def _start_reliefs(self) -> None:
        try:
            self._reload()
        except SchoolgateError as error:
            logger.error("Not reloaded; everything goes on as it was.\n%s", error)  # noqa: TRY400
            return
        for post in self._posts:
            if post.is_relieved and post.child is not None:
                try:
                    post.relief = self._start(post, is_relief=True)
                except OSError as error:
                    logger.error("%s is not relieved: %s", post.name, error)  # noqa: TRY400
                else:
                    post.relief.until = time.monotonic() + self._times.start

    @contextlib.contextmanager
    def _listening_to_signals(self) -> Iterator[None]:
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = (reading, writing)
        self._selector.register(reading, selectors.EVENT_READ, lambda: os.read(reading, 4096))
        old_wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        old = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(old_wakeup)
            os.close(reading)
            os.close(writing)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)


def _has_terminal() -> bool:
    """Say whether there is a terminal to which this process belongs; its end is a SIGHUP too."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _how(code: int) -> str:
    if code >= 0:
        return f"code {code}"
    return f"signal {signal.strsignal(-code) or -code}"
