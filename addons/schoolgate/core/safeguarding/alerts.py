"""An alert: a sign of harm that somebody is to look at, whom it concerns, and how often it is told."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from schoolgate.core.safeguarding.themes import Concern, Severity, Source, Theme

# The same person, the same theme: people look at the first, and a page of results is asked for many times.
QUIET = timedelta(minutes=10)
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Alert:
    """A sign, and all that may be kept of it.

    Attributes:
        at: when, aware.
        who: ``user:abc``, else ``device:…``, else ``client:10.0.0.7``.
        device: id of the device, where it is known.
        address: of the client.
        group: the policy's group of the person.
        is_staff: whether the person is of a group of staff.
        concern: the sign.
        host: of the page.
        url: without its query.
        search: the words that were searched for, where a clause has them kept; empty else.
        verdict: what was decided about the request.
        clause: that asks for the alert.
    """

    at: datetime
    who: str
    device: str
    address: str
    group: str
    is_staff: bool
    concern: Concern
    host: str
    url: str
    search: str
    verdict: str
    clause: str

    @property
    def theme(self) -> Theme:
        """Of what."""
        return self.concern.theme

    @property
    def severity(self) -> Severity:
        """How bad."""
        return self.concern.severity

    @property
    def source(self) -> Source:
        """What showed it."""
        return self.concern.source


class Throttle:
    """Lets the first sign of a person and theme through, then none for a while but a worse one.

    Of the people who were last, `MOST_REMEMBERED`.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, Theme], tuple[datetime, Severity]] = OrderedDict()

    def passes(self, who: str, concern: Concern, at: datetime) -> bool:
        """Ask whether it is told now; what is told counts from then on."""
        key = (who, concern.theme)
        last = self._last.get(key)
        if last is not None and at - last[0] < QUIET and concern.severity.rank <= last[1].rank:
            return False
        self._last[key] = (at, concern.severity)
        self._last.move_to_end(key)
        if len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)
        return True
