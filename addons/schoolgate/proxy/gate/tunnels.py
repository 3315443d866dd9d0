"""The tunnels that are open: each is decided again every second and when the rules change, or cut."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from schoolgate.proxy.gate.relay import Relay
from schoolgate.proxy.transactions import Transaction

# A tunnel that is silent for longer is given up, as mitmproxy does with its connections.
IDLE_SECONDS = 600.0
# One side has ended: the other has this long without a byte.
HALF_CLOSED_SECONDS = 60.0
# Nobody's lesson is longer; what still runs was forgotten.
LIFE_SECONDS = 24 * 3600.0
RECHECK_SECONDS = 1.0
# So many at a time, then the loop's other work has its turn.
MOST_AT_ONCE = 2_000


@dataclass(slots=True)
class Tunnel:
    """A tunnel that carries bytes.

    Attributes:
        relay: what carries them.
        transaction: as what it was let through.
        moved: bytes at the last look.
        active: monotonic seconds of the last look at which bytes had come.
        checked: monotonic seconds of the last look.
    """

    relay: Relay
    transaction: Transaction
    moved: int
    active: float
    checked: float


class Tunnels:
    """Every open tunnel.

    Args:
        still_passes: decides again.
        fault: told of a decision that raised; its tunnel is cut.
    """

    def __init__(
        self,
        still_passes: Callable[[Transaction], bool],
        fault: Callable[[Exception], None],
    ) -> None:
        self._still_passes = still_passes
        self._fault = fault
        # The one that was looked at longest ago comes first.
        self._queue: deque[Tunnel] = deque()
        self._open = 0
        self._changed = 0.0

    def __len__(self) -> int:
        """How many are open."""
        return self._open

    def add(self, relay: Relay, transaction: Transaction) -> None:
        """Keep a tunnel until its relay ends."""
        moment = time.monotonic()
        tunnel = Tunnel(relay, transaction, 0, moment, transaction.started)
        if transaction.started < self._changed:
            # Decided by rules that are others now.
            self._queue.appendleft(tunnel)
        else:
            self._queue.append(tunnel)
        self._open += 1

    def ended(self) -> None:
        """Note that a relay ended; its tunnel goes at the next look."""
        self._open -= 1

    def changed(self, moment: float) -> None:
        """Note that the rules are others now: the next looks are at all; in monotonic seconds."""
        self._changed = moment

    def look(self, moment: float) -> None:
        """Look at those whose turn it is; ``moment`` is in monotonic seconds."""
        queue = self._queue
        for _ in range(min(len(queue), MOST_AT_ONCE)):
            if not self._is_due(queue[0], moment):
                return
            tunnel = queue.popleft()
            if not tunnel.relay.is_open:
                continue
            tunnel.checked = moment
            try:
                stays = self._may_stay(tunnel, moment)
            except Exception as error:  # noqa: BLE001 - what cannot be decided again is cut
                self._fault(error)
                stays = False
            if stays:
                queue.append(tunnel)
            else:
                tunnel.relay.close()

    def _is_due(self, tunnel: Tunnel, moment: float) -> bool:
        return (
            not tunnel.relay.is_open
            or tunnel.checked < self._changed
            or tunnel.checked + RECHECK_SECONDS <= moment
        )

    def close(self) -> None:
        """Cut all."""
        while self._queue:
            self._queue.popleft().relay.close()

    def _may_stay(self, tunnel: Tunnel, moment: float) -> bool:
        moved = tunnel.relay.moved
        if moved != tunnel.moved:
            tunnel.moved, tunnel.active = moved, moment
        silent = HALF_CLOSED_SECONDS if tunnel.relay.is_half_closed else IDLE_SECONDS
        return (
            moment - tunnel.active < silent
            and moment - tunnel.transaction.started < LIFE_SECONDS
            and self._still_passes(tunnel.transaction)
        )
