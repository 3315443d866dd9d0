"""When a gateway says how it is: every half minute, at once after a change, and again when it could not."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from schoolgate.core.errors import SchoolgateError
from schoolgate.storage.gateway_states import GatewayState

logger = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_AGAIN_SECONDS = 5.0


class GatewayReporting:
    """Looks each second, in a thread of its own, and writes when it is time to.

    Args:
        look: gives how the gateway is; None while there is nothing to say.
        write: keeps it; raises `UnavailableError` while the database is out of reach.
        moment: gives seconds that only grow.
    """

    def __init__(
        self,
        look: Callable[[], GatewayState | None],
        write: Callable[[GatewayState], None],
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._write = write
        self._moment = moment
        self._due = moment()
        self._last: GatewayState | None = None
        self._is_failing = False

    def start(self) -> None:
        """Begin; it ends with the process."""
        threading.Thread(target=self._run, name="gateway state", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_SECONDS):
            self.step()

    def step(self) -> None:
        """Look, and write what is due or has changed."""
        try:
            state = self._look()
            if state is None:
                return
            has_changed = not self._is_failing and _lasting(state) != self._last
            if self._moment() < self._due and not has_changed:
                return
            self._write(state)
        except (SchoolgateError, OSError) as error:
            self._failed(error)
        else:
            if self._is_failing:
                logger.warning("This gateway's state is reported again.")
            self._is_failing, self._last = False, _lasting(state)
            self._due = self._moment() + EVERY_SECONDS

    def _failed(self, error: Exception) -> None:
        if not self._is_failing:
            logger.error("This gateway's state is not reported: %s", error)
        self._is_failing = True
        self._due = self._moment() + _AGAIN_SECONDS


def _lasting(state: GatewayState) -> GatewayState:
    """Give it without what changes all the time, for which the next report is soon enough."""
    return replace(state, kept_requests=0, unsent_since=None)
