"""What is known of a school's filter and monitoring in a span of time, as a review reads it; names nobody."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from schoolgate.services.access_figures import AccessFigures
from schoolgate.services.figures import Figures
from schoolgate.services.safeguarding_figures import SafeguardingFigures
from schoolgate.services.selftest_results import Result


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role of the school.

    Attributes:
        role: its id.
        accounts: how many open accounts have it; None where that is not known.
        addresses: that are told by mail, as the settings have them.
        duties: what the policy gives it to do, in words.
    """

    role: str
    accounts: int | None
    addresses: tuple[str, ...]
    duties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClauseState:
    """A clause of the written policy.

    Attributes:
        id: as block pages show it.
        title: a few words.
        state: yes, partly or not yet.
        by: what carries it out.
        missing: what is not carried out.
    """

    id: str
    title: str
    state: str
    by: str
    missing: str


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """Something that must be looked at again.

    Attributes:
        title: what.
        clause: that asks for it.
        owner: role.
        last: day of the last one.
        due: day by which the next one is to be.
        is_overdue: whether that day has passed.
    """

    title: str
    clause: str
    owner: str
    last: date
    due: date
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class OpenedByHand:
    """A site that was opened by hand; whom for is told by kind alone where it is one person or device.

    Attributes:
        site: what.
        whom: everyone, a group, or one person or device.
        starts: from when.
        ends: until when.
        decided_by: role.
        reason: why.
        request: number of the request; 0 for none.
        in_force: whether it is open now, or will be.
    """

    site: str
    whom: str
    starts: datetime
    ends: datetime
    decided_by: str
    reason: str
    request: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A line of the school's own lists.

    Attributes:
        file: of which list.
        entry: what stands there.
        remark: why; empty where nothing is said.
    """

    file: str
    entry: str
    remark: str


@dataclass(frozen=True, slots=True)
class FeedAge:
    """A list of others.

    Attributes:
        name: of the feed.
        entries: how many are in force.
        days: since its publisher's state was last had; None for never.
        held: updates that wait for a person.
        failed: whether the last attempt failed.
    """

    name: str
    entries: int
    days: float | None
    held: int
    failed: bool


@dataclass(frozen=True, slots=True)
class LockedState:
    """A list that nobody at the school can lift.

    Attributes:
        name: of the list.
        version: as its publisher names it.
        digest: SHA-256 of its file; empty where there is none.
        fault: what is wrong; empty where nothing is.
    """

    name: str
    version: str
    digest: str
    fault: str


@dataclass(frozen=True, slots=True)
class KindOfSite:
    """A category.

    Attributes:
        id: of the category.
        title: in words.
        sites: how many are known.
        closed_to: titles of the groups to which it is closed at the moment of the report.
        open_to: titles of the others.
    """

    id: str
    title: str
    sites: int
    closed_to: tuple[str, ...]
    open_to: tuple[str, ...]


class TestState(StrEnum):
    """Whether the gateway tests itself."""

    __test__ = False

    RUNNING = "running"
    LATE = "late"
    OFF = "off"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Tests:
    """What the self-test looked at and found.

    Attributes:
        state: whether it runs.
        at: of the last round; None for none.
        results: of the last round, by check and group.
        groups: titles of the groups as which it asks.
        networks: titles of the networks in which it asks, beside one that is not known.
        failed: how often a check began to fail in the time; None where that is not known.
    """

    __test__ = False

    state: TestState
    at: datetime | None
    results: tuple[Result, ...]
    groups: tuple[str, ...]
    networks: tuple[str, ...]
    failed: int | None


@dataclass(frozen=True, slots=True)
class Setup:
    """How this gateway is set up, as far as answers rest on it.

    Attributes:
        groups: titles of the policy's groups.
        networks: titles of its networks.
        devices: titles of its kinds of device.
        services: names of services that are obliged to a mode, such as safe search.
        themes: of signs of harm that are looked for.
        languages: in which they are.
        concerns: whom alerts about pupils are told to, by role.
        searches: whether searches are kept for some group.
        mail: whether a mail server is set.
        webhooks: how many programs are told of alerts.
        weekly: roles with an address that get the weekly report.
        termly: roles with an address that get the termly report.
        transparent: whether the network leads everything to the filter by itself.
        at_home: devices at home that come through a tunnel; None where there is no tunnel.
        single_sign_on: whether people may sign in by a provider of the school's.
        keep_days: how long a line of the journal is kept.
        keep_address_days: how long the page of a line is; None for as long as the line.
        least_people: about fewer no figure is shown.
        bodies: whether pages are judged by their text.
        declaration: the version that people sign; empty for none.
        signed: how many have signed it; None where that is not known.
        trust: policies that this one extends.
        shipped: where the journal is taken besides, by kind.
        list_updates: whether this process keeps the lists of others up to date by itself.
    """

    groups: tuple[str, ...]
    networks: tuple[str, ...]
    devices: tuple[str, ...]
    services: tuple[str, ...]
    themes: tuple[str, ...]
    languages: tuple[str, ...]
    concerns: tuple[str, ...]
    searches: bool
    mail: bool
    webhooks: int
    weekly: tuple[str, ...]
    termly: tuple[str, ...]
    transparent: bool
    at_home: int | None
    single_sign_on: bool
    keep_days: int
    keep_address_days: int | None
    least_people: int
    bodies: bool
    declaration: str
    signed: int | None
    trust: tuple[str, ...]
    shipped: tuple[str, ...]
    list_updates: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything; what could not be found out is None, and `unknown` says why.

    Attributes:
        school: its name.
        gateway: name of the machine.
        policy: id of the pack.
        document: the written policy.
        policy_version: of the pack's content, with how often it has changed.
        lists_version: likewise of the lists.
        made_at: when this was found out.
        since: the first day.
        until: the last day.
        setup: how the gateway is set up.
        roles: who does what.
        clauses: of the policy.
        reviews: what must be looked at again.
        opened: by hand, in force or ended within the time.
        own_lines: of the school's own lists.
        kinds: every category.
        built: when the index of all lists was made; None where it was not.
        feeds: lists of others.
        locked: lists that nobody can lift.
        tests: of the gateway by itself.
        figures: of the journal.
        safeguarding: alerts and incidents about pupils.
        access: requests.
        changes: entries of the audit trail, by action.
        trail_fault: where the audit trail is broken; empty where it is whole.
        reported: sites that people reported to be blocked.
        unknown: what could not be found out, and why.
    """

    school: str
    gateway: str
    policy: str
    document: str
    policy_version: str
    lists_version: str
    made_at: datetime
    since: date
    until: date
    setup: Setup
    roles: tuple[RoleHeld, ...]
    clauses: tuple[ClauseState, ...]
    reviews: tuple[ReviewDue, ...]
    opened: tuple[OpenedByHand, ...] | None
    own_lines: tuple[OwnLine, ...] | None
    kinds: tuple[KindOfSite, ...]
    built: datetime | None
    feeds: tuple[FeedAge, ...] | None
    locked: tuple[LockedState, ...]
    tests: Tests
    figures: Figures | None
    safeguarding: SafeguardingFigures | None
    access: AccessFigures | None
    changes: dict[str, int] | None
    trail_fault: str | None
    reported: int | None
    unknown: tuple[str, ...] = field(default=())

    @property
    def limits(self) -> tuple[ClauseState, ...]:
        """The clauses that are not carried out, or in part."""
        return tuple(one for one in self.clauses if one.state != "yes")

    def kind(self, *ids: str) -> tuple[KindOfSite, ...]:
        """Give some categories, those that there are."""
        return tuple(one for one in self.kinds if one.id in ids)

    def changed(self, *beginnings: str) -> int | None:
        """Give how many entries of the audit trail have an action that begins so."""
        if self.changes is None:
            return None
        return sum(n for action, n in self.changes.items() if action.startswith(beginnings))


def plain(value: Any) -> Any:
    """Give facts as JSON has them."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value
