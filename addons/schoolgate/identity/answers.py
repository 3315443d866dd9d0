"""What a check of who somebody is can say; only one of the three opens anything."""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from schoolgate.core.identity import Claim, Rank
from schoolgate.core.people import People


class Outcome(StrEnum):
    """How a check ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # asked, and it is not so
    UNAVAILABLE = "unavailable"  # could not be asked: nobody is let in for that


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check said.

    Attributes:
        outcome: only `ACCEPTED` says that it is this person.
        user: sign-in name in its one form; "" unless accepted.
        group: id of the primary policy group; "" is the strictest.
        also: further groups.
        reason: a sentence for the journal and the technician, never for the person signing in.
        token: what the client must be sent to finish (Kerberos), or nothing.
    """

    outcome: Outcome
    user: str = ""
    group: str = ""
    also: frozenset[str] = frozenset()
    reason: str = ""
    token: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether it is this person."""
        return self.outcome is Outcome.ACCEPTED

    def claim(self, source: str, until: float = inf) -> Claim | None:
        """Give what this proves for a connection until some time, or None where it proves nothing."""
        if not self.accepted or not self.user:
            return None
        return Claim(
            Rank.PROXY_AUTHENTICATION,
            source,
            user=self.user,
            group=self.group,
            also=self.also,
            until=until,
        )


def placed(answer: Answer, people: People) -> Answer:
    """Add what the school wrote down of a person: its group wins over a directory's."""
    written = people.people.get(answer.user) if answer.accepted else None
    if written is None:
        return answer
    return replace(answer, group=written.group or answer.group, also=answer.also | written.also)


def refused(reason: str) -> Answer:
    """Give the answer that it is not so."""
    return Answer(Outcome.REFUSED, reason=reason)


def unavailable(reason: str) -> Answer:
    """Give the answer that nobody could be asked."""
    return Answer(Outcome.UNAVAILABLE, reason=reason)
