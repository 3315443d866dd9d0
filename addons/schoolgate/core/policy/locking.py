"""What the locked lists answer in step 1, before everything that a school decides."""

from schoolgate.core.locked import LockedBy, LockedLists
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import LOCKED_LISTS, HostDecision, Need, TlsAction
from schoolgate.core.urls import Url

# The rules of what a locked list names, and of a host that cannot be read though it names a part of it.
LOCKED_LIST = "locked-list"
LOCKED_PART = "locked-part"
# The category that both count for; shown in figures alone.
ILLEGAL = "illegal"
_BECAUSE = "It is on a locked list: nobody can open it."


class Locking:
    """Answers by some locked lists, each built once.

    Args:
        lists: the locked lists.
        clause: id of the clause that is shown.

    Attributes:
        lists: the locked lists.
        needs: why every host is read, where a list does not say on which hosts it has parts.
    """

    def __init__(self, lists: LockedLists, clause: str) -> None:
        self.lists = lists
        self._named = {each.by: _decision(LOCKED_LIST, each.by, clause) for each in lists.lists}
        self._parts = {each.by: _decision(LOCKED_PART, each.by, clause) for each in lists.lists}
        self._hosts = {
            (by, by_alert): HostDecision(TlsAction.REFUSE, decision, _BECAUSE, by_alert=by_alert)
            for by, decision in self._named.items()
            for by_alert in (False, True)
        }
        self.needs = (Need(LOCKED_LISTS, clause),) if lists.reads_everywhere else ()

    def at(self, url: Url) -> Decision | None:
        """Give the decision on a URL that a list names, or None."""
        if not self._named:
            return None
        hit = self.lists.at(url)
        return self._named[hit.by] if hit is not None else None

    def on(self, host: str, *, by_alert: bool) -> HostDecision | None:
        """Give the answer for a host that a list names whole, or None."""
        if not self._named:
            return None
        hit = self.lists.on(host)
        return self._hosts[hit.by, by_alert] if hit is not None else None

    def part_of(self, host: str) -> Decision | None:
        """Give the decision on some part of a host, where a list is known to name one."""
        if not self._named:
            return None
        by = self.lists.with_part_of(host)
        return self._parts[by] if by is not None else None


def _decision(rule: str, by: LockedBy, clause: str) -> Decision:
    return Decision(
        Verdict.BLOCK,
        Reason.LOCKED,
        clause,
        rule,
        category=ILLEGAL,
        categories=(ILLEGAL,),
        locked_by=by,
    )
