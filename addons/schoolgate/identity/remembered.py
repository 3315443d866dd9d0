"""Passwords that were checked a while ago, so that a directory is not asked for each connection.

Kept in memory only and as a keyed hash: the key is made at the start of the process and each entry
has a salt, so that what leaks of the table without the key says nothing. A slow hash would cost the
event loop tens of milliseconds for each new connection, and protect nothing that the process does
not hold in clear text while it is used.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from schoolgate.identity.answers import Answer, refused

_MAX_PEOPLE = 10_000
# After so many wrong passwords for one name the directory is not asked for a while: a tablet with an
# old password must not lock the account of its owner, nor may anybody guess on.
_WRONG_TRIES = 5
_WRONG_SECONDS = 300.0


@dataclass(slots=True)
class _Wrong:
    since: float
    digests: list[tuple[bytes, bytes]] = field(default_factory=list)


class RememberedPasswords:
    """What the directory said of names and passwords; belongs to the event loop."""

    def __init__(self, seconds: float, now: Callable[[], float]) -> None:
        """Remember right passwords for some seconds; ``now`` gives a steady clock in seconds."""
        self._seconds = seconds
        self._now = now
        self._key = secrets.token_bytes(32)
        self._right: dict[str, tuple[bytes, bytes, float, Answer]] = {}
        self._wrong: dict[str, _Wrong] = {}

    def answer(self, user: str, password: str) -> Answer | None:
        """Give what is known without asking, or None."""
        right = self._right.get(user)
        if right is not None:
            salt, digest, until, answer = right
            if self._now() >= until:
                del self._right[user]
            elif hmac.compare_digest(digest, self._digest(salt, user, password)):
                return answer
        wrong = self._wrong.get(user)
        if wrong is None:
            return None
        if self._now() - wrong.since >= _WRONG_SECONDS:
            del self._wrong[user]
            return None
        if len(wrong.digests) >= _WRONG_TRIES:
            return refused("too many wrong passwords; asked again in a few minutes")
        for salt, digest in wrong.digests:
            if hmac.compare_digest(digest, self._digest(salt, user, password)):
                return refused("the password was wrong a moment ago")
        return None

    def remember(self, user: str, password: str, answer: Answer) -> None:
        """Keep what the directory said; that it could not be asked is not kept."""
        salt = secrets.token_bytes(16)
        digest = self._digest(salt, user, password)
        if answer.accepted:
            self._make_room(self._right)
            self._right[user] = (salt, digest, self._now() + self._seconds, answer)
            self._wrong.pop(user, None)
        elif answer == refused(answer.reason):
            self._make_room(self._wrong)
            wrong = self._wrong.setdefault(user, _Wrong(self._now()))
            if len(wrong.digests) < _WRONG_TRIES:
                wrong.digests.append((salt, digest))

    def forget(self, user: str) -> None:
        """Ask the directory again the next time, as after a suspension or a changed group."""
        for name, (*_, answer) in list(self._right.items()):
            if user in {name, answer.user}:
                del self._right[name]

    def _digest(self, salt: bytes, user: str, password: str) -> bytes:
        content = f"{len(user)}:{user}{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self._key, salt=salt, digest_size=32).digest()

    def _make_room[V](self, table: dict[str, V]) -> None:
        if len(table) >= _MAX_PEOPLE:
            del table[next(iter(table))]
