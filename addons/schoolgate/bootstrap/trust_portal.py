"""The portal of a trust at its centre: each school by a login of its own, its rules from a copy."""

import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from schoolgate.authority.pairs import write_whole
from schoolgate.bootstrap.centre import trust_dir
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.rules import Rules, load_people_of
from schoolgate.bootstrap.trust_health import enrolled_of, released_of
from schoolgate.core.errors import ConfigurationError, Fault, RefusedError, UnavailableError
from schoolgate.core.policy import PolicyEngine
from schoolgate.lists import category_names, load_local_lists
from schoolgate.services.approvals import Approvals
from schoolgate.services.gateway_drift import Finding, drift
from schoolgate.services.timetables import calendars_on
from schoolgate.services.trust_overview import Overview, Seen
from schoolgate.settings import Base, Settings, load_policy, load_settings
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, is_postgresql
from schoolgate.storage.assignments import Assignments
from schoolgate.storage.gateway_states import Reports
from schoolgate.storage.school_glance import SchoolView, school_engine
from schoolgate.storage.school_logins import (
    Admission,
    admit_portal,
    admitted_schools,
    login_of,
    school_url,
)

if TYPE_CHECKING:
    from schoolgate.portal.house import Trust

# Of whose rules are kept at hand.
_MOST_RULES = 64
_SETTINGS = "schoolgate.yaml"
_COPIES = "schools"
_PRIVATE_FILE = 0o600

type _Stamp = tuple[tuple[str, int, int], ...]


def passwords_file(settings: Settings) -> Path:
    """Say where the passwords are with which the portal comes into the schools (libpq's form)."""
    return trust_dir(settings) / "schools.pgpass"


def admit(settings: Settings, url: str, schools: Sequence[str]) -> list[Admission]:
    """Let the portal into some schools, and keep the passwords for it; again, they get others.

    Args:
        settings: of the centre.
        url: of the trust's database, as somebody who owns it and may make roles.
        schools: their names.

    Raises:
        RefusedError: when there is no such school.
        UnavailableError: when the server or the file cannot be used.
    """
    made = admit_portal(url, schools)
    _replace_passwords(settings, [each.school for each in made], [each.pgpass for each in made])
    return made


def forget_password(settings: Settings, school: str) -> None:
    """Keep no password for a school that is gone.

    Raises:
        UnavailableError: when the file cannot be used.
    """
    if passwords_file(settings).exists():
        _replace_passwords(settings, [school], [])


def _replace_passwords(settings: Settings, schools: Sequence[str], lines: Sequence[str]) -> None:
    file = passwords_file(settings)
    logins = [f":{login_of(school)}:" for school in schools]
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = file.read_text().splitlines(keepends=True) if file.exists() else []
        kept = [line for line in before if not any(login in line for login in logins)]
        write_whole(file, "".join((*kept, *lines)).encode(), _PRIVATE_FILE)
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror}. Run the command again.") from error


def trust_of(
    settings: Settings, database: Engine, engine: Callable[[], PolicyEngine]
) -> "Trust | None":
    """Give what the pages for schools work with; None where this is not the portal of a trust.

    Args:
        settings: of the centre.
        database: of the centre's own place.
        engine: gives the centre's rules in force, whose lists are those of the schools.

    Raises:
        ConfigurationError: when the settings cannot be those of a centre.
        UnavailableError: when the database fails.
    """
    from schoolgate.portal.house import Trust, Within  # noqa: PLC0415 - only where Django is

    if not settings.trust.portal:
        return None
    if not is_postgresql(settings.database_url):
        hint = "make a place for the centre (schoolgate trust school add) and name it there"
        text = "trust.portal needs the trust's database: database: postgresql://…"
        raise ConfigurationError([Fault(str(settings.file), 0, text, hint)])
    file, known = passwords_file(settings), SchoolRules(settings, engine)

    @cache
    def engine_of(school: str, passwords: str) -> Engine:
        # What an engine asks the server at its first connection is asked once.
        return school_engine(school_url(settings.database_url, school, passwords))

    def opened(school: str) -> Engine:
        # Without the file the portal is known to the server otherwise.
        return engine_of(school, str(file) if file.exists() else "")

    def view(school: str) -> SchoolView:
        return SchoolView(opened(school))

    def within(school: str) -> Within:
        rules = known.of(school, view(school).policy_label())
        place = opened(school)
        return Within(
            engine=lambda: rules.engine,
            people=lambda: rules.people,
            approvals=Approvals(ApprovalStore(place), lambda: rules.engine, lambda: rules.people),
            decisions=DecisionStore(place),
            trail=AuditTrail(place),
        )

    return Trust(
        overview=Overview(lambda: admitted_schools(settings.database_url), view, now),
        view=view,
        assignments=Assignments(database),
        trail=lambda school: AuditTrail(opened(school)),
        within=within,
        drift=lambda seen: _drift(settings, seen),
    )


