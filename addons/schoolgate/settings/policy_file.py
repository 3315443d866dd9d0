"""A school's policy as it stands in `config/policies/<school>.yaml`."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from schoolgate.core.approvals import first
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.policy import Lock, Policy, Rule, dead_rules
from schoolgate.core.timetable import Timetable
from schoolgate.documents import Document, parse_document, read_text, suggestion, validate
from schoolgate.settings.ages_file import load_ages
from schoolgate.settings.carriers_file import load_carriers
from schoolgate.settings.policy_checks import NAME, Checks
from schoolgate.settings.policy_compiler import Beside, Compiler
from schoolgate.settings.policy_text import PolicyText, readable_part, rules_of
from schoolgate.settings.services_file import load_services
from schoolgate.settings.timetable_file import Note, ReadCalendar, read_timetable

_CASES = ".cases"


@dataclass(frozen=True, slots=True)
class Base:
    """What the trust of a school asks of its policy.

    Attributes:
        required: id of the policy that every school's extends; empty for none.
        directory: policies that the trust has signed, which come before those of the same name
            elsewhere; None where none came yet.
    """

    required: str = ""
    directory: Path | None = None


_NO_BASE = Base()


def load_policy(
    file: Path,
    categories: Collection[str],
    read_calendar: ReadCalendar | None = None,
    library: Path | None = None,
    note: Note | None = None,
    base: Base = _NO_BASE,
) -> Policy:
    """Read a school's policy, and those that it extends, which stand beside it.

    Args:
        file: the YAML file.
        categories: ids of the categories that exist.
        read_calendar: reads a calendar file that a timetable imports.
        library: where policies that it extends are looked for that do not stand beside it.
        note: is told of events of a calendar that were left out and may have been meant, and of rules
            that a lock of the trust has overtaken.
        base: what the trust asks.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    signed = base.directory / file.name if base.directory else file
    # What the trust has signed is not replaced by a file of the same name.
    file = signed if signed.is_file() else file
    return _Loader(frozenset(categories), read_calendar, library, note, base).load(file, ())


