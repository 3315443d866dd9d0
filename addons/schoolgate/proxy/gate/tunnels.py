"""The tunnels that are open: each one is decided again every second, and cut when it may not stay."""

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

    def __len__(self) -> int:
        """How many are open."""
        return self._open

    def add(self, relay: Relay, transaction: Transaction) -> None:
        """Keep a tunnel until its relay ends."""
        moment = time.monotonic()
        self._queue.append(Tunnel(relay, transaction, 0, moment, moment))
        self._open += 1

    def ended(self) -> None:
        """Note that a relay ended; its tunnel goes at the next look."""
        self._open -= 1

    def look(self, moment: float) -> None:
        """Look at those whose turn it is; ``moment`` is in monotonic seconds."""
        queue = self._queue
        while queue and (
            not queue[0].relay.is_open or queue[0].checked + RECHECK_SECONDS <= moment
        ):
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
