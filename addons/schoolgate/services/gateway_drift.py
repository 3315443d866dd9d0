"""What of a trust's gateways is not as it should be, in words, with who can put it right."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from schoolgate.storage.gateway_states import MIXED, Report, Reports

CENTRE, SCHOOL = "central IT", "the school's technician"
# Four reports may be lost.
SILENT_AFTER = timedelta(minutes=2)
# Gateways look for bundles every quarter of an hour; one look may fail.
FETCHED_WITHIN = timedelta(minutes=30)
LISTS_OLD_AFTER = timedelta(days=7)
# Grants begin and end to the second, by the gateway's own clock.
CLOCK_TOLERANCE = timedelta(seconds=5)
UNSENT_AFTER = timedelta(minutes=15)
# By kinds of `GatewayState.faults`.
_FAULTS = {
    "bundle": "its last fetch of a bundle failed: 'schoolgate bundle status' says why",
    "jobs": "its jobs do not run: no mail is sent",
    "journal": "its journal is not written",
    "lists": "its lists cannot be read",
    "meter": "its meter does not run: no audio or video flows where it is limited",
    "portal": "its portal does not serve",
    "selftest": "its self-test does not run",
    "shipping": "its journal is not taken elsewhere",
    "supervisor": "its supervisor hangs",
    "tunnels": "its tunnels do not serve: devices at home reach nothing",
}

type Name = tuple[str, str]
"""School and gateway."""


class Drift(Enum):
    """In what a gateway is not as it should be."""

    UNREADABLE = "unreadable"
    NEVER = "never reported"
    SILENT = "silent"
    REVOKED = "revoked"
    BUNDLE = "bundle"
    PROGRAM = "program"
    LISTS = "lists"
    POLICY = "policy"
    CLOCK = "clock"
    WORKERS = "workers"
    SELFTEST = "self-test"
    JOURNAL = "journal"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        school: where.
        gateway: its name there; "" for the school as a whole.
        kind: in what.
        said: what, to follow the name.
        who: can put it right.
    """

    school: str
    gateway: str
    kind: Drift
    said: str
    who: str


@dataclass(frozen=True, slots=True)
class Released:
    """What is let out for a ring: number of the bundle, version under which, and when, aware."""

    bundle: int
    version: int
    at: datetime


