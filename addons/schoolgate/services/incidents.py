"""Who is told of alerts, and who sees and does what with alerts and incidents (T-8-concern)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schoolgate.core.approvals import USUAL_ROLES, Actor, Role
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import sign_in_name
from schoolgate.core.policy import ConcernRoutes, Policy, PolicyEngine
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.alerts import Alert
from schoolgate.core.safeguarding.incidents import (
    About,
    Incident,
    KeptAlert,
    Note,
    Outcome,
    is_concerned,
    without_concerned,
)
from schoolgate.settings.alerts import WebhookSettings
from schoolgate.storage import Audience, IncidentStore
from schoolgate.storage.incidents import summary_of

_LONGEST_SUMMARY = 200


@dataclass(frozen=True, slots=True)
class Receivers:
    """Finds who is told.

    Attributes:
        policy: gives the policy in force.
        addresses: of each role, as the settings of mail have them.
        domains: gives the endings that are dropped from sign-in names.
        webhooks: programs that are told as well.
    """

    policy: Callable[[], Policy]
    addresses: Mapping[Role, tuple[str, ...]]
    domains: Callable[[], Sequence[str]] = tuple
    webhooks: Sequence[WebhookSettings] = ()

    def name_of(self, account: str) -> str:
        """Give the sign-in name of an account."""
        return sign_in_name(account, tuple(self.domains()))

    def about(self, who: str, *, is_staff: bool) -> About:
        """Say whom something concerns, as far as it says who is told."""
        heads = self.addresses.get(Role.HEADTEACHER, ())
        if any(is_concerned(each, who, self.name_of) for each in heads):
            return About.HEADTEACHER
        return About.STAFF if is_staff else About.PUPILS

    def audience(self, alert: KeptAlert) -> Audience:
        """Give who is told of an alert: never whoever it concerns, and then the next above them."""
        ladder = (*roles_for(self.policy(), alert.about), Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS)
        routed = len(ladder) - 2
        told: tuple[str, ...] = ()
        for at, role in enumerate(ladder):
            if told and at >= routed:
                break
            told += without_concerned(self.addresses.get(role, ()), alert.who, self.name_of)
        programs = tuple(
            one.name
            for one in self.webhooks
            if alert.severity in one.severities and alert.about in one.concerning
        )
        if not told:
            return Audience(roles=ladder[:routed], webhooks=programs)
        return Audience(tuple(dict.fromkeys(told)), webhooks=programs)

    def kept(self, alert: Alert) -> KeptAlert:
        """Give an alert as it is kept."""
        concern = alert.concern
        content = {
            "url": alert.url,
            "search": alert.search,
            "verdict": alert.verdict,
            "clause": alert.clause,
            "category": concern.category,
            "device": alert.device,
            "address": alert.address,
            "phrase_ids": list(concern.phrase_ids),
        }
        return KeptAlert(
            0, alert.at, alert.at, 1, alert.who, alert.group,
            self.about(alert.who, is_staff=alert.is_staff), alert.theme.value, alert.severity,
            alert.source.value, alert.host, content,
        )  # fmt: skip


def roles_for(policy: Policy, about: About) -> tuple[Role, ...]:
    """Give who is told: as the policy has it, else the school's receivers of incidents, and those above."""
    routes = policy.concerns
    if routes is None:
        receives = (policy.roles or USUAL_ROLES).incidents or ConcernRoutes().pupils
        routes = replace(ConcernRoutes(), pupils=receives)
    return {
        About.PUPILS: routes.pupils,
        About.STAFF: routes.staff,
        About.HEADTEACHER: routes.headteacher,
    }[about]


