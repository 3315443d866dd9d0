"""Open tunnels are decided again every second, and what cannot be decided is cut."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from schoolgate.proxy.gate.tunnels import Tunnels


@dataclass
class Joined:
    """A relay that carries nothing."""

    name: str
    is_open: bool = True
    is_half_closed: bool = False
    moved: int = 0

    def close(self) -> None:
        """End it."""
        self.is_open = False


@dataclass
class Asked:
    """A transaction of which the answer is known."""

    answer: Any
    started: float = 0.0


def decide(transaction: Any) -> bool:
    """Give the answer, or raise it."""
    if isinstance(transaction.answer, Exception):
        raise transaction.answer
    return bool(transaction.answer)


@pytest.mark.parametrize(
    ("answer", "stays"), [(True, True), (False, False), (LookupError("a rule is broken"), False)]
)
def test_a_tunnel_stays_only_while_it_is_decided_to_pass(answer: Any, stays: bool) -> None:
    """A fault cuts the tunnel it came from, is told, and costs the others nothing."""
    faults: list[Exception] = []
    tunnels = Tunnels(decide, faults.append)
    one, other = Joined("one"), Joined("other")
    tunnels.add(cast("Any", one), cast("Any", Asked(answer)))
    tunnels.add(cast("Any", other), cast("Any", Asked(True)))
    later = tunnels._queue[0].checked + 1.5
    tunnels.look(later)
    tunnels.look(later + 1.5)
    assert (one.is_open, other.is_open) == (stays, True)
    assert faults == ([answer] if isinstance(answer, Exception) else [])
