"""The engine in force: one reference, replaced whole, read without a lock."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from schoolgate.core.approvals import Acceptance, Overlay
from schoolgate.core.categories import ListEntry
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import PolicyEngine

# Accepted here and not in the store; more than that is no school but somebody who tries.
_MOST_HERE = 10_000


class Engines:
    """Holds the engine that decides now.

    Readers take ``current`` once for each request and never see a torn state. Writers are the watch
    on the store, the watch on the files, and the event loop where a warning is accepted: what is
    held while they wait for each other is short and in memory.

    Args:
        engine: the first.
        changed: told of each other policy and overlay in force, by the thread that put it there; it
            may take its time.
    """

    def __init__(
        self, engine: PolicyEngine, changed: Callable[[PolicyEngine], None] = lambda _: None
    ) -> None:
        self.current = engine
        self._changed = changed
        self._lock = threading.Lock()
        # Apart from the other, so that nobody who accepts waits for what telling takes.
        self._telling = threading.Lock()
        self._here: frozenset[Acceptance] = frozenset()

    def put_overlay(self, overlay: Overlay) -> None:
        """Put other grants and suspensions in force; what was accepted here stays accepted."""
        with self._lock:
            self._here -= overlay.acceptances
            if self._here:
                overlay = replace(overlay, acceptances=overlay.acceptances | self._here)
            self.current = self.current.with_overlay(overlay)
        self._tell()

    def put_policy(self, engine: PolicyEngine) -> None:
        """Put another policy and catalogue in force; what else is put by itself stays."""
        with self._lock:
            before = self.current
            engine = engine.with_local(before.local).with_locked(before.locked)
            self.current = engine.with_overlay(before.overlay)
        self._tell()

    def put_locked(self, locked: LockedLists) -> None:
        """Put other locked lists in force; all else stays."""
        with self._lock:
            self.current = self.current.with_locked(locked)
        self._tell()

    def put_local(self, local: Sequence[ListEntry]) -> None:
        """Put other lists of the school's own in force; all else stays, and no other index is made."""
        with self._lock:
            self.current = self.current.with_local(local)
        self._tell()

    def accept(self, acceptance: Acceptance) -> None:
        """Put in force that a warning was clicked through, before the store knows."""
        with self._lock:
            here = frozenset(each for each in self._here if each.day == acceptance.day)
            # To forget them is to warn again.
            self._here = (here if len(here) < _MOST_HERE else frozenset()) | {acceptance}
            overlay = self.current.overlay
            overlay = replace(overlay, acceptances=overlay.acceptances | {acceptance})
            self.current = self.current.with_overlay(overlay)

    def _tell(self) -> None:
        with self._telling:
            self._changed(self.current)
