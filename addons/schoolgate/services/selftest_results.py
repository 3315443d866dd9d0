"""What the last round of the self-test found, in a file that everybody of the gateway reads."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from schoolgate.services.probing import Finding
from schoolgate.settings import Settings

EVERYBODY = "all"
"""In place of a group, for what is the same for all."""
RUNNING = "running"
"""The check that the self-test itself runs."""
# So many rounds may be missing before it counts as ended.
_ROUNDS = 3
_LONGEST_ROUND_SECONDS = 60
_MOST_SAID = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What was found.

    Attributes:
        check: which.
        group: for whom; `EVERYBODY` for all.
        ok: whether it is as it must be.
        said: what is wrong; "" for nothing.
    """

    check: str
    group: str
    ok: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One round.

    Attributes:
        at: when it ended, aware.
        every_seconds: how often there is one.
        took_seconds: how long it took.
        results: what it found.
    """

    at: datetime
    every_seconds: float
    took_seconds: float
    results: tuple[Result, ...]

    def is_late(self, now: datetime) -> bool:
        """Ask whether another one should be there by now."""
        longest = _ROUNDS * self.every_seconds + min(
            _LONGEST_ROUND_SECONDS, 2 * self.every_seconds + self.took_seconds
        )
        return now - self.at > timedelta(seconds=longest)

    def shown(self, now: datetime) -> Iterator[Result]:
        """Give what is known at a time: what was found, and whether anybody still looks."""
        late = self.is_late(now)
        said = f"no round has ended since {self.at:%Y-%m-%d %H:%M:%S}" if late else ""
        yield Result(RUNNING, EVERYBODY, not late, said)
        yield from self.results


def write_round(file: Path, found: Round) -> None:
    """Keep a round in the place of the one before.

    Raises:
        OSError: when it cannot be written.
    """
    text = asdict(found) | {"at": found.at.isoformat()}
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    aside.write_text(json.dumps(text), encoding="utf-8")
    aside.replace(file)


def read_round(file: Path) -> Round | None:
    """Give the last round; None where there is none that can be read."""
    try:
        text = json.loads(file.read_bytes())
        results = tuple(Result(**one) for one in text["results"])
        at = datetime.fromisoformat(text["at"])
        return Round(at, text["every_seconds"], text["took_seconds"], results)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def found(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Say what the self-test of this machine found last."""
    last = read_round(settings.selftest_file)
    yield from findings(last, now, enabled=settings.selftest.enabled)


def findings(found: Round | None, now: datetime, *, enabled: bool) -> Iterator[Finding]:
    """Say what the self-test found last.

    Args:
        found: the last round.
        now: aware.
        enabled: whether this machine has one.
    """
    what = "self-test"
    if not enabled:
        yield Finding(what, True, "off: set selftest.enabled", is_note=True)
        return
    if found is None:
        said = "no round has ended yet: is 'schoolgate run' running?"
        yield Finding(what, True, said, is_note=True)
        return
    wrong = [one for one in found.shown(now) if not one.ok]
    for one in wrong[:_MOST_SAID]:
        yield Finding(f"{what} {one.check}", False, one.said)
    if len(wrong) > _MOST_SAID:
        yield Finding(what, False, f"and {len(wrong) - _MOST_SAID} more like that")
    if not wrong:
        yield Finding(what, True, summary(found.results, found.at))


def summary(results: Sequence[Result], at: datetime) -> str:
    """Say in a sentence what was looked at and found well."""
    groups = {one.group for one in results} - {EVERYBODY}
    checks = sorted({one.check for one in results})
    many = f"{len(groups)} group{'s' if len(groups) != 1 else ''}"
    return f"well for {many} at {at:%H:%M:%S} UTC ({', '.join(checks)})"
