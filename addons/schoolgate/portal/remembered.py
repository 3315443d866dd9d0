"""Who signed in of late, for as long as the store that knows it is out of reach."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from schoolgate.core.approvals import Role

_MOST = 2000


@dataclass(frozen=True, slots=True)
class Remembered:
    """Somebody who was signed in when they were last seen.

    Attributes:
        pk: number of the account.
        email: of the account.
        name: as pages show it.
        roles: theirs.
    """

    pk: int
    email: str
    name: str
    roles: frozenset[Role]

    is_authenticated = True

    def held_roles(self) -> frozenset[Role]:
        """Give the roles, as an account does."""
        return self.roles


class Memory:
    """Session → who it was of, in this process alone; the ones seen last."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Remembered] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def note(self, session: str, who: Remembered | None) -> None:
        """Remember whose a session is; None when it is nobody's any more."""
        with self._one_at_a_time:
            self._known.pop(session, None)
            if who is not None:
                self._known[session] = who
            if len(self._known) > _MOST:
                self._known.popitem(last=False)

    def of(self, session: str) -> Remembered | None:
        """Give whose a session was."""
        return self._known.get(session)
