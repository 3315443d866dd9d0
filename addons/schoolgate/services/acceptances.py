"""Warnings that people click through: in force here at once, in the other workers from the store."""

from collections.abc import Callable, Collection

from schoolgate.core.approvals import Acceptance
from schoolgate.services.engines import Engines
from schoolgate.services.writing import Writer

_MOST_WAITING = 10_000
_AGAIN_SECONDS = 1.0

# Writes some of them and gives those that were kept before; raises UnavailableError.
type Keep = Callable[[Collection[Acceptance]], frozenset[Acceptance]]
type Told = Callable[[], None]


class Acceptances:
    """Takes clicks on the event loop and writes them in a thread of its own.

    A click is told once: by the worker whose write was the first. Where it cannot be written it is told
    at once, holds in this worker, and is tried again until it is kept or this ends.

    Args:
        engines: where an acceptance is put in force.
        keep: writes.
        failed: called with each failure to write.
    """

    def __init__(
        self,
        engines: Engines,
        keep: Keep = lambda _: frozenset(),
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._engines = engines
        self._writer = Writer(
            "acceptances",
            _Clicks(keep),
            most_waiting=_MOST_WAITING,
            again_seconds=_AGAIN_SECONDS,
            failed=failed,
            lost="Accepted warnings hold in this worker only",
        )

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, once, and end."""
        self._writer.stop()

    def accept(self, acceptance: Acceptance, told: Told) -> None:
        """Take a click; never waits.

        Args:
            acceptance: what was clicked through.
            told: called later, in the thread, if this click is the first; may be called from here.
        """
        if acceptance in self._engines.current.overlay.acceptances:
            return
        self._engines.accept(acceptance)
        if not self._writer.give((acceptance, told)):
            told()


class _Clicks:
    """Not written yet; without a function where it was told already."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: dict[Acceptance, Told | None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: tuple[Acceptance, Told]) -> None:
        self._waiting.setdefault(*item)

    def write(self) -> None:
        known = self._keep(self._waiting.keys())
        told = [tell for each, tell in self._waiting.items() if tell and each not in known]
        self._waiting.clear()
        for tell in told:
            tell()

    def not_written(self) -> None:
        told = list(filter(None, self._waiting.values()))
        # Where there are too many they hold here; the others ask once more.
        is_full = len(self._waiting) >= _MOST_WAITING
        self._waiting = {} if is_full else dict.fromkeys(self._waiting)
        for tell in told:
            tell()
