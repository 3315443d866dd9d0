"""Counts how often somebody tries to get round the filter, and says when that is an incident.

Of each person (device, address) by one worker: whichever serves them tells that one in a letter. What a
worker counted ends with it. The journal has every attempt.
"""

import json
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from schoolgate.core.approvals import Subject
from schoolgate.core.clients import Client
from schoolgate.core.policy import AttemptTerms

# A program that is turned away tries again at once, and a page has many parts.
SAME_SECONDS = 5.0
MOST_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tried to get round the filter.

    Attributes:
        client: who.
        kind: the way that was tried.
        host: the site that was asked for.
        inner_host: what was to be reached by way of it; empty for nothing.
        moment: monotonic seconds, the same in all workers of a machine.
    """

    client: Client
    kind: str
    host: str
    inner_host: str
    moment: float

    @property
    def who(self) -> str:
        """Whom it is counted for: the person, else the device, else the address."""
        return str(Subject.nearest(self.client))

    def letter(self) -> bytes:
        """Write it down for another worker."""
        return json.dumps({**asdict(self), "client": _plain(self.client)}).encode()

    @classmethod
    def of_letter(cls, letter: bytes) -> "Attempt":
        """Read what `letter` wrote."""
        fields = json.loads(letter)
        client = fields.pop("client")
        return cls(Client(**{**client, "also": frozenset(client["also"])}), **fields)


def _plain(client: Client) -> dict[str, object]:
    return {**asdict(client), "also": sorted(client.also)}


@dataclass(frozen=True, slots=True)
class Incident:
    """Somebody tried often enough that a person should look at it.

    Attributes:
        attempts: how many, each way and site once in a few seconds.
        kinds: how often each way was tried.
    """

    attempts: int
    kinds: Mapping[str, int]


@dataclass(slots=True)
class _Tries:
    """The last attempts of one client: monotonic seconds, kind and site."""

    last: deque[tuple[float, str, str]]
    quiet_until: float = 0.0


class Attempts:
    """The attempts that one worker has seen or heard of, of those clients alone that were last.

    Args:
        most_clients: that are remembered.
    """

    def __init__(self, most_clients: int = MOST_CLIENTS) -> None:
        self._most_clients = most_clients
        self._clients: OrderedDict[str, _Tries] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._clients)

    def note(self, attempt: Attempt, terms: AttemptTerms) -> tuple[bool, Incident | None]:
        """Take an attempt.

        Args:
            attempt: who tried what, and when.
            terms: how many are an incident.

        Returns:
            Whether it is a new one, and the incident that it makes, of which the next comes when the
            time of the terms has gone by.
        """
        who, kind, moment = attempt.who, attempt.kind, attempt.moment
        host = f"{attempt.host} {attempt.inner_host}"
        tries = self._clients.pop(who, None)
        if tries is None or tries.last.maxlen != terms.most:
            tries = _Tries(deque(tries.last if tries else (), terms.most))
        self._clients[who] = tries
        if len(self._clients) > self._most_clients:
            self._clients.popitem(last=False)
        if any(
            (each, site) == (kind, host) and moment - at < SAME_SECONDS
            for at, each, site in tries.last
        ):
            return False, None
        tries.last.append((moment, kind, host))
        begin = moment - terms.minutes * 60.0
        if len(tries.last) < terms.most or tries.last[0][0] < begin or moment < tries.quiet_until:
            return True, None
        tries.quiet_until = moment + terms.minutes * 60.0
        return True, Incident(len(tries.last), Counter(each for _, each, _ in tries.last))