@dataclass(frozen=True, slots=True)
class _Loader:
    """Reads a policy after those that it extends."""

    categories: frozenset[str]
    read_calendar: ReadCalendar | None
    library: Path | None
    note: Note | None
    base: Base

    def load(self, file: Path, below: tuple[Path, ...]) -> Policy:
        text = read_text(file)
        document = parse_document(str(file), text)
        parsed = self._readable(document)
        above = None
        if parsed.extends:
            above = self.load(self._above(document, file, parsed.extends, below), (*below, file))
        faults: list[Fault] = []
        beside = self._beside(document, parsed, above, faults)
        checks = Checks(
            document,
            parsed,
            self.categories,
            above,
            _periods(parsed, beside.timetable),
            {service.age for service in beside.ages},
            beside.services,
        )
        faults.extend(checks.all())
        if faults:
            raise ConfigurationError(faults)
        policy = Compiler(parsed, above, beside).policy(_version(file, text, parsed, above))
        faults.extend(self._dead(document, parsed, policy, above))
        faults.extend(() if below else self._without_base(document, file, policy))
        if faults:
            raise ConfigurationError(faults)
        return policy

    def _without_base(self, document: Document, file: Path, policy: Policy) -> Iterator[Fault]:
        """Find fault with a policy that does not rest on the trust's."""
        wanted = self.base.required
        is_it = policy.id == wanted and file.parent == (self.base.directory or file.parent)
        if wanted and not is_it and wanted not in policy.extends:
            message = (
                f"the policy does not extend '{wanted}', on which the trust has every school's rest"
            )
            hint = f"say 'extends: {wanted}'; bundles.base in schoolgate.yaml asks for it"
            yield document.fault(("extends",), message, hint)

    def _dead(
        self, document: Document, text: PolicyText, policy: Policy, above: Policy | None
    ) -> Iterator[Fault]:
        dead = {rule.id: because for rule, because in dead_rules(policy)}
        unlocked = {rule.id for rule, _ in dead_rules(_without_locks(policy))}
        for loc, _, rule in rules_of(text):
            if rule.id not in dead:
                continue
            message = f"the rule '{rule.id}' can never decide anything: {dead[rule.id]}"
            if above is None or rule.id in unlocked:
                yield document.fault(loc, message)
                continue
            hint = f"locked by the policy '{above.id}': take the rule out, or ask {above.contact}"
            fault = document.fault(loc, message, hint)
            # A lock that the trust lays is in force at every school, and not where nobody is in its way.
            if self.note is not None and self.base.directory is not None:
                self.note(fault)
            else:
                yield fault

    def _readable(self, document: Document) -> PolicyText:
        try:
            return validate(document, PolicyText)
        except ConfigurationError as error:
            # A key in the wrong place must not hide a name that does not exist.
            extends = isinstance(document.data, dict) and document.data.get("extends")
            checks = Checks(document, readable_part(document), self.categories)
            raise ConfigurationError(
                [*error.faults, *(() if extends else checks.names())]
            ) from error

    def _above(self, document: Document, file: Path, name: str, below: tuple[Path, ...]) -> Path:
        """Give the file of the policy that another extends."""
        if not NAME.fullmatch(name):
            message = f"'{name}' is not the name of a policy"
            raise ConfigurationError([document.fault(("extends",), message)])
        signed = [self.base.directory] if self.base.directory else []
        places = [*signed, file.parent, *([self.library] if self.library else [])]
        found = first(path for place in places if (path := place / f"{name}.yaml").is_file())
        if found is None:
            known = [path.stem for place in places for path in place.glob("*.yaml")]
            known = [stem for stem in known if Path(stem).suffix != _CASES]
            fault = document.fault(
                ("extends",), f"there is no policy '{name}' beside it", suggestion(name, known)
            )
            raise ConfigurationError([fault])
        if found in (*below, file):
            ring = " → ".join(path.stem for path in (*below, file, found))
            message = f"the policy extends itself: {ring}"
            raise ConfigurationError([document.fault(("extends",), message)])
        return found

    def _beside(
        self, document: Document, text: PolicyText, above: Policy | None, faults: list[Fault]
    ) -> Beside:
        """Give what stands beside the rules; its faults are added to the others."""
        timetable = above.timetable if above else None
        ages = above.ages if above else ()
        services = dict(above.services) if above else {}
        if text.timetable:
            try:
                timetable = read_timetable(
                    document, ("timetable",), text.timetable, self.read_calendar, self.note
                )
            except ConfigurationError as error:
                faults.extend(error.faults)
        if text.minimum_ages:
            try:
                ages = load_ages(Path(document.file).parent / text.minimum_ages)
            except ConfigurationError as error:
                faults.extend(error.faults)
        if text.services:
            try:
                services |= load_services(Path(document.file).parent / text.services)
            except ConfigurationError as error:
                faults.extend(error.faults)
        carriers = above.carriers if above else ()
        if text.unfolding:
            try:
                carriers = load_carriers(Path(document.file).parent / text.unfolding)
            except ConfigurationError as error:
                faults.extend(error.faults)
        return Beside(timetable, ages, services, carriers)


def _version(file: Path, text: str, parsed: PolicyText, above: Policy | None) -> str:
    """Give what changes with the policy, with those above it and with the files beside it."""
    whole = hashlib.sha256(text.encode())
    names = [source.file for source in parsed.timetable.import_] if parsed.timetable else []
    beside = (parsed.minimum_ages, parsed.services, parsed.unfolding)
    for name in (*names, *(name for name in beside if name)):
        whole.update(read_text(file.parent / name).encode())
    whole.update(above.version.encode() if above else b"")
    return whole.hexdigest()[:12]


def _without_locks(policy: Policy) -> Policy:
    """Give a policy as if nothing were locked above it."""

    def own(rule: Rule) -> bool:
        return rule.level == 0 or rule.lock is Lock.NONE

    return replace(policy, rules=tuple(rule for rule in policy.rules if own(rule)))


def _periods(text: PolicyText, timetable: Timetable | None) -> frozenset[str]:
    """Give the names that rules may use for periods; of a broken timetable those that it names."""
    named: set[str] = {*timetable.periods, *timetable.groups} if timetable else set()
    if text.timetable:
        named |= {*text.timetable.periods, *text.timetable.period_groups}
    return frozenset(named)
