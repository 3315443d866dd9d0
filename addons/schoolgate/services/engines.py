"""The engine in force: one reference, replaced whole, read without a lock."""

import threading
from collections.abc import Callable

from schoolgate.core.approvals import Overlay
from schoolgate.core.policy import PolicyEngine


class Engines:
    """Holds the engine that decides now.

    Readers take ``current`` once for each request and never see a torn state. Writers are threads:
    the watch on the store and the watch on the files.
    """

    def __init__(
        self, engine: PolicyEngine, changed: Callable[[PolicyEngine], None] = lambda _: None
    ) -> None:
        self.current = engine
        self._changed = changed
        self._lock = threading.Lock()

    def put_overlay(self, overlay: Overlay) -> None:
        """Put other grants and suspensions in force."""
        with self._lock:
            self.current = self.current.with_overlay(overlay)
            self._changed(self.current)

    def put_policy(self, engine: PolicyEngine) -> None:
        """Put another policy or other lists in force; grants and suspensions stay."""
        with self._lock:
            self.current = engine.with_overlay(self.current.overlay)
            self._changed(self.current)
