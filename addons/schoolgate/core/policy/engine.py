"""The engine that answers every request by the policy, in one fixed order of precedence.

1. locked block: what a locked list names, then what the policy locks; nobody can lift it
2. always reachable: help lines, connectivity probes
3. suspension: access withdrawn from this client; an unsigned declaration (hold, or warn of what is open)
4. what a policy that this one extends has locked against the school
5. grant in force for this client; one that lifts circumvention only if somebody whom the policy names
   for it decided it (the headteacher)
6. circumvention of the filter
7. the school's own block list and what was blocked at once, then its own allow list: it is the final
   arbiter of any list
8. rules of the policy, the first that matches wins: those that the policies it extends have locked
   against other rules, its own, then those that it takes over
9. the policy's default
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schoolgate.core.approvals import (
    OPENING,
    Grant,
    Role,
    SiteBlock,
    first,
)
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.policy.budgets import Budget, metering
from schoolgate.core.policy.carriers import inner_urls
from schoolgate.core.policy.compiled import CompiledPolicy, shapes_at
from schoolgate.core.policy.contents import NO_CONTENT_RULES, OPENED, ContentRules, rules_for
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.inspection import (
    GRANTS,
    METHODS,
    PATHS,
    HostDecision,
    settle,
)
from schoolgate.core.policy.model import Circumstances
from schoolgate.core.policy.obligations import Obligation
from schoolgate.core.policy.outlooks import Outlook
from schoolgate.core.policy.request import WebRequest
from schoolgate.core.policy.rows import (
    LOCAL_ALLOW,
    LOCAL_BLOCK,
    Row,
)
from schoolgate.core.policy.shapes import Shape
from schoolgate.core.urls import Url

# Evidence that is not looked up again.
_MOST_LISTED_KEPT = 2_000
_LONGEST_KEPT_PATH = 256

# The rule of a site that was blocked at once, in journal and pages.
SITE_BLOCK = "site-block"
# The chair of governors decides what the headteacher asks for.
_DECIDING = frozenset({*OPENING, Role.CHAIR_OF_GOVERNORS})


@dataclass(frozen=True, slots=True)
class Question:
    """One step of the order of precedence, and what it answers for a request."""

    number: int
    text: str
    answer: Decision | None


class PolicyEngine(CompiledPolicy):
    """Answers requests; immutable, and replaced whole when policy, lists, grants or suspensions change."""

    def decide(self, request: WebRequest, now: datetime) -> Decision:
        """Answer a request; ``now`` is aware."""
        url, client = request.url, request.client
        locked = self._locking.at(url)
        if locked is not None:
            return locked
        row = self._row_of(request, now)
        overlay = self.overlay
        unsigned = self._unsigned.decision(overlay, client, self._groups_of, now)
        if unsigned is None and overlay.is_empty:
            return row.settled
        groups = self._groups_of(client)
        stopped, reminder = self._stopped(client, groups, unsigned, now)
        closed = overlay.block_on(url.host)
        grants = overlay.grants_for(
            client, groups, url.host, url.path, now, query=url.query, period=self._period(now)
        )
        granted = self._granted_by(grants, row, closed)
        answer = row.settled
        if stopped is not None or granted is not None or closed is not None:
            answer = row.under(stopped, granted, self._closed_by(closed, row))
        if reminder is None:
            return answer
        never = self._outlook(url.host, self._profiles_of(client, now)).never
        return reminder if self._unsigned.in_front_of(answer, never) else answer

    def decide_host(
        self, host: str, client: Client, now: datetime, shapes: tuple[Shape, ...] = ()
    ) -> HostDecision:
        """Say what happens to a TLS connection to a host, in the order of `inspection`.

        Args:
            host: normalised; the port is not judged.
            client: who asks.
            now: when, aware.
            shapes: what the connection looks like; of its host they are seen here.
        """
        outlook = self._outlook(host, self._profiles_of(client, now), shapes)
        locked = self._locking.on(host, by_alert=outlook.names_only is not None)
        if locked is not None:
            return locked
        overlay = self.overlay
        unsigned = self._unsigned.decision(overlay, client, self._groups_of, now)
        if unsigned is None and overlay.is_empty:
            return outlook.settled
        groups = self._groups_of(client)
        stopped, reminder = self._stopped(client, groups, unsigned, now)
        grants = overlay.grants_on(client, groups, host, now, self._period(now))
        closed = overlay.block_on(host)
        answer = outlook.settled
        if stopped is not None or grants or closed is not None:
            # By identity: each is built once for this overlay.
            key = (outlook, id(stopped), tuple(grant.id for grant in grants), id(closed))
            known = self._by_hand.get(key)
            if known is None:
                known = self._by_hand[key] = self._host_by_hand(outlook, stopped, grants, closed)
            answer = known
        if outlook.names_only:
            # No page can be shown, so that the reminder waits for a device that trusts the gateway.
            return answer
        if reminder and self._unsigned.in_front_of(answer.decision, outlook.never):
            return self._unsigned.connection
        return answer

    def inside(self, request: WebRequest) -> tuple[WebRequest, ...]:
        """Give what a service is asked to fetch, as requests of the same client.

        Raises:
            BadAddressError: when an address inside does not parse.
        """
        if not self._carriers.at(request.url.host):
            return ()
        found = inner_urls(request.url, self._carriers.at)
        if found is None:
            return (replace(request, shapes=(*request.shapes, Shape.NESTED)),)
        return tuple(WebRequest(url, request.client, request.method) for url in found)

    def unmet(self, request: WebRequest, now: datetime) -> tuple[Obligation, ...]:
        """Give the modes of services that are lost to a client because it is not read there.

        Its kind of device cannot be, nothing of it is, or the site never is.
        """
        client, host = request.client, request.url.host
        named = self._school_sites.categories(self._school_sites.get(host, request.url.path))
        of_group = Circumstances(self._groups_of(client))
        here = [o for o in self.policy.obligations_of(of_group) if o.condition in named]
        outlook = self._outlook(host, self._profiles_of(client, now))
        is_read = outlook.names_only is None and outlook.never is None
        return tuple(
            each
            for each in here
            if not each.writing.dns and (client.device_kind in each.except_devices or not is_read)
        )

    def metering(self, request: WebRequest, decision: Decision) -> Budget | None:
        """Give the budget that audio and video of a page burden, by the decision on it; None for none."""
        budgets = self.policy.budgets
        if not budgets and decision.verdict is not Verdict.LIMIT:
            return None
        named = self._school_sites.categories(
            self._school_sites.get(request.url.host, request.url.path)
        )
        return metering(budgets, self._groups_of(request.client), decision, named)

    def contents_of(self, request: WebRequest, decision: Decision, now: datetime) -> ContentRules:
        """Give what is looked for in the answer to a request that is let through.

        Args:
            request: which.
            decision: on it.
            now: when, aware.
        """
        if not self.policy.contents or decision.reason in OPENED:
            return NO_CONTENT_RULES
        url, sites = request.url, self.catalogue.sites
        profile = self._profile(request, now)
        key = profile, sites.get(url.host, url.path), self._school_sites.get(url.host, url.path)
        found = self._contents.get(key)
        if found is None:
            categories, named = sites.categories(key[1]), self._school_sites.categories(key[2])
            found = rules_for(self.policy.contents, profile.needs, categories, named)
            self._contents[key] = found
        return found

    def on_text(
        self, request: WebRequest, decision: Decision, category: str, now: datetime
    ) -> Decision | None:
        """Answer a text that is of a category by its own words; None where nothing comes of it.

        What the rules say of a site that is listed there is asked as if this one were; a category that
        the lists give it already was decided on by its name.

        Args:
            request: that it answers.
            decision: on that.
            category: of the text.
            now: when, aware.
        """
        url, sites = request.url, self.catalogue.sites
        categories = sites.categories(sites.get(url.host, url.path))
        if category in categories:
            return None
        sets = (
            self._school_sites.get(url.host, url.path),
            self._local_sites.get(url.host, url.path),
        )
        named = self._named(sets, shapes_at(url.host, request.shapes))
        row = self._profile(request, now).row(tuple(sorted((*categories, category))), named)
        answer = self.contents_of(request, decision, now).on_text(category, row.settled)
        if answer is None or answer.verdict.severity <= decision.verdict.severity:
            return None
        return replace(answer, obligations=decision.obligations)

    def search_of(self, request: WebRequest) -> str:
        """Give what somebody searched for, where a clause has it kept of them; "" else."""
        if not self._searched:
            return ""
        groups = self._groups_of(request.client)
        if not any(kept.concerns(groups) for kept in self.policy.searches):
            return ""
        return self.searched(request)

    def searched(self, request: WebRequest) -> str:
        """Give what somebody searched for, for nobody to keep; "" where it is no search."""
        url = request.url
        named = self._school_sites.categories(self._school_sites.get(url.host, url.path))
        found = (
            each.searching.terms(url)
            for each in self._searched
            if each.searching is not None and each.search_condition in named
        )
        return first(terms for terms in found if terms) or ""

    def is_carrier(self, host: str) -> bool:
        """Ask whether a site shows pages of others under its own name."""
        return bool(self._carriers.at(host))

    def locked_at(self, url: Url) -> Decision | None:
        """Give the decision on what a locked list names, or None."""
        return self._locking.at(url)

    def opens_in_lessons(self, request: WebRequest, now: datetime) -> bool:
        """Ask whether a teacher may open a page for a lesson: nothing but `Policy.lessons` closes it."""
        if self.locked_at(request.url) is not None:
            return False
        row = self._row_of(request, now)
        open_to_teachers = row.in_lessons and row.locked is None and row.by_parent is None
        return open_to_teachers and self.overlay.block_on(request.url.host) is None

    def evidence(self, request: WebRequest, decision: Decision) -> ListEntry | None:
        """Give the list entry that a decision rests on, where it rests on one."""
        host, path = request.url.host, request.url.path
        if decision.locked_by is not None:
            # Named nowhere.
            return None
        match decision.reason:
            case Reason.GRANT:
                grant = first(g for g in self.overlay.grants if g.id == decision.grant)
                return grant.entry if grant else None
            case Reason.LOCAL_BLOCK | Reason.LOCAL_ALLOW:
                wanted = LOCAL_BLOCK if decision.reason is Reason.LOCAL_BLOCK else LOCAL_ALLOW
                listed = self._local_sites.entries(host, path)
                closed = self.overlay.block_on(host) if decision.rule == SITE_BLOCK else None
                return closed.entry if closed else first(e for e in listed if e.category == wanted)
            case Reason.SUSPENDED | Reason.DECLARATION | Reason.CONTENT:
                return None
            case _ if decision.category is None:
                condition = f"rule:{decision.rule}"
                return first(
                    e for e in self._school_sites.entries(host, path) if e.category == condition
                )
            case _:
                return self._listed_as(host, path, decision.category)

    def listed(self, host: str, path: str = "/") -> list[ListEntry]:
        """Give every entry that covers a page: of the school's own lists and rules, then of others."""
        school = self._school_sites.entries(host, path)
        local = self._local_sites.entries(host, path)
        own = sorted([*local, *school], key=lambda e: (len(e.host), len(e.path)), reverse=True)
        return [*own, *self.catalogue.sites.entries(host, path)]

    def questions(self, request: WebRequest, now: datetime) -> list[Question]:
        """Give the order of precedence for one request: each step, and what it answers, if anything."""
        client, url = request.client, request.url
        row = self._row_of(request, now)
        locked = self.locked_at(url) or row.locked
        groups = self._groups_of(client)
        unsigned = self._unsigned.decision(self.overlay, client, self._groups_of, now)
        stopped, reminder = self._stopped(client, groups, unsigned, now)
        if reminder is self.decide(request, now):
            stopped = reminder
        closed = self.overlay.block_on(url.host)
        grants = self.overlay.grants_for(
            client, groups, url.host, url.path, now, query=url.query, period=self._period(now)
        )
        local = self._closed_by(closed, row) or row.local
        by_default = row.policy.reason is Reason.DEFAULT
        above = ", ".join(self.policy.extends)
        return [
            Question(1, "Is it locked, so that nobody can open it?", locked),
            Question(2, "Is it always reachable (help lines, connectivity probes)?", row.always),
            Question(
                3,
                "Has access been withdrawn from this person, device or group, or is a declaration "
                "to be signed?",
                stopped,
            ),
            *(
                [Question(4, f"Is it locked by {above}, above the school?", row.by_parent)]
                if above
                else ()
            ),
            Question(
                5,
                "Has somebody in charge opened it for this client?",
                self._granted_by(grants, row, closed),
            ),
            Question(
                6, "Does it get round the filter (VPN, proxy, anonymiser)?", row.circumvention
            ),
            Question(7, "Is it on the school's own block or allow list?", local),
            Question(8, "Does a rule of the policy match?", None if by_default else row.policy),
            Question(9, "What does the policy say otherwise?", row.policy if by_default else None),
        ]

    def _stopped(
        self, client: Client, groups: frozenset[str], unsigned: Decision | None, now: datetime
    ) -> tuple[Decision | None, Decision | None]:
        """Give what stops a client, and else the warning that is in front of what is open."""
        suspension = self.overlay.suspension_for(client, groups, now)
        if suspension is not None:
            return self._suspensions[suspension.id], None
        if unsigned is None or unsigned.verdict is Verdict.WARN:
            return None, unsigned
        return unsigned, None

    def _granted_by(
        self, grants: Sequence[Grant], row: Row, closed: SiteBlock | None
    ) -> Decision | None:
        """Give the decision of the first of some grants in force that may open a page."""
        usable = first(grant for grant in grants if self._may_open(grant, row, closed))
        if usable is None:
            return None
        lessons = self.policy.lessons
        in_lesson = usable.decided_by is Role.TEACHER and lessons is not None
        category, categories = row.policy.category, row.policy.categories
        key = (usable.id, category, categories, row.obligations)
        decision = self._granted.get(key)
        if decision is None:
            decision = self._granted[key] = Decision(
                Verdict.ALLOW,
                Reason.GRANT,
                lessons.clause if in_lesson and lessons else self.policy.grant_clause,
                "grant",
                category=category,
                categories=categories,
                grant=usable.id,
                note=usable.reason,
                obligations=row.obligations,
            )
        return decision

    def _closed_by(self, block: SiteBlock | None, row: Row) -> Decision | None:
        """Give the decision of a site that was blocked at once."""
        if block is None:
            return None
        category, categories = row.policy.category, row.policy.categories
        key = (block.id, category, categories, row.obligations)
        decision = self._closed.get(key)
        if decision is None:
            decision = self._closed[key] = Decision(
                Verdict.BLOCK,
                Reason.LOCAL_BLOCK,
                self.policy.local_clause,
                SITE_BLOCK,
                category=category,
                categories=categories,
            )
        return decision

    def _may_open(self, grant: Grant, row: Row, closed: SiteBlock | None) -> bool:
        if grant.decided_by is Role.TEACHER:
            return row.in_lessons and closed is None
        if grant.decided_by not in _DECIDING:
            return False
        return row.circumvention is None or grant.decided_by in self.policy.bypass

    def _listed_as(self, host: str, path: str, category: str) -> ListEntry | None:
        """Give the most specific entry of a category; a class is refused the same page together."""
        key = (host, path, category)
        known = self._listed.get(key)
        if known is None:
            listed = self.catalogue.sites.entries(host, path)
            known = first(entry for entry in listed if entry.category == category)
            if known is not None and len(path) <= _LONGEST_KEPT_PATH:
                if len(self._listed) >= _MOST_LISTED_KEPT:
                    self._listed.clear()
                self._listed[key] = known
        return known

    def _host_by_hand(
        self,
        outlook: Outlook,
        stopped: Decision | None,
        grants: Sequence[Grant],
        closed: SiteBlock | None,
    ) -> HostDecision:
        """Answer for a host on which something was decided by hand for this client."""
        whole = [grant for grant in grants if grant.is_whole]

        def answer(row: Row, opened: Sequence[Grant]) -> Decision:
            granted = self._granted_by(opened, row, closed)
            return row.under(stopped, granted, self._closed_by(closed, row))

        decision = answer(outlook.row, whole)
        pages = [answer(row, whole) for row in outlook.parts]
        methods = [answer(row, whole) for row in outlook.by_method]
        opened = [answer(row, grants) for row in (outlook.row, *outlook.parts)]
        changing = [
            need
            for need, answers in ((PATHS, pages), (METHODS, methods), (GRANTS, opened))
            if any(other.verdict is not decision.verdict for other in answers)
        ]
        if len(whole) == len(grants) and GRANTS in changing:
            changing.remove(GRANTS)
        inspection = self.policy.inspection
        return settle(
            decision,
            tuple(changing),
            outlook.never,
            outlook.needs,
            inspection.mode,
            has_locked_parts=outlook.has_locked(decision),
            names_only=outlook.names_only,
            locked_part=outlook.locked_part,
        )
