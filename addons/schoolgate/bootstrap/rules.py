"""The rules of this machine's school: its policy, the lists and the cases, as they are read."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.bootstrap.clock import now
from schoolgate.core.approvals import USUAL_ROLES, Roles
from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.core.locked import LockedLists
from schoolgate.core.people import People
from schoolgate.core.policy import Policy, PolicyEngine
from schoolgate.documents import suggestion
from schoolgate.lists import (
    ListPlaces,
    LockedPlace,
    category_names,
    load_catalogue,
    load_local_lists,
    phrases_in_force,
    read_category_files,
    read_locked_lists,
)
from schoolgate.lists.generations import MANIFEST, live_directory
from schoolgate.services.casebook import Casebook
from schoolgate.services.timetables import calendars_on
from schoolgate.settings import Base, Settings, load_cases, load_people, load_policy

logger = logging.getLogger(__name__)

_CASES = ".cases.yaml"
# Folders of a bundle.
BUNDLED_POLICIES, BUNDLED_LISTS = "policies", "lists"


def list_places(settings: Settings) -> ListPlaces:
    """Say where the lists and their index are: the trust's where it has signed some."""
    bundle = bundle_of(settings)
    signed = bundle / BUNDLED_LISTS if bundle else None
    if signed is not None and not (signed / MANIFEST).is_file():
        signed = None
    return ListPlaces(settings.lists.dirs, settings.lists_dir, signed)


def bundle_of(settings: Settings) -> Path | None:
    """Give the folder of the trust's bundle that is in force; None where there is none.

    Raises:
        ConfigurationError: when it cannot be told.
    """
    return live_directory(settings.bundles_dir) if settings.bundles.url else None


def locked_place(settings: Settings) -> LockedPlace:
    """Say where the locked lists are."""
    return LockedPlace(settings.lists.locked, settings.lists.locked_required)


def load_engine(
    settings: Settings,
    *,
    keep: bool = False,
    policy: str | None = None,
    locked: LockedLists | None = None,
) -> PolicyEngine:
    """Read policy, categories, local and locked lists, without grants and suspensions.

    Args:
        settings: of this machine.
        keep: whether an index of the lists that had to be built is kept for the next time.
        policy: another policy than the settings': its name, or its file.
        locked: the locked lists in force, of which the last good state stays; None where none is.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    faults: list[Fault] = []
    catalogue = local = rules = locks = None
    file = settings.policy_file
    if policy is not None:
        is_file = policy.endswith(".yaml")
        file = Path(policy) if is_file else settings.policies_dir / f"{policy}.yaml"
    try:
        local = load_local_lists(settings.lists.local)
    except ConfigurationError as error:
        faults.extend(error.faults)
    try:
        locks = read_locked_lists(locked_place(settings), now(), locked)
    except ConfigurationError as error:
        faults.extend(error.faults)
    try:
        # A category whose file has faults exists all the same.
        rules = _load_policy(settings, file)
    except ConfigurationError as error:
        faults.extend(error.faults)
    # Last: where nothing can start, nothing is made.
    keep = keep and not faults
    if keep:
        _make_state_dir(settings.state_dir)
    try:
        catalogue = load_catalogue(list_places(settings), now(), keep=keep)
    except ConfigurationError as error:
        faults.extend(error.faults)
    if catalogue is None or local is None or rules is None or faults:
        raise ConfigurationError(faults)
    return PolicyEngine(rules, catalogue, local, locked=locks)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules, and who is who in their groups; read together."""

    engine: PolicyEngine
    people: People


def load_rules(
    settings: Settings, locked: LockedLists | None = None, *, with_phrases: bool = False
) -> Rules:
    """Read both; an index of the lists that had to be built is kept.

    Args:
        settings: of this machine.
        locked: as of `load_engine`.
        with_phrases: for whoever judges texts: the phrases, too, where the policy asks for it.

    Raises:
        ConfigurationError: with every fault.
    """
    engine = load_engine(settings, keep=True, locked=locked)
    if with_phrases and engine.judges_texts:
        engine = engine.with_phrases(phrases_in_force(settings.lists.dirs))
    return Rules(engine, load_people_of(settings, engine.policy))


def load_policy_of(settings: Settings) -> Policy:
    """Read the school's policy alone, without the lists.

    Raises:
        ConfigurationError: with every fault.
    """
    return _load_policy(settings, settings.policy_file)


def load_policy_with(settings: Settings, bundle: Path) -> Policy:
    """Read the school's policy as it would be with a bundle that is not in force.

    Raises:
        ConfigurationError: with every fault.
    """
    return _load_policy(settings, settings.policy_file, bundle)


def roles_of(settings: Settings) -> Roles:
    """Give who does what at this school.

    Raises:
        ConfigurationError: when the policy has faults.
    """
    return load_policy_of(settings).roles or USUAL_ROLES


def load_people_of(settings: Settings, policy: Policy) -> People:
    """Read who and what is known, in the names of a policy.

    Raises:
        ConfigurationError: with every fault.
    """
    people = load_people(settings.people, policy.groups)
    if settings.wireguard.listen is not None:
        # Keys take long to load, and most commands need none.
        from schoolgate.bootstrap.tunnels import with_devices_at_home  # noqa: PLC0415

        people = with_devices_at_home(settings, policy, people)
    named = [("network", network.id, policy.networks) for network in people.networks]
    named += [("kind of device", device.kind, policy.devices) for device in people.devices]
    named += [("kind of device", peer.device_kind, policy.devices) for peer in people.wireguard]
    faults = [
        Fault(
            str(settings.people),
            0,
            f"the policy {policy.id} has no {kind} '{name}', so that no rule could mean it",
            suggestion(name, there) or "name it in the policy, or leave it out",
        )
        for kind, name, there in named
        if name and name not in there
    ]
    if faults:
        raise ConfigurationError(faults)
    return people


def curated_hosts(settings: Settings) -> list[str]:
    """Give every host that the category files name.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    files = read_category_files(settings.lists.dirs)
    return sorted({placed.entry.host for placed in files.entries})


def load_casebooks(settings: Settings, names: Sequence[str] = ()) -> Iterator[Casebook]:
    """Read the cases of some policies, or of all that have any.

    Raises:
        ConfigurationError: with every fault of a policy and its cases.
    """
    found = {
        path.name.removesuffix(_CASES): path
        for path in sorted(settings.policies_dir.glob(f"*{_CASES}"))
    }
    for name in names:
        if name not in found:
            hint = suggestion(name, found)
            file = str(settings.policies_dir / f"{name}{_CASES}")
            raise ConfigurationError([Fault(file, 0, "is not there", hint)])
    catalogue = load_catalogue(list_places(settings), now(), keep=False)
    for name in names or found:
        policy = _load_policy(settings, settings.policies_dir / f"{name}.yaml")
        yield Casebook(found[name], policy, catalogue, load_cases(found[name], policy))


def _load_policy(settings: Settings, file: Path, bundle: Path | None = None) -> Policy:
    bundle = bundle or bundle_of(settings)
    # Of another policy than the school's own nothing is asked: it may be the baseline.
    required = settings.bundles.base if file == settings.policy_file else ""
    return load_policy(
        file,
        category_names(settings.lists.dirs),
        calendars_on(now().date()),
        settings.policies_dir,
        lambda fault: logger.warning("%s", fault),
        Base(required, bundle / BUNDLED_POLICIES if bundle else None),
    )


def _make_state_dir(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"The state directory {directory} cannot be made: {error.strerror}. "
            "Set state_dir, or make it and give it to schoolgate's user."
        ) from error
