"""What a policy and the lists are compiled into, so that a decision is a few look-ups."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import (
    Overlay,
    Suspension,
    first,
)
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.content import PhraseModel
from schoolgate.core.index import index_of
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy.carriers import Carriers
from schoolgate.core.policy.contents import ContentRules
from schoolgate.core.policy.decision import Decision, Reason, Verdict
from schoolgate.core.policy.declarations import Unsigned
from schoolgate.core.policy.inspection import (
    INSIDE,
    HostDecision,
    Need,
    Never,
)
from schoolgate.core.policy.locking import Locking
from schoolgate.core.policy.model import NO_PERIOD, Circumstances, Policy
from schoolgate.core.policy.obligations import Obligation
from schoolgate.core.policy.outlooks import Outlook
from schoolgate.core.policy.request import WebRequest
from schoolgate.core.policy.rows import (
    LOCAL_ALLOW,
    LOCAL_PASS,
    Profile,
    Row,
    host_condition,
)
from schoolgate.core.policy.shapes import Shape, shapes_of_host

_LONDON = ZoneInfo("Europe/London")
# Groups, classes, networks, devices and periods that occur together; far above those of any school.
_MOST_CIRCUMSTANCES = 100_000

type _GrantedKey = tuple[int, str | None, tuple[str, ...], tuple[Obligation, ...]]
type _Key = tuple[str, frozenset[str], str, str, str]
type _Shapes = tuple[Shape, ...]
# Set ids of a page: in the index of what the policy names, and in that of the school's own lists.
type _SchoolSets = tuple[int, int]
type _OutlookKey = tuple[
    tuple[Profile, ...], int, int, _SchoolSets, _SchoolSets, _Shapes, Decision | None
]


class CompiledPolicy:
    """One policy over one catalogue, with what was decided by hand on top; replaced whole.

    Args:
        policy: the school's rules.
        catalogue: the categories and their sites.
        local: the school's own lists; entries with category `LOCAL_BLOCK`, `LOCAL_ALLOW` or `LOCAL_PASS`.
        overlay: grants and suspensions.
        locked: the locked lists.

    Attributes:
        local: the entries of the school's own lists in force; put others by `with_local`.
        passed: the entries that the school passes unread, as some program there trusts only its own.
        phrases: by which texts are judged; None where none are. Put them by `with_phrases`.
    """

    def __init__(
        self,
        policy: Policy,
        catalogue: Catalogue,
        local: Iterable[ListEntry] = (),
        overlay: Overlay | None = None,
        locked: LockedLists | None = None,
    ) -> None:
        self.policy = policy
        self.phrases: PhraseModel | None = None
        self.catalogue = catalogue
        services = policy.services.values() if policy.searches or policy.safeguards else ()
        self._searched = tuple(each for each in services if each.searching is not None)
        # Hosts named by the policy are looked up like categories: a pseudo-category for each place.
        inspection = policy.inspection
        places = [
            *((host_condition(rule), rule.hosts) for rule in policy.all_rules),
            *((never.condition, never.hosts) for never in inspection.never),
            *((need.condition, need.except_hosts) for need in inspection.needs),
            *((carrier.condition, carrier.hosts) for carrier in policy.carriers),
            *((budget.condition, budget.except_hosts) for budget in policy.budgets),
            # Of a service with several modes once.
            *{each.condition: each.service.hosts for each in policy.obligations}.items(),
            *{each.sign_in_condition: each.service.sign_in for each in policy.obligations}.items(),
            *((each.search_condition, each.hosts) for each in self._searched),
        ]
        named = (
            replace(entry, category=condition) for condition, entries in places for entry in entries
        )
        opening = {host_condition(rule) for rule in policy.all_rules if rule.verdict.passes}
        # Looked up with the same secret as the catalogue.
        self._school_sites = index_of(named, opening, catalogue.sites.header.seed)
        self._carriers = Carriers(policy.carriers, self._school_sites)
        self._methods = sorted({method for rule in policy.all_rules for method in rule.methods})
        self._groups: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._profiles: dict[_Key, tuple[Profile, ...]] = {}
        self._profile_by_signature: dict[tuple[tuple[str, ...], ...], Profile] = {}
        self._contents: dict[tuple[Profile, int, int], ContentRules] = {}
        self._listed: dict[tuple[str, str, str], ListEntry] = {}
        self._unsigned = Unsigned(policy)
        self._set_local(tuple(local))
        self._set_locked(locked or LockedLists())
        self._set_overlay(overlay or Overlay())

    @property
    def judges_texts(self) -> bool:
        """Whether the policy has anybody's pages judged by what they say."""
        return any(rule.says for rule in self.policy.contents)

    def with_phrases(self, phrases: PhraseModel) -> Self:
        """Give the same engine with the phrases by which texts are judged."""
        engine = object.__new__(type(self))
        engine.__dict__.update(self.__dict__)
        engine.phrases = phrases
        return engine

    def with_overlay(self, overlay: Overlay) -> Self:
        """Give the same engine with other grants and suspensions; nothing is compiled anew."""
        engine = object.__new__(type(self))
        engine.__dict__.update(self.__dict__)
        engine._set_overlay(overlay)
        return engine

    def with_local(self, local: Sequence[ListEntry]) -> Self:
        """Give the same engine with other lists of the school's own; only theirs is indexed anew."""
        if local == self.local:
            return self
        engine = object.__new__(type(self))
        engine.__dict__.update(self.__dict__)
        engine._set_local(tuple(local))
        engine._set_locked(self.locked)
        engine._set_overlay(self.overlay)
        return engine

    @property
    def locked(self) -> LockedLists:
        """The locked lists in force."""
        return self._locking.lists

    def with_locked(self, locked: LockedLists) -> Self:
        """Give the same engine with other locked lists; no index is made anew."""
        if locked is self.locked:
            return self
        engine = object.__new__(type(self))
        engine.__dict__.update(self.__dict__)
        engine._set_locked(locked)
        engine._set_overlay(self.overlay)
        return engine

    def period(self, now: datetime) -> str | None:
        """Give the period of the timetable at a time, aware; None outside all."""
        timetable = self.policy.timetable
        return timetable.period_at(now) if timetable else None

    def _set_overlay(self, overlay: Overlay) -> None:
        self.overlay = overlay
        self._granted: dict[_GrantedKey, Decision] = {}
        self._closed: dict[_GrantedKey, Decision] = {}
        self._by_hand: dict[tuple[Outlook, int, tuple[int, ...], int], HostDecision] = {}
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

    def _set_local(self, local: tuple[ListEntry, ...]) -> None:
        self.local = local
        self.passed = tuple(entry for entry in local if entry.category == LOCAL_PASS)
        seed = self.catalogue.sites.header.seed
        self._local_sites = index_of(local, {LOCAL_ALLOW, LOCAL_PASS}, seed)
        # Their numbers are of another index now.
        self._rows: dict[tuple[Profile, int, _SchoolSets, _Shapes], Row] = {}

    def _set_locked(self, locked: LockedLists) -> None:
        self._locking = Locking(locked, self.policy.locked_clause)
        # Which hosts have parts that are locked is another question now.
        self._outlooks: dict[_OutlookKey, Outlook] = {}

    def _profile(self, request: WebRequest, now: datetime) -> Profile:
        profiles = self._profiles_of(request.client, now)
        if self._methods and request.method in self._methods:
            return profiles[1 + self._methods.index(request.method)]
        return profiles[0]

    def _profiles_of(self, client: Client, now: datetime) -> tuple[Profile, ...]:
        """Give the profile for a method that no rule names, and then that for each that one names."""
        key = (
            client.group,
            client.also,
            client.network,
            client.device_kind,
            self.period(now) or NO_PERIOD,
        )
        known = self._profiles.get(key)
        if known is None:
            if len(self._profiles) >= _MOST_CIRCUMSTANCES:
                self._profiles.clear()
            *_, network, device, period = key
            groups = self._groups_of(client)
            known = self._profiles[key] = tuple(
                self._compile_profile(Circumstances(groups, network, device, period, method))
                for method in ("", *self._methods)
            )
        return known

    def _groups_of(self, client: Client) -> frozenset[str]:
        key = (client.group, client.also)
        groups = self._groups.get(key)
        if groups is None:
            if len(self._groups) >= _MOST_CIRCUMSTANCES:
                self._groups.clear()
            groups = self._groups[key] = self.policy.groups_of(client)
        return groups

    def _compile_profile(self, circumstances: Circumstances) -> Profile:
        profile = Profile(self.policy, circumstances)
        return self._profile_by_signature.setdefault(profile.signature, profile)

    def _row_of(self, request: WebRequest, now: datetime) -> Row:
        url = request.url
        return self._row(
            self._profile(request, now),
            self.catalogue.sites.get(url.host, url.path),
            (
                self._school_sites.get(url.host, url.path),
                self._local_sites.get(url.host, url.path),
            ),
            shapes_at(url.host, request.shapes),
        )

    def _row(
        self, profile: Profile, set_id: int, school_sets: _SchoolSets, shapes: _Shapes = ()
    ) -> Row:
        key = (profile, set_id, school_sets, shapes)
        row = self._rows.get(key)
        if row is None:
            categories = self.catalogue.sites.categories(set_id)
            named = self._named(school_sets, shapes)
            row = self._rows[key] = profile.row(categories, named)
        return row

    def _reading_inside(self) -> tuple[Need, ...]:
        """Give why a carrier is read, under the clause of what gets round the filter."""
        by = first(self.policy.circumvention) or self.policy.default
        return (Need(INSIDE, by.clause),)

    def _named(self, school_sets: _SchoolSets, shapes: _Shapes = ()) -> tuple[str, ...]:
        """Give the pseudo-categories of a page."""
        of_policy, of_lists = school_sets
        named = (
            *self._local_sites.categories(of_lists),
            *self._school_sites.categories(of_policy),
        )
        return (*named, *(shape.condition for shape in shapes)) if shapes else named

    def _outlook(self, host: str, profiles: tuple[Profile, ...], shapes: _Shapes = ()) -> Outlook:
        sites, school, local = self.catalogue.sites, self._school_sites, self._local_sites
        key = (
            profiles,
            sites.get(host),
            sites.get_with_paths(host),
            (school.get(host), local.get(host)),
            (school.get_with_paths(host), local.get_with_paths(host)),
            shapes_at(host, shapes),
            self._locking.part_of(host),
        )
        outlook = self._outlooks.get(key)
        if outlook is None:
            outlook = self._outlooks[key] = self._compile_outlook(*key)
        return outlook

    def _compile_outlook(
        self,
        profiles: tuple[Profile, ...],
        set_id: int,
        with_parts: int,
        school_sets: _SchoolSets,
        school_with_parts: _SchoolSets,
        shapes: _Shapes,
        locked_part: Decision | None,
    ) -> Outlook:
        profile, *for_methods = profiles
        categories = self.catalogue.sites.categories(set_id)
        named = self._named(school_sets, shapes)
        row = self._row(profile, set_id, school_sets, shapes)
        added = set(self.catalogue.sites.categories(with_parts)) - set(categories)
        also_named = set(self._named(school_with_parts)) - set(named)
        # A rule asks for one category or host, so that what several entries bring about on a page,
        # one of them brings about alone: it is enough to try each.
        tried = [
            *(((*categories, category), named) for category in sorted(added)),
            *((categories, (*named, name)) for name in sorted(also_named)),
        ]

        def other(rows: Iterable[Row]) -> tuple[Row, ...]:
            by_outcome = {each.outcome: each for each in rows if each.outcome != row.outcome}
            return tuple(by_outcome.values())

        parts = other(each.row(*page) for each in profiles for page in tried)
        if locked_part is not None:
            parts = (*parts, replace(row, locked=locked_part, settled=locked_part))
        by_method = other(each.row(categories, named) for each in for_methods)
        inspection = self.policy.inspection
        never = first(never for never in inspection.never if never.covers(categories, named))
        if any(each.sign_in_condition in named for each in profile.obligations):
            never = None
        if never is None and LOCAL_PASS in named:
            never = Never(self.policy.local_clause)
        needs = (
            *(
                Need(each.name, each.clause)
                for each in profile.obligations_on((*named, *also_named))
                if not each.writing.dns
            ),
            *(need for need in profile.needs if need.reaches(categories, added, named)),
            *(self._reading_inside() if self._carriers.named(named) else ()),
            *self._locking.needs,
        )
        return Outlook(
            row, parts, by_method, never, needs, inspection.mode, profile.names_only,
            locked_part,
        )  # fmt: skip

    def _period(self, now: datetime) -> str:
        return self.period(now) or NO_PERIOD


def shapes_at(host: str, others: _Shapes) -> _Shapes:
    """Give the shapes of a request: those of its host, and others."""
    of_host = shapes_of_host(host)
    return (*of_host, *others) if others else of_host


def _withdrawn(suspension: Suspension) -> str:
    until = suspension.ends.astimezone(_LONDON)
    return f"It is withdrawn until {until:%d %B %Y, %H:%M}. Reason: {suspension.reason}"
