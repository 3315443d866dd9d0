"""Tells programs of the school of safeguarding alerts, from the outbox: again until they have it.

What is told is a number, a severity and a theme: whom and what it is about stands in the portal.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.core.safeguarding.incidents import KeptAlert
from schoolgate.services.mailing import GIVE_UP_AFTER, Round
from schoolgate.services.probing import Finding
from schoolgate.storage import Outbox, OutboxState, Waiting

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
# The slowest receiver takes less than this.
_LEASE = timedelta(minutes=1)
_LATE = timedelta(minutes=2)

# Posts a message: its number, when, its body.
type Post = Callable[[str, datetime, bytes], None]


class Telling:
    """Tells one webhook what waits for it.

    Args:
        outbox: of this webhook alone.
        post: hands a message over; as `notify.Webhook.post`.
        alert: gives an alert by its number; raises `RefusedError` where there is none any more.
        gateway: name of this gateway.
    """

    def __init__(
        self, outbox: Outbox, post: Post, alert: Callable[[int], KeptAlert], gateway: str
    ) -> None:
        self._outbox = outbox
        self._post = post
        self._alert = alert
        self._gateway = gateway

    def round(self, now: datetime) -> Round:
        """Tell what is due first, if anything is.

        Raises:
            UnavailableError: when the database fails.
        """
        for waiting in self._outbox.take(now, 1, _LEASE):
            return self._one(waiting, now)
        return Round()

    def _one(self, waiting: Waiting, now: datetime) -> Round:
        try:
            found = self._alert(int(waiting.about.partition(":")[2]))
            self._post(f"{self._gateway}-{waiting.id}", now, body_of(found, self._gateway))
        except RefusedError as error:
            self._outbox.gave_up(waiting.id, str(error), now)
            return Round(gave_up=1)
        except UnavailableError as error:
            if now - waiting.created_at >= GIVE_UP_AFTER:
                self._outbox.gave_up(waiting.id, str(error), now)
                return Round(gave_up=1)
            self._outbox.failed(waiting.id, str(error), now + pause_after(waiting.attempts))
            return Round(waiting=1)
        self._outbox.sent(waiting.id, now)
        return Round(sent=1)


def body_of(alert: KeptAlert, gateway: str) -> bytes:
    """Give what is told of an alert, as JSON."""
    data = {
        "gateway": gateway,
        "number": alert.id,
        "severity": alert.severity.value,
        "theme": alert.theme,
    }
    told = {"type": "safeguarding.alert", "timestamp": alert.at.isoformat(), "data": data}
    return json.dumps(told, separators=(",", ":")).encode()


def pause_after(attempts: int) -> timedelta:
    """Give how long to wait after so many attempts: twice as long each time."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 16)), LONGEST_PAUSE)


def findings(name: str, state: OutboxState, now: datetime) -> Iterator[Finding]:
    """Say how a webhook is, for `schoolgate doctor`."""
    what = f"webhook {name}"
    late = state.due_since is not None and now - state.due_since > _LATE
    trouble = f"; the last that failed: {state.trouble}" if state.trouble else ""
    said = f"{state.waiting} alerts waiting{trouble}"
    if late:
        said += "; nobody sends: start 'schoolgate run' or 'schoolgate jobs'"
    yield Finding(what, True, said, is_note=late or bool(trouble))
    for waiting, error in state.gave_up:
        yield Finding(what, True, f"was not told of {waiting.about}: {error}", is_note=True)
