"""Wrong passwords and tickets, counted by the address they come from."""

from collections.abc import Callable
from dataclasses import dataclass

from schoolgate.identity.answers import Answer, Outcome

# A room behind one address has 30 browsers, each of which may know an old password.
_MOST = 60
_SECONDS = 300.0
_MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Count:
    since: float
    wrong: int = 0


class Failures:
    """Tells who tries too often; belongs to the event loop.

    Names have a limit of their own (`remembered`); this one is for whoever goes through many names.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Begin with nobody; ``now`` gives seconds."""
        self._now = now
        self._counts: dict[str, _Count] = {}

    def are_many(self, client: str) -> bool:
        """Ask whether an address has tried so often that nothing of it is looked at for a while."""
        count = self._counts.get(client)
        if count is None:
            return False
        if not 0 <= self._now() - count.since < _SECONDS:
            del self._counts[client]
            return False
        return count.wrong >= _MOST

    def note(self, client: str, answer: Answer) -> None:
        """Count a wrong one."""
        if answer.outcome is not Outcome.REFUSED:
            return
        count = self._counts.get(client)
        if count is None:
            if len(self._counts) >= _MOST_ADDRESSES:
                del self._counts[next(iter(self._counts))]
            count = self._counts[client] = _Count(self._now())
        count.wrong += 1
