"""One fetch at a gateway: asked, verified and judged whole, and only then in force, in one step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schoolgate.bundles.client import Centre, Client
from schoolgate.bundles.manifest import Manifest, judge
from schoolgate.bundles.store import BundleStore, Status
from schoolgate.core.errors import (
    ConfigurationError,
    RefusedError,
    SchoolgateError,
    UnavailableError,
)
from schoolgate.lists.locking import only_one

_LOCK = ".fetching"


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway brings to a fetch.

    Attributes:
        store: what it keeps of bundles.
        check: refuses, by a ConfigurationError, a folder whose policies or lists are not in order here.
        keep: how many bundles are kept.
        most_bytes: that one may have.
        now: gives the time, aware.
    """

    store: BundleStore
    check: Callable[[Path], None]
    keep: int
    most_bytes: int
    now: Callable[[], datetime]


def fetch(gateway: Gateway, centre: Callable[[], Centre]) -> Manifest | None:
    """Fetch what is let out, and put it in force; how it ended is kept either way.

    Args:
        gateway: what it brings.
        centre: gives where it fetches from.

    Returns:
        What is in force from now on; None where nothing changed.

    Raises:
        RefusedError: when what came is not to be trusted, or not for this gateway.
        ConfigurationError: when it is, and this gateway could not work with it.
        UnavailableError: when it cannot be had or written.
    """
    with only_one(gateway.store.directory, _LOCK, 0o600, _occupied):
        try:
            found = _fetch(gateway, Client(centre()))
        except SchoolgateError as error:
            gateway.store.tried(gateway.now(), str(error).splitlines()[0])
            raise
        gateway.store.tried(gateway.now(), "")
        return found


def roll_back(store: BundleStore, version: int | None) -> tuple[int, int]:
    """Put an earlier bundle in force (`BundleStore.roll_back`), and not while one is fetched."""
    with only_one(store.directory, _LOCK, 0o600, _occupied):
        return store.roll_back(version)


def _fetch(gateway: Gateway, client: Client) -> Manifest | None:
    store = gateway.store
    manifest, signed = client.manifest(store.metadata)
    if not _is_wanted(manifest, _in_force(store), store.status()):
        return None
    judge(manifest, client.centre.ring, gateway.now(), gateway.most_bytes)
    staging = store.staging()
    files = {each.path: store.here(each) or client.blob(each, staging) for each in manifest.files}
    aside = store.lay_out(signed, files)
    gateway.check(aside)
    store.put_in_force(aside, manifest, gateway.keep)
    return manifest


def _is_wanted(manifest: Manifest, in_force: Manifest | None, status: Status) -> bool:
    """Ask whether a bundle is newer than what is here.

    The metadata already says so by its own versions; that may be lost with its folder.

    Raises:
        RefusedError: when it is older, or another of the same version.
    """
    if manifest.version < status.highest:
        raise RefusedError(
            f"The bundle is refused: version {manifest.version} is older than {status.highest}, "
            "which was here already."
        )
    if in_force is not None and manifest.version == in_force.version:
        if manifest != in_force:
            raise RefusedError(f"There are two bundles of version {manifest.version}: refused.")
        return False
    return manifest.version > status.held


def _in_force(store: BundleStore) -> Manifest | None:
    try:
        return store.in_force()
    except ConfigurationError:
        # What is damaged is replaced.
        return None


def _occupied(_attempt: int) -> None:
    raise UnavailableError("Another fetch of a bundle is going on.")
