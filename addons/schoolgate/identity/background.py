"""Waiting calls carried out in a few threads, with a deadline, so that the event loop never waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_MAX_WAITING = 64


class BusyError(Exception):
    """Too many calls wait already."""


class Background:
    """A small pool of threads; belongs to one event loop."""

    def __init__(self, name: str, threads: int, deadline_seconds: float) -> None:
        """Start no thread yet."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._deadline = deadline_seconds
        self._waiting = 0

    async def call[T](self, work: Callable[[], T]) -> T:
        """Carry out a call and give what it gives.

        Raises:
            TimeoutError: at the deadline; the call may still go on in its thread.
            BusyError: when so many wait that this one would not be reached in time, or the pool is
                closed.
        """
        if self._waiting >= _MAX_WAITING:
            raise BusyError
        loop, asking = asyncio.get_running_loop(), asyncio.current_task()
        try:
            future = self._pool.submit(work)
        except RuntimeError as error:
            raise BusyError from error
        self._waiting += 1
        future.add_done_callback(lambda _: self._done(loop))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._deadline)
        except asyncio.CancelledError as error:
            # By `close`, unless it is who asks that is told to end.
            if asking is not None and not asking.cancelling():
                raise BusyError from error
            raise

    def close(self) -> None:
        """Begin no further call; those that run end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, loop: asyncio.AbstractEventLoop) -> None:
        # In the pool's thread: the count belongs to the loop.
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_down)

    def _count_down(self) -> None:
        self._waiting -= 1