def drift(
    reports: Reports,
    released: Mapping[str, Released] | None = None,
    enrolled: Mapping[Name, bool] | None = None,
    unreadable: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Say what is not as it should be.

    Of a gateway that is silent nothing else is said: what it said last is not what is.

    Args:
        reports: what gateways said last.
        released: by ring; where nothing is known of a ring, what most of its gateways have is right.
        enrolled: who was ever enrolled → whether it was put out again.
        unreadable: school → why nothing is known of it.

    Returns:
        By school and gateway.
    """
    enrolled, unreadable = enrolled or {}, unreadable or {}
    present = [r for r in reports.reports if reports.at - r.at <= SILENT_AFTER]
    out = {name for name, is_revoked in enrolled.items() if is_revoked}
    known = {_name(report) for report in reports.reports}
    found = [
        Finding(school, "", Drift.UNREADABLE, why, CENTRE) for school, why in unreadable.items()
    ]
    for name in enrolled.keys() - known - out:
        if name[0] not in unreadable:
            said = "is enrolled and has never reported"
            found.append(Finding(*name, Drift.NEVER, said, SCHOOL))
    among = _Among([r for r in present if _name(r) not in out], released or {}, reports.at)
    for report in reports.reports:
        name, is_present = _name(report), report in present
        if name in out:
            said = "was put out and still reports: take its role's password away"
            found += [Finding(*name, Drift.REVOKED, said, CENTRE)] if is_present else []
        elif not is_present:
            said = f"has been silent since {_when(report.at)}"
            found.append(Finding(*name, Drift.SILENT, said, SCHOOL))
        else:
            found += [Finding(*name, kind, said, who) for kind, said, who in _of(report, among)]
    return sorted(found, key=lambda one: (one.school, one.gateway))


def standing(reports: Reports, findings: Iterable[Finding]) -> dict[str, int]:
    """Count gateways by how they are: ``well``, ``drifting``, ``silent`` or ``never`` heard.

    Args:
        reports: what gateways said last.
        findings: what is not as it should be.
    """
    found = [(one.school, one.gateway, one.kind) for one in findings if one.gateway]
    silent = {(school, name) for school, name, kind in found if kind is Drift.SILENT}
    never = {(school, name) for school, name, kind in found if kind is Drift.NEVER}
    drifting = {(school, name) for school, name, _ in found} - silent - never
    well = {_name(report) for report in reports.reports} - silent - drifting
    by = {"well": well, "drifting": drifting, "silent": silent, "never": never}
    return {state: len(names) for state, names in by.items()}


class _Among:
    """What is right for a gateway among the others that report."""

    def __init__(
        self, present: list[Report], released: Mapping[str, Released], at: datetime
    ) -> None:
        self.present = present
        self.released = released
        self.at = at
        self.program = _most((r.state.program for r in present), _version_key, "")

    def versions_of(self, ring: str) -> int:
        """Give the version of the bundle that most gateways of a ring have."""
        mine = (r.state.bundle_version for r in self.present if r.state.ring == ring)
        return _most(mine, int, 0)

    def policies_beside(self, report: Report) -> Counter[str]:
        """Count the policies of its school's gateways that have the same bundle; they are to be one."""
        mine = report.state
        return Counter(
            r.state.policy
            for r in self.present
            if (r.state.school, r.state.bundle_version) == (mine.school, mine.bundle_version)
            and r.state.policy not in ("", MIXED)
        )


type _Told = tuple[Drift, str, str]


def _of(report: Report, among: _Among) -> Iterator[_Told]:
    state = report.state
    yield from _bundle(report, among)
    if _version_key(state.program) < _version_key(among.program):
        yield Drift.PROGRAM, f"runs schoolgate {state.program}, most run {among.program}", SCHOOL
    if state.lists_made and among.at - state.lists_made > LISTS_OLD_AFTER:
        # They come with the bundle where there is one.
        who = CENTRE if state.bundle else SCHOOL
        yield Drift.LISTS, f"has lists of {state.lists_made:%Y-%m-%d}", who
    yield from _policy(report, among)
    off = (report.clock - report.at).total_seconds()
    if abs(off) > CLOCK_TOLERANCE.total_seconds():
        way = "fast" if off > 0 else "slow"
        yield Drift.CLOCK, f"has a clock that is {abs(off):.0f} s {way}", SCHOOL
    if state.workers_up < state.workers_wanted:
        said = f"has {state.workers_up} of {state.workers_wanted} workers"
        yield Drift.WORKERS, said, SCHOOL
    if state.selftest_failures:
        yield Drift.SELFTEST, f"fails its self-test ({state.selftest_failures} findings)", SCHOOL
    if state.unsent_since and report.at - state.unsent_since > UNSENT_AFTER:
        said = f"has lines of its journal since {_when(state.unsent_since)} that were not taken"
        yield Drift.JOURNAL, said, SCHOOL
    for kind in state.faults:
        yield Drift.FAULT, _FAULTS.get(kind, f"says that something is wrong: {kind}"), SCHOOL


def _bundle(report: Report, among: _Among) -> Iterator[_Told]:
    state = report.state
    mine = f"bundle {state.bundle}" if state.bundle else "no bundle"
    right = among.released.get(state.ring)
    if right is not None:
        if state.bundle_version != right.version and among.at - right.at > FETCHED_WITHIN:
            said = (
                f"has {mine}, its ring {state.ring} bundle {right.bundle} since {_when(right.at)}"
            )
            yield Drift.BUNDLE, said, SCHOOL
    elif state.ring and state.bundle_version < among.versions_of(state.ring):
        yield Drift.BUNDLE, f"has {mine}, most of its ring {state.ring} a later one", SCHOOL


def _policy(report: Report, among: _Among) -> Iterator[_Told]:
    state = report.state
    if state.policy == MIXED:
        yield Drift.POLICY, "has workers with different policies", SCHOOL
        return
    beside = among.policies_beside(report)
    if not state.policy or len(beside) < 2:
        return
    (first, many), (_, next_many) = beside.most_common(2)
    if state.policy != first or many == next_many:
        said = f"has the policy {state.policy}, another than its school's other gateways"
        yield Drift.POLICY, said, SCHOOL


def _most[T: Hashable](values: Iterable[T], key: Callable[[T], Any], none: T) -> T:
    """Give what most have, or `none`; of two that equally many have, the greater one."""
    counted = Counter(values)
    return max(counted, key=lambda value: (counted[value], key(value)), default=none)


def _version_key(version: str) -> tuple[int, ...]:
    """Give by what versions such as ``0.10.1`` and ``0.10.1.dev3`` are compared."""
    released = re.match(r"\d{1,9}(\.\d{1,9})*", version)
    return tuple(map(int, released[0].split("."))) if released else ()


def _name(report: Report) -> Name:
    return report.state.school, report.state.gateway


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