def _drift(settings: Settings, seen: Sequence[Seen]) -> list[Finding]:
    """Say what of the gateways of some schools is not as it should be, of those that were looked at."""
    read = [each.gateways for each in seen if each.gateways is not None]
    reports = tuple(report for each in read for report in each.reports)
    at = max((each.at for each in read), default=now())
    unreadable = {each.school: each.fault for each in seen if each.fault}
    return drift(Reports(at, reports), released_of(settings), enrolled_of(settings), unreadable)


class SchoolRules:
    """The rules of schools, from the centre's copies of their settings; read anew when these change.

    Args:
        settings: of the centre.
        engine: gives the centre's rules in force.
    """

    def __init__(self, settings: Settings, engine: Callable[[], PolicyEngine]) -> None:
        self._settings = settings
        self._engine = engine
        self._kept: OrderedDict[str, tuple[_Stamp, PolicyEngine, Rules]] = OrderedDict()
        self._lock = Lock()

    def of(self, school: str, label: str) -> Rules:
        """Give the rules of a school.

        Args:
            school: its name.
            label: of the policy that is in force there, as its gateway noted it.

        Raises:
            ConfigurationError: when the copy has faults.
            RefusedError: when there is no copy, or it is not what is in force there.
        """
        directory = _copies(self._settings) / school
        if not (directory / _SETTINGS).is_file():
            raise RefusedError(
                f"the rules of {school} are not at the centre: copy its settings to {directory}"
            )
        rules = self._read(school, directory)
        version = label.partition("+")[0]
        if version != rules.engine.policy.version:
            said = "another policy is in force there" if version else "no gateway has run there yet"
            raise RefusedError(
                f"{school} cannot be decided for here ({said}): bring its settings to the centre anew"
            )
        return rules

    def _read(self, school: str, directory: Path) -> Rules:
        stamp, base = _stamp(directory), self._engine()
        with self._lock:
            known = self._kept.get(school)
            if known is None or known[0] != stamp or known[1] is not base:
                known = stamp, base, rules_of_school(self._settings, base, directory)
                self._kept[school] = known
            self._kept.move_to_end(school)
            while len(self._kept) > _MOST_RULES:
                self._kept.popitem(last=False)
        return known[2]


def rules_of_school(settings: Settings, base: PolicyEngine, directory: Path) -> Rules:
    """Read a school's policy, local lists and people from a copy; lists and locks are the centre's.

    Args:
        settings: of the centre.
        base: its rules in force.
        directory: the copy.

    Raises:
        ConfigurationError: with every fault.
    """
    # What the environment of the centre says is the centre's.
    own = load_settings(directory / _SETTINGS, {})
    signed = settings.policies_dir if own.bundles.url else None
    policy = load_policy(
        own.policy_file,
        category_names(settings.lists.dirs),
        calendars_on(now().date()),
        own.policies_dir,
        lambda _: None,
        Base(own.bundles.base, signed),
    )
    local = load_local_lists(own.lists.local)
    engine = PolicyEngine(policy, base.catalogue, local, locked=base.locked)
    return Rules(engine, load_people_of(own, policy))


def _copies(settings: Settings) -> Path:
    return settings.trust.schools_dir or settings.file.parent / _COPIES


def _stamp(directory: Path) -> _Stamp:
    """Give what changes when a file of a copy does; not its state, which is none of the rules."""
    found = []
    for place, _, names in os.walk(directory):
        for name in sorted(names):
            with contextlib.suppress(OSError):
                said = Path(place, name).stat()
                found.append((f"{place}/{name}", said.st_mtime_ns, said.st_size))
    return tuple(found)
