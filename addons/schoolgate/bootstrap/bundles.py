"""Bundles of the school's trust on this machine, and at the trust's centre those that it makes."""

from collections.abc import Iterator
from pathlib import Path

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.rules import (
    BUNDLED_LISTS,
    BUNDLED_POLICIES,
    list_places,
    load_people_of,
    load_policy_with,
)
from schoolgate.bundles.client import Centre
from schoolgate.bundles.fetching import Gateway
from schoolgate.bundles.store import BundleStore
from schoolgate.core.errors import ConfigurationError, Fault, RefusedError, UnavailableError
from schoolgate.documents import read_document
from schoolgate.enrolment.client import EnrolmentFiles
from schoolgate.lists import category_names, load_catalogue
from schoolgate.lists.catalogue import INDEX
from schoolgate.lists.generations import MANIFEST, read_generation
from schoolgate.lists.index_file import open_index
from schoolgate.settings import Settings, load_policy

# Files that a policy names, and that go with it.
_NAMED = ("minimum_ages", "services", "unfolding")
_BESIDE = "../"


def store_of(settings: Settings) -> BundleStore:
    """Give what is kept of bundles on this machine."""
    return BundleStore(settings.bundles_dir)


def fetching_of(settings: Settings) -> Gateway:
    """Give what this gateway brings to a fetch."""
    return Gateway(
        store_of(settings),
        lambda directory: check_bundle(settings, directory),
        settings.bundles.keep,
        settings.bundles.most_mb * 1_000_000,
        now,
    )


def centre_of(settings: Settings) -> Centre:
    """Give where this gateway fetches from, and what it trusts.

    Raises:
        UnavailableError: when nothing says whom to trust.
        RefusedError: when no bundles are set.
    """
    bundles, files = settings.bundles, EnrolmentFiles(settings.enrolment_dir)
    if not bundles.url:
        raise RefusedError("No bundles are fetched here: bundles.url in schoolgate.yaml is empty.")
    root = bundles.root_file or files.root
    try:
        content = root.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"The trust's root {root} cannot be read: {error.strerror}. 'schoolgate enrol' brings it, or "
            "bundles.root_file names it."
        ) from error
    return Centre(bundles.url, content, bundles.ring, files.context())


def check_bundle(settings: Settings, directory: Path) -> None:
    """Refuse a bundle with which this gateway could not work, as ``policy check`` would.

    Raises:
        ConfigurationError: with every fault.
    """
    policy = load_policy_with(settings, directory)
    load_people_of(settings, policy)
    lists = directory / BUNDLED_LISTS
    if not lists.exists():
        return
    generation = read_generation(lists)
    missing = [
        Fault(str(generation.path_of(each)), 0, "is not in the bundle")
        for each in generation.lists.values()
        if not generation.path_of(each).is_file()
    ]
    if missing:
        raise ConfigurationError(missing)
    if (lists / INDEX).exists():
        open_index(lists / INDEX)


def files_of_policy(settings: Settings, base: str) -> dict[str, Path]:
    """Give the files of a trust's policy and of those that it extends, as a bundle has them.

    Raises:
        ConfigurationError: with every fault; none of them may reach a gateway.
    """
    start = settings.policies_dir / f"{base}.yaml"
    load_policy(start, category_names(settings.lists.dirs))
    found: dict[str, Path] = {}
    name = base
    while name:
        file = settings.policies_dir / f"{name}.yaml"
        data = read_document(file).data
        found[f"{BUNDLED_POLICIES}/{file.name}"] = file
        for other in _named(data):
            # Beside the policies, or above them: as they lie here they lie in the bundle.
            place = (
                other.removeprefix(_BESIDE)
                if other.startswith(_BESIDE)
                else f"{BUNDLED_POLICIES}/{other}"
            )
            found[place] = settings.policies_dir / other
        name = data.get("extends", "")
    return found


def files_of_lists(settings: Settings) -> dict[str, Path]:
    """Give the fetched lists that are live, with the index that is made of them once for all gateways.

    Raises:
        RefusedError: when there are none.
        ConfigurationError: with every fault.
    """
    places = list_places(settings).settled()
    if places.fetched is None:
        raise RefusedError("There are no fetched lists: 'schoolgate lists update' first.")
    load_catalogue(places, now(), keep=True)
    generation = read_generation(places.fetched)
    files = [places.fetched / MANIFEST, *map(generation.path_of, generation.lists.values())]
    files += [places.index] if places.index.exists() else []
    return {f"{BUNDLED_LISTS}/{file.name}": file for file in files}


def _named(data: dict[str, object]) -> Iterator[str]:
    for key in _NAMED:
        if isinstance(value := data.get(key), str):
            yield value
    timetable = data.get("timetable")
    if isinstance(timetable, dict):
        yield from (each["file"] for each in timetable.get("import") or ())
