"""The sessions that accounting tells of: begun, kept alive, ended, or no longer heard of."""

from collections.abc import Iterable
from dataclasses import replace

from schoolgate.core.people import Membership, People, RadiusSettings, sign_in_name
from schoolgate.identity.accounting import Event, Status
from schoolgate.identity.facts import Session

# More than a school has; a NAS gone mad must not fill the memory.
MAX_SESSIONS = 50_000
# Of each kind; a device has a few privacy addresses at a time.
_MAX_ADDRESSES = 32
# For how long a session that ended stays ended, whatever a late repetition says.
_ENDED_SECONDS = 3600.0

type _Key = tuple[str, str]


class Sessions:
    """The table of sessions; it belongs to the thread that receives.

    A device has one session at a NAS and an address belongs to one: what the NAS says later
    replaces what it said before, even where the message of the end was lost.
    """

    def __init__(
        self, people: People, radius: RadiusSettings, kept: Iterable[Session] = ()
    ) -> None:
        """Begin with the sessions that were kept over a restart."""
        self._people = people
        self._radius = radius
        self._sessions: dict[_Key, Session] = {(s.nas, s.id): s for s in kept}
        self._ended: dict[_Key, float] = {}

    def active(self, at: float) -> tuple[Session, ...]:
        """Give the sessions in force, and forget those of which nothing was heard for too long."""
        self._sessions = {key: s for key, s in self._sessions.items() if s.until > at}
        self._ended = {key: t for key, t in self._ended.items() if abs(at - t) < _ENDED_SECONDS}
        return tuple(self._sessions.values())

    def record(self, sender: str, event: Event, at: float) -> bool:
        """Take in what a NAS reported, and say whether it could be.

        Args:
            sender: address that the report came from.
            event: the report.
            at: when it came, seconds since 1970.
        """
        nas = f"{sender} {event.nas}".strip()
        happened = at - event.delay_seconds
        match event.status:
            case Status.ACCOUNTING_ON | Status.ACCOUNTING_OFF:
                self._drop_all(nas, happened)
            case Status.STOP if event.session:
                key = nas, event.session
                self._sessions.pop(key, None)
                self._ended[key] = at
            case Status.START | Status.INTERIM_UPDATE if event.session:
                return self._keep((nas, event.session), event, happened, at)
            case _:
                pass  # a kind that says nothing of who is where is acknowledged all the same
        return True

    def _drop_all(self, nas: str, happened: float) -> None:
        """Forget the sessions that a NAS had when it started or stopped."""
        self._sessions = {
            key: session
            for key, session in self._sessions.items()
            if session.nas != nas or session.since > happened
        }

    def _keep(self, key: _Key, event: Event, happened: float, at: float) -> bool:
        ended = self._ended.get(key)
        if ended is not None and abs(at - ended) < _ENDED_SECONDS:
            return True
        before = self._sessions.get(key)
        if before is None and len(self._sessions) >= MAX_SESSIONS:
            self.active(at)
            if len(self._sessions) >= MAX_SESSIONS:
                return False
        user = self._user(event)
        membership = self._membership(event, user)
        session = Session(
            nas=key[0],
            id=key[1],
            user=user,
            group=membership.group,
            also=membership.also,
            mac=event.mac or (before.mac if before else ""),
            addresses=_merged(event.addresses, before.addresses if before else ()),
            prefixes=event.prefixes[:_MAX_ADDRESSES] or (before.prefixes if before else ()),
            since=before.since if before else happened,
            until=at + self._radius.silence_seconds,
        )
        self._sessions[key] = session
        if before is None or (before.mac, before.addresses) != (session.mac, session.addresses):
            self._take_over(key, session)
        return True

    def _take_over(self, key: _Key, session: Session) -> None:
        """End what an earlier session of the same NAS had of this one's device and addresses."""
        taken = set(session.addresses)
        for other_key, other in list(self._sessions.items()):
            if other_key == key or other.nas != session.nas:
                continue
            if other.since > session.since:
                continue
            if session.mac and other.mac == session.mac:
                del self._sessions[other_key]
            elif taken & set(other.addresses):
                left = tuple(a for a in other.addresses if a not in taken)
                self._sessions[other_key] = replace(other, addresses=left)

    def _user(self, event: Event) -> str:
        """Give who it is, where the name is one that the RADIUS server verified."""
        if not self._radius.user_names_verified:
            return ""
        name = sign_in_name(event.user, self._people.sign_in.domains)
        # What an anonymous outer identity looks like (RFC 7542, 2.4; RFC 4282).
        return "" if name.partition("@")[0] in {"", "anonymous"} else name

    def _membership(self, event: Event, user: str) -> Membership:
        for value in event.classes:
            found = self._radius.classes.get(value)
            if found is not None:
                return found
        return self._people.people.get(user) or Membership(self._radius.default_group)


def _merged(new: tuple[str, ...], old: tuple[str, ...]) -> tuple[str, ...]:
    """Give the addresses of a session: a new IPv4 address replaces the old, IPv6 ones gather."""
    has_ipv4 = any(":" not in address for address in new)
    kept = [a for a in old if ":" in a or not has_ipv4]
    return tuple(dict.fromkeys([*new, *kept]))[:_MAX_ADDRESSES]
