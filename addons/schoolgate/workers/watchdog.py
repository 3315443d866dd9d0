"""Judges which processes hang; values in, names out."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sign:
    """What is seen of a process at a look.

    Attributes:
        beat: the time of its last beat; only whether it changed counts.
        waited_seconds: how long, since it began, it was ready to run and had no processor.
    """

    beat: float
    waited_seconds: float = 0.0


@dataclass(slots=True)
class _Silence:
    sign: Sign
    seconds: float = 0.0


class Watchdog[Name: Hashable]:
    """Counts for how long each process has been silent although it could have spoken.

    Not counted is the time in which it waited for a processor (the machine is overloaded) and the
    time in which nobody looked (the machine was suspended, or the looker itself had to wait).
    When all are silent at once, the machine is more likely at fault than all of them: they are
    then given more time.

    Args:
        look_seconds: how often `look` is meant to be called.
        patience_seconds: how long one may be silent.
        together_seconds: how long all may be.
    """

    def __init__(
        self, look_seconds: float, patience_seconds: float, together_seconds: float
    ) -> None:
        self._look = look_seconds
        self._patience = patience_seconds
        self._together = together_seconds
        self._last: float | None = None
        self._known: dict[Name, _Silence] = {}

    def look(self, now: float, signs: Mapping[Name, Sign]) -> set[Name]:
        """Give which hang.

        Args:
            now: monotonic seconds.
            signs: of every process that should beat; others are forgotten.
        """
        since = 0.0 if self._last is None else min(now - self._last, 2 * self._look)
        self._last = now
        self._known = {name: self._heard(name, sign, since) for name, sign in signs.items()}
        silent = {name: known.seconds for name, known in self._known.items()}
        patience = self._patience
        # They fall silent one after the other: half the time is enough to see that all have.
        if len(silent) > 1 and min(silent.values()) >= patience / 2:
            patience = self._together
        return {name for name, seconds in silent.items() if seconds >= patience}

    def silent(self, name: Name) -> float:
        """Give for how long one has been silent, in seconds that count."""
        known = self._known.get(name)
        return known.seconds if known else 0.0

    def _heard(self, name: Name, sign: Sign, since: float) -> _Silence:
        known = self._known.get(name)
        if known is None or sign.beat != known.sign.beat:
            return _Silence(sign)
        waited = max(0.0, sign.waited_seconds - known.sign.waited_seconds)
        return _Silence(sign, known.seconds + max(0.0, since - waited))