class Incidents:
    """What people do with alerts and incidents.

    Args:
        store: where they are kept.
        engine: gives the rules in force.
        name_of: gives the sign-in name of an account.
        is_headteacher: says of an account's sign-in name whether it is the headteacher's.

    Methods raise `RefusedError` for what an actor may not see or do, in the same words as for what does not
    exist, and `UnavailableError` when the database fails.
    """

    def __init__(
        self,
        store: IncidentStore,
        engine: Callable[[], PolicyEngine],
        name_of: Callable[[str], str],
        is_headteacher: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._store = store
        self._engine = engine
        self._name_of = name_of
        self._is_headteacher = is_headteacher

    def alerts(self, actor: Actor) -> list[KeptAlert]:
        """Give the alerts that somebody sees, the newest first."""
        return [each for each in self._store.alerts() if self._sees(actor, each.who, each.about)]

    def alert(self, number: int, actor: Actor) -> KeptAlert:
        """Give one."""
        found = self._store.alert(number)
        if not self._sees(actor, found.who, found.about):
            raise RefusedError(f"there is no alert {number}")
        return found

    def incidents(self, actor: Actor, *, closed: bool = False) -> list[Incident]:
        """Give the incidents that somebody sees."""
        found = self._store.incidents(closed=closed)
        return [each for each in found if self._sees(actor, each.who, each.about)]

    def incident(self, number: int, actor: Actor) -> tuple[Incident, list[Note], list[KeptAlert]]:
        """Give one with its notes and alerts."""
        found = self._store.incident(number)
        if not self._sees(actor, found[0].who, found[0].about):
            raise RefusedError(f"there is no incident {number}")
        return found

    def open_from_alert(self, number: int, actor: Actor, now: datetime) -> Incident:
        """Make an incident of an alert."""
        alert = self.alert(number, actor)
        new = Incident(
            0, now, actor.id, f"alert:{number}", alert.who, alert.group, alert.about, alert.theme,
            alert.severity, summary_of(alert), assigned_to=actor.id,
        )  # fmt: skip
        return self._store.open(new, number)

    def open_by_hand(self, incident: Incident, actor: Actor, now: datetime) -> Incident:
        """Open one of an accident, a report or what somebody saw.

        Args:
            incident: with origin, who, theme, severity and summary.
            actor: who opens it.
            now: when.
        """
        summary = " ".join(incident.summary.split())[:_LONGEST_SUMMARY]
        if not summary:
            raise RefusedError("say in a few words what it is")
        about = self._about(incident.who, incident.about)
        if not self._sees(actor, incident.who, about):
            raise RefusedError("this is for somebody else to open")
        return self._store.open(
            replace(
                incident, opened_at=now, opened_by=actor.id, about=about, summary=summary,
                assigned_to=actor.id,
            )
        )  # fmt: skip

    def note(self, number: int, words: str, actor: Actor, now: datetime) -> None:
        """Write down what was done or said."""
        self.incident(number, actor)
        self._store.note(number, words, actor.id, now)

    def take(self, number: int, actor: Actor, now: datetime) -> None:
        """Look after it from now on."""
        self.incident(number, actor)
        self._store.assign(number, actor.id, actor.id, now)

    def assign(self, number: int, account: str, actor: Actor, now: datetime) -> None:
        """Give it to a colleague, who must not be whom it concerns."""
        incident, _, _ = self.incident(number, actor)
        if not account.strip() or is_concerned(account, incident.who, self._name_of):
            raise RefusedError("name a colleague whom it does not concern")
        self._store.assign(number, account.strip().lower(), actor.id, now)

    def close(self, number: int, outcome: Outcome, words: str, actor: Actor, now: datetime) -> None:
        """End it."""
        self.incident(number, actor)
        self._store.close(number, outcome, words, actor.id, now)

    def export(
        self, number: int, how: str, actor: Actor, now: datetime
    ) -> tuple[Incident, list[Note], list[KeptAlert]]:
        """Give one to be taken elsewhere, which the audit trail then says."""
        found = self.incident(number, actor)
        self._store.exported(number, how, actor.id, now)
        return found

    def open_counts(self) -> dict[Severity, int]:
        """Give how many are open, by severity."""
        return self._store.open_counts()

    def _about(self, who: str, about: About) -> About:
        kind, _, name = who.partition(":")
        return About.HEADTEACHER if kind == "user" and self._is_headteacher(name) else about

    def _sees(self, actor: Actor, who: str, about: About) -> bool:
        """Ask whether somebody has the role for it, and is not whom it concerns."""
        if is_concerned(actor.id, who, self._name_of):
            return False
        policy = self._engine().policy
        about = self._about(who, about)
        # The chair sees what concerns staff too: the headteacher may be unable to.
        above = (Role.CHAIR_OF_GOVERNORS,) if about is not About.PUPILS else ()
        return actor.first_of((*roles_for(policy, about), *above)) is not None
