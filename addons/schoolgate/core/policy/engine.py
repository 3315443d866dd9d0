"""The engine that answers every request by the policy, in one fixed order of precedence.

1. locked block: nobody can lift it
2. always reachable: help lines, connectivity probes
3. suspension: access withdrawn from this client
4. (kept for the locked rules of a parent policy)
5. grant in force for this client; one that lifts circumvention only if the headteacher decided it
6. circumvention of the filter
7. the school's own block list, then its own allow list: it is the final arbiter of any list
8. rules of the policy, the first that matches wins
9. the policy's default
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import Overlay, Role, Suspension, first
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import ListEntry
from schoolgate.core.index import index_of
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.model import Policy, Rule
from schoolgate.core.policy.request import WebRequest

_LONDON = ZoneInfo("Europe/London")

LOCAL_BLOCK = "local-block"
LOCAL_ALLOW = "local-allow"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: what was asked, what the answer was, whether it decided."""

    number: int
    question: str
    answer: str
    decided: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """The answers of the static steps for one group and one pair of set ids, compiled once."""

    locked: Decision | None
    always: Decision | None
    circumvention: Decision | None
    local: Decision | None
    policy: Decision


class PolicyEngine:
    """One policy over one catalogue, with what was decided by hand on top; replaced whole.

    Args:
        policy: the school's rules.
        catalogue: the categories and their sites.
        local: the school's own lists; entries with category `LOCAL_BLOCK` or `LOCAL_ALLOW`.
        overlay: grants and suspensions.
    """

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        local: Iterable[ListEntry] = (),
        overlay: Overlay | None = None,
    ) -> None:
        self.policy = policy
        self.catalogue = catalogue
        # Hosts named by a rule are looked up like categories: a pseudo-category for each rule.
        named = (
            replace(entry, category=_host_condition(rule), feed="policy")
            for rule in policy.all_rules
            for entry in rule.hosts
        )
        opening = {LOCAL_ALLOW} | {
            _host_condition(rule) for rule in policy.all_rules if rule.verdict.passes
        }
        # Looked up with the same secret as the catalogue.
        seed = catalogue.sites.header.seed
        self._school_sites = index_of([*local, *named], opening, seed)
        self._rows: dict[tuple[str, int, int], _Row] = {}
        self._set_overlay(overlay or Overlay())

    def with_overlay(self, overlay: Overlay) -> "PolicyEngine":
        """Give the same engine with other grants and suspensions; nothing is compiled anew."""
        engine = object.__new__(PolicyEngine)
        engine.policy = self.policy
        engine.catalogue = self.catalogue
        engine._school_sites = self._school_sites
        engine._rows = self._rows
        engine._set_overlay(overlay)
        return engine

    def decide(self, request: WebRequest, now: datetime) -> Decision:
        """Answer a request; ``now`` is aware."""
        row = self._row(request)
        if row.locked is not None:
            return row.locked
        if row.always is not None:
            return row.always
        if self._suspensions and (stopped := self._suspension(request, now)) is not None:
            return stopped
        if self.overlay.grants and (granted := self._grant(request, row, now)) is not None:
            return granted
        if row.circumvention is not None:
            return row.circumvention
        if row.local is not None:
            return row.local
        return row.policy

    def evidence(self, request: WebRequest, decision: Decision) -> ListEntry | None:
        """Give the list entry that a decision rests on, where it rests on one."""
        host, path = request.url.host, request.url.path
        match decision.reason:
            case Reason.GRANT:
                grant = first(g for g in self.overlay.grants if g.id == decision.grant)
                return grant.entry if grant else None
            case Reason.LOCAL_BLOCK | Reason.LOCAL_ALLOW:
                wanted = LOCAL_BLOCK if decision.reason is Reason.LOCAL_BLOCK else LOCAL_ALLOW
                return first(
                    e for e in self._school_sites.entries(host, path) if e.category == wanted
                )
            case Reason.SUSPENDED:
                return None
            case _ if decision.category is None:
                condition = f"rule:{decision.rule}"
                return first(
                    e for e in self._school_sites.entries(host, path) if e.category == condition
                )
            case _:
                entries = self.catalogue.sites.entries(host, path)
                return first(e for e in entries if e.category == decision.category)

    def listed(self, host: str, path: str = "/") -> list[ListEntry]:
        """Give every entry that covers a page: of the school's own lists and rules, then of others."""
        school = self._school_sites.entries(host, path)
        return [*school, *self.catalogue.sites.entries(host, path)]

    def explain(self, request: WebRequest, now: datetime) -> list[Step]:
        """Give the decision as numbered steps in plain English, up to the one that decided."""
        row = self._row(request)
        suspended = self._suspension(request, now)
        granted = self._grant(request, row, now)
        answers: list[tuple[int, str, Decision | None]] = [
            (1, "Is it locked, so that nobody can open it?", row.locked),
            (2, "Is it always reachable (help lines, connectivity probes)?", row.always),
            (3, "Has access been withdrawn from this person, device or group?", suspended),
            (5, "Has somebody in charge opened it for this client?", granted),
            (6, "Does it get round the filter (VPN, proxy, anonymiser)?", row.circumvention),
            (7, "Is it on the school's own block or allow list?", row.local),
        ]
        steps = [Step(0, "What is the page?", self._describe(request))]
        for number, question, decision in answers:
            if decision is not None:
                steps.append(Step(number, question, self._because(request, decision), decided=True))
                return steps
            steps.append(Step(number, question, "No."))
        decision = row.policy
        is_default = decision.reason is Reason.DEFAULT
        if is_default:
            steps.append(Step(8, "Does a rule of the policy match?", "No."))
        number, question = (
            (9, "What does the policy say otherwise?")
            if is_default
            else (8, "Does a rule of the policy match?")
        )
        steps.append(Step(number, question, self._because(request, decision), decided=True))
        return steps

    # -- the steps ---------------------------------------------------------------------------

    def _suspension(self, request: WebRequest, now: datetime) -> Decision | None:
        suspension = self.overlay.suspension_for(request.client, now)
        return self._suspensions[suspension.id] if suspension else None

    def _grant(self, request: WebRequest, row: _Row, now: datetime) -> Decision | None:
        grants = self.overlay.grants_for(request.client, request.url.host, request.url.path, now)
        usable = first(
            g for g in grants if row.circumvention is None or g.decided_by is Role.HEADTEACHER
        )
        if usable is None:
            return None
        categories = row.policy.categories
        key = (usable.id, categories)
        decision = self._granted.get(key)
        if decision is None:
            decision = self._granted[key] = Decision(
                Verdict.ALLOW,
                Reason.GRANT,
                self.policy.grant_clause,
                "grant",
                category=row.policy.category,
                categories=categories,
                grant=usable.id,
                note=usable.reason,
            )
        return decision

    # -- compiling ---------------------------------------------------------------------------

    def _set_overlay(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self._granted: dict[tuple[int, tuple[str, ...]], Decision] = {}
        self._suspensions = {
            s.id: Decision(
                Verdict.BLOCK,
                Reason.SUSPENDED,
                self.policy.suspension_clause,
                "suspension",
                note=_withdrawn(s),
            )
            for s in overlay.suspensions
        }

    def _row(self, request: WebRequest) -> _Row:
        url = request.url
        key = (
            request.client.group,
            self.catalogue.sites.get(url.host, url.path),
            self._school_sites.get(url.host, url.path),
        )
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._compile(*key)
        return row

    def _compile(self, group: str, set_id: int, school_set_id: int) -> _Row:
        categories = self.catalogue.sites.categories(set_id)
        named = self._school_sites.categories(school_set_id)

        def first_of(rules: Iterable[Rule], reason: Reason | None = None) -> Decision | None:
            for rule in rules:
                decision = _apply(rule, group, categories, named)
                if decision is not None:
                    return replace(decision, reason=reason) if reason else decision
            return None

        policy = self.policy
        default = Decision(
            policy.default.verdict,
            Reason.DEFAULT,
            policy.default.clause,
            policy.default.id,
            category=first(categories),
            categories=categories,
            note=policy.default.note,
        )
        return _Row(
            locked=first_of(policy.locked, Reason.LOCKED),
            always=first_of(policy.always_reachable, Reason.ALWAYS_REACHABLE),
            circumvention=first_of(policy.circumvention, Reason.CIRCUMVENTION),
            local=self._local_decision(categories, named),
            policy=first_of(policy.rules) or default,
        )

    def _local_decision(
        self, categories: tuple[str, ...], named: tuple[str, ...]
    ) -> Decision | None:
        for label, verdict, reason in (
            (LOCAL_BLOCK, Verdict.BLOCK, Reason.LOCAL_BLOCK),
            (LOCAL_ALLOW, Verdict.ALLOW, Reason.LOCAL_ALLOW),
        ):
            if label in named:
                return Decision(
                    verdict,
                    reason,
                    self.policy.local_clause,
                    label,
                    category=first(categories),
                    categories=categories,
                )
        return None

    # -- plain English -----------------------------------------------------------------------

    def _describe(self, request: WebRequest) -> str:
        url = request.url
        entries = self.catalogue.sites.entries(url.host, url.path)
        if not entries:
            return f"{url.host} is in no category."
        known = self.catalogue.categories
        named = ", ".join(
            f"{known[e.category].title} (entry {e.text}, list {e.feed})" for e in entries
        )
        return f"{url.host} is listed under: {named}."

    def _because(self, request: WebRequest, decision: Decision) -> str:
        clause = self.policy.clauses.get(decision.clause)
        under = f"under {decision.clause}" + (f", “{clause.title}”" if clause else "")
        entry = self.evidence(request, decision)
        matched = entry is not None and decision.reason is not Reason.DEFAULT
        proof = (
            f" The entry {entry.text} of the list {entry.feed} matched."
            if entry and matched
            else ""
        )
        note = f" {decision.note}" if decision.note else ""
        return f"{decision.verdict.value.capitalize()} {under} (rule {decision.rule}).{proof}{note}"


def _withdrawn(suspension: Suspension) -> str:
    until = suspension.ends.astimezone(_LONDON)
    return f"It is withdrawn until {until:%d %B %Y, %H:%M}. Reason: {suspension.reason}"


def _host_condition(rule: Rule) -> str:
    return f"rule:{rule.id}"


def _apply(
    rule: Rule, group: str, categories: tuple[str, ...], named: tuple[str, ...]
) -> Decision | None:
    """Give the decision of a rule if it matches.

    Args:
        rule: the rule.
        group: of the client.
        categories: of the page.
        named: pseudo-categories of the page: local lists and rules that name its host.
    """
    if rule.groups and group not in rule.groups:
        return None
    matched = first(category for category in rule.categories if category in categories)
    by_host = _host_condition(rule) in named
    if (rule.categories or rule.hosts) and matched is None and not by_host:
        return None
    return Decision(
        rule.verdict,
        Reason.CATEGORY if matched else Reason.HOST,
        rule.clause,
        rule.id,
        category=matched,
        categories=categories,
        note=rule.note,
    )
