"""Declarations that people sign: who has not yet, and what comes of it until they have (W-8).

Somebody is known to have signed by name, so that whoever is not known by name is neither held nor
reminded. A hold closes what a suspension closes. A warning is shown once a day, in front of whatever
is open otherwise; it opens nothing, and it is not shown

- on what is always reachable, and on what is blocked in any case
- on sites that the policy promises never to read: nobody's letters are opened for a reminder, and what
  refuses to be read (updates) would break
"""

from collections.abc import Callable
from datetime import datetime

from schoolgate.core.approvals import Overlay, Signed, acceptance
from schoolgate.core.clients import Client
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import HostDecision, Never, remind
from schoolgate.core.policy.model import Policy, UntilSigned

_VERDICTS = {UntilSigned.WARN: Verdict.WARN, UntilSigned.HOLD: Verdict.BLOCK}


class Unsigned:
    """What comes of a policy's declaration for those who have not signed it.

    Args:
        policy: whose declaration.
    """

    def __init__(self, policy: Policy) -> None:
        declaration = policy.declaration
        self._declaration = declaration
        self._decision: Decision | None = None
        if declaration is not None and declaration.until_signed is not UntilSigned.OFF:
            self._decision = Decision(
                _VERDICTS[declaration.until_signed],
                Reason.DECLARATION,
                declaration.clause,
                # No rule has such an id, and what was accepted of one version says nothing of another.
                f"declaration:{declaration.version}",
                note=f"It is the version {declaration.version}: read it, sign it, hand it in.",
            )
            self._reminder = remind(self._decision)

    def decision(
        self,
        overlay: Overlay,
        client: Client,
        groups_of: Callable[[Client], frozenset[str]],
        now: datetime,
    ) -> Decision | None:
        """Give what meets a client who has not signed and is not reminded of it for today.

        Args:
            overlay: what was signed, and which warnings were clicked through.
            client: who asks.
            groups_of: gives every group of a client, with those around them.
            now: when, aware.
        """
        declaration, decision = self._declaration, self._decision
        if not client.user or declaration is None or decision is None:
            return None
        if declaration.groups.isdisjoint(groups_of(client)):
            return None
        if Signed(client.user, declaration.version) in overlay.signed:
            return None
        is_warning = decision.verdict is Verdict.WARN
        if is_warning and acceptance(client, decision.rule, now) in overlay.acceptances:
            return None
        return decision

    def in_front_of(self, answer: Decision, never: Never | None) -> bool:
        """Ask whether a warning is shown in front of an answer.

        Args:
            answer: that holds otherwise.
            never: what of the policy has the site never read.
        """
        is_open = answer.verdict is not Verdict.BLOCK
        return is_open and answer.reason is not Reason.ALWAYS_REACHABLE and never is None

    @property
    def connection(self) -> HostDecision:
        """What a connection meets in which a warning is to be shown."""
        return self._reminder
