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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import Grant, Overlay, Role, Suspension, first
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.index import index_of
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import (
    GRANTS,
    PATHS,
    HostDecision,
    InspectionMode,
    Need,
    Never,
    settle,
)
from schoolgate.core.policy.model import Policy
from schoolgate.core.policy.request import WebRequest
from schoolgate.core.policy.rows import (
    LOCAL_ALLOW,
    LOCAL_BLOCK,
    Row,
    compile_row,
    host_condition,
)

_LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an explanation: what was asked, what the answer was, whether it decided."""

    number: int
    question: str
    answer: str
    decided: bool = False


class _Outlook:
    """What is known of a host by its name, for one group and what lists say of it and its parts.

    Attributes:
        row: of the host.
        parts: rows that parts of it may have, those alone whose verdicts differ.
        never: what has it never decrypted.
        needs: of the policy, that reach it.
        settled: the answer where nobody opened or withdrew anything by hand.
    """

    __slots__ = ("needs", "never", "parts", "row", "settled")

    def __init__(
        self,
        row: Row,
        parts: tuple[Row, ...],
        never: Never | None,
        needs: tuple[Need, ...],
        mode: InspectionMode,
    ) -> None:
        self.row = row
        self.parts = parts
        self.never = never
        self.needs = needs
        changed = any(part.settled.verdict is not row.settled.verdict for part in parts)
        self.settled = settle(row.settled, (PATHS,) if changed else (), never, needs, mode)


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
        # Hosts named by the policy are looked up like categories: a pseudo-category for each place.
        inspection = policy.inspection
        places = [
            *((host_condition(rule), rule.hosts) for rule in policy.all_rules),
            *((never.condition, never.hosts) for never in inspection.never),
            *((need.condition, need.except_hosts) for need in inspection.needs),
        ]
        named = (
            replace(entry, category=condition, feed="policy")
            for condition, entries in places
            for entry in entries
        )
        opening = {LOCAL_ALLOW} | {
            host_condition(rule) for rule in policy.all_rules if rule.verdict.passes
        }
        # Looked up with the same secret as the catalogue.
        seed = catalogue.sites.header.seed
        self._school_sites = index_of([*local, *named], opening, seed)
        self._rows: dict[tuple[str, int, int], Row] = {}
        self._outlooks: dict[tuple[str, int, int, int, int], _Outlook] = {}
        self._set_overlay(overlay or Overlay())

    def with_overlay(self, overlay: Overlay) -> "PolicyEngine":
        """Give the same engine with other grants and suspensions; nothing is compiled anew."""
        engine = object.__new__(PolicyEngine)
        engine.policy = self.policy
        engine.catalogue = self.catalogue
        engine._school_sites = self._school_sites
        engine._rows = self._rows
        engine._outlooks = self._outlooks
        engine._set_overlay(overlay)
        return engine

    def decide(self, request: WebRequest, now: datetime) -> Decision:
        """Answer a request; ``now`` is aware."""
        url, client = request.url, request.client
        row = self._row(
            client.group,
            self.catalogue.sites.get(url.host, url.path),
            self._school_sites.get(url.host, url.path),
        )
        stopped = self._suspension(client, now) if self._suspensions else None
        granted = None
        if self.overlay.grants:
            grants = self.overlay.grants_for(client, url.host, url.path, now)
            granted = self._granted_by(grants, row)
        if stopped is None and granted is None:
            return row.settled
        return row.under(stopped, granted)

    def decide_host(self, host: str, client: Client, now: datetime) -> HostDecision:
        """Say what happens to a TLS connection to a host, in the order of `inspection`.

        Args:
            host: normalised; the port is not judged.
            client: who asks.
            now: when, aware.
        """
        outlook = self._outlook(host, client.group)
        stopped = self.overlay.suspension_for(client, now) if self._suspensions else None
        grants = self.overlay.grants_on(client, host, now) if self.overlay.grants else ()
        if stopped is None and not grants:
            return outlook.settled
        key = (outlook, stopped.id if stopped else None, tuple(grant.id for grant in grants))
        known = self._by_hand.get(key)
        if known is None:
            by = self._suspensions[stopped.id] if stopped else None
            known = self._by_hand[key] = self._host_by_hand(outlook, by, grants)
        return known

    def evidence(
        self,
        request: WebRequest,
        decision: Decision,
        listed: Sequence[ListEntry] | None = None,
    ) -> ListEntry | None:
        """Give the list entry that a decision rests on, where it rests on one.

        Args:
            request: as it was decided.
            decision: its answer.
            listed: the catalogue's entries for it, where they are known already.
        """
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
                if listed is None:
                    listed = self.catalogue.sites.entries(host, path)
                return first(e for e in listed if e.category == decision.category)

    def listed(self, host: str, path: str = "/") -> list[ListEntry]:
        """Give every entry that covers a page: of the school's own lists and rules, then of others."""
        school = self._school_sites.entries(host, path)
        return [*school, *self.catalogue.sites.entries(host, path)]

    def explain(self, request: WebRequest, now: datetime) -> list[Step]:
        """Give the decision as numbered steps in plain English, up to the one that decided."""
        url, client = request.url, request.client
        row = self._row(
            client.group,
            self.catalogue.sites.get(url.host, url.path),
            self._school_sites.get(url.host, url.path),
        )
        suspended = self._suspension(client, now)
        grants = self.overlay.grants_for(client, url.host, url.path, now)
        granted = self._granted_by(grants, row)
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

    def _suspension(self, client: Client, now: datetime) -> Decision | None:
        suspension = self.overlay.suspension_for(client, now)
        return self._suspensions[suspension.id] if suspension else None

    def _granted_by(self, grants: Sequence[Grant], row: Row) -> Decision | None:
        """Give the decision of the first of some grants in force that may open a page."""
        usable = first(
            g for g in grants if row.circumvention is None or g.decided_by is Role.HEADTEACHER
        )
        if usable is None:
            return None
        category, categories = row.policy.category, row.policy.categories
        key = (usable.id, category, categories)
        decision = self._granted.get(key)
        if decision is None:
            decision = self._granted[key] = Decision(
                Verdict.ALLOW,
                Reason.GRANT,
                self.policy.grant_clause,
                "grant",
                category=category,
                categories=categories,
                grant=usable.id,
                note=usable.reason,
            )
        return decision

    def _host_by_hand(
        self, outlook: _Outlook, stopped: Decision | None, grants: Sequence[Grant]
    ) -> HostDecision:
        """Answer for a host on which something was decided by hand for this client."""
        whole = [grant for grant in grants if grant.entry.path == "/"]

        def answer(row: Row, opened: Sequence[Grant]) -> Decision:
            return row.under(stopped, self._granted_by(opened, row))

        decision = answer(outlook.row, whole)
        pages = [answer(row, whole) for row in outlook.parts]
        opened = [answer(row, grants) for row in (outlook.row, *outlook.parts)]
        changing = [
            need
            for need, answers in ((PATHS, pages), (GRANTS, opened))
            if any(other.verdict is not decision.verdict for other in answers)
        ]
        if len(whole) == len(grants) and GRANTS in changing:
            changing.remove(GRANTS)
        inspection = self.policy.inspection
        return settle(decision, tuple(changing), outlook.never, outlook.needs, inspection.mode)

    # -- compiling ---------------------------------------------------------------------------

    def _set_overlay(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self._granted: dict[tuple[int, str | None, tuple[str, ...]], Decision] = {}
        self._by_hand: dict[tuple[_Outlook, int | None, tuple[int, ...]], HostDecision] = {}
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

    def _row(self, group: str, set_id: int, school_set_id: int) -> Row:
        key = (group, set_id, school_set_id)
        row = self._rows.get(key)
        if row is None:
            categories = self.catalogue.sites.categories(set_id)
            named = self._school_sites.categories(school_set_id)
            row = self._rows[key] = compile_row(self.policy, group, categories, named)
        return row

    def _outlook(self, host: str, group: str) -> _Outlook:
        sites, school = self.catalogue.sites, self._school_sites
        key = (
            group,
            sites.get(host),
            sites.get_with_paths(host),
            school.get(host),
            school.get_with_paths(host),
        )
        outlook = self._outlooks.get(key)
        if outlook is None:
            outlook = self._outlooks[key] = self._compile_outlook(*key)
        return outlook

    def _compile_outlook(
        self, group: str, set_id: int, with_parts: int, school_set_id: int, school_with_parts: int
    ) -> _Outlook:
        categories = self.catalogue.sites.categories(set_id)
        named = self._school_sites.categories(school_set_id)
        row = self._row(group, set_id, school_set_id)
        added = set(self.catalogue.sites.categories(with_parts)) - set(categories)
        also_named = set(self._school_sites.categories(school_with_parts)) - set(named)
        # A rule asks for one category or host, so that what several entries bring about on a page,
        # one of them brings about alone: it is enough to try each.
        tried = [
            *(((*categories, category), named) for category in sorted(added)),
            *((categories, (*named, name)) for name in sorted(also_named)),
        ]
        parts = {
            part.verdicts: part
            for in_categories, under_names in tried
            if (part := compile_row(self.policy, group, in_categories, under_names)).verdicts
            != row.verdicts
        }
        inspection = self.policy.inspection
        never = first(never for never in inspection.never if never.covers(categories, named))
        needs = tuple(
            need for need in inspection.needs if need.reaches(group, categories, added, named)
        )
        return _Outlook(row, tuple(parts.values()), never, needs, inspection.mode)

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
