"""What was wrong with lists that could not be built, for the other workers that are asked to build them."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from schoolgate.core.errors import Fault

_FILE = ".refused"
# Long enough for workers that wait for each other; a technician who tries again later is answered
# from the lists themselves.
_HOLDS_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Lists that were refused.

    Attributes:
        version: of the lists.
        at: when, aware.
        faults: all of them.
    """

    version: str
    at: datetime
    faults: Sequence[Fault]

    def holds(self, version: str, now: datetime) -> bool:
        """Say whether lists of that version would be refused again, without a look at them."""
        return version == self.version and abs(now - self.at) <= _HOLDS_FOR


def write_refusal(state: Path, refusal: Refusal) -> None:
    """Keep a refusal; where that fails, others will find the same by themselves."""
    faults = [astuple(fault) for fault in refusal.faults]
    text = json.dumps([refusal.version, refusal.at.isoformat(), faults])
    with contextlib.suppress(OSError):
        (state / _FILE).write_text(text, encoding="utf-8")


def read_refusal(state: Path) -> Refusal | None:
    """Give the last refusal, or None."""
    try:
        version, at, faults = json.loads((state / _FILE).read_text(encoding="utf-8"))
        return Refusal(version, datetime.fromisoformat(at), [Fault(*fault) for fault in faults])
    except (OSError, ValueError, TypeError):
        return None
