"""Open tunnels are decided again every second, and what cannot be decided is cut."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from schoolgate.proxy.gate.tunnels import MOST_AT_ONCE, Tunnels


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


def test_when_the_rules_change_all_are_decided_at_once_but_never_too_many_in_one_turn() -> None:
    """None is forgotten, and none is asked twice for one change."""
    asked: list[object] = []

    def ask(transaction: object) -> bool:
        asked.append(transaction)
        return True

    tunnels = Tunnels(ask, lambda _: None)
    for number in range(MOST_AT_ONCE + 10):
        tunnels.add(cast("Any", Joined(str(number))), cast("Any", Asked(True)))
    moment = tunnels._queue[-1].checked + 0.1
    tunnels.look(moment)
    assert asked == []
    tunnels.changed(moment)
    for seconds, want in ((0.0, MOST_AT_ONCE), (0.05, 10), (0.1, 0)):
        asked.clear()
        tunnels.look(moment + seconds)
        assert len(asked) == want
    asked.clear()
    tunnels.add(cast("Any", Joined("late")), cast("Any", Asked(True, started=moment - 0.1)))
    tunnels.look(moment + 0.15)
    assert len(asked) == 1
