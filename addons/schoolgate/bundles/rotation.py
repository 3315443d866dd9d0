"""Other keys for bundles: a root that names them follows the one before (The Update Framework, 6.1).

A new key lies beside the old one until all that has to be signed with it is signed; whoever is killed
begins again with the same key. Each step leaves a repository that gateways can follow.
"""

from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from schoolgate.bundles.keys import (
    ONLINE,
    ROOT,
    TARGETS,
    Keyring,
    next_file,
    next_signer,
    signer_of,
    take_next,
)
from schoolgate.bundles.repository import ROOT_DAYS, Repository
from schoolgate.core.errors import UnavailableError

_SIGNS = {ROOT: (Root.type,), TARGETS: (Targets.type,), ONLINE: (Snapshot.type, Timestamp.type)}


def rotate(repository: Repository, role: str, keys: Path, now: datetime) -> Root:
    """Make a new key for a role, and have gateways believe it alone.

    A key that was lost can be replaced as well, but for that of the root. Killed at any moment, the
    same call goes on.

    Args:
        repository: of the centre.
        role: whose key.
        keys: where they all are; the new one takes the place of the old one there.
        now: aware.

    Returns:
        The root that names it.

    Raises:
        UnavailableError: when the root's key, or one that has to sign again, cannot be read, or a file not
            be written.
    """
    root = repository.root()
    old = _old_signer(root, role, keys)
    following = next_signer(keys, role)
    if not _names(root, role, following):
        # Before there is a new root, so that gateways that have it and those that do not can read it.
        if role != ROOT and old is not None:
            _sign_again(repository, role, Keyring(keys, {role: [old, following]}), now)
        root = _with_key(root, role, following, now)
        signers = [signer_of(keys, ROOT)]
        repository.write_root(root, [*signers, following] if role == ROOT else signers)
    if role != ROOT:
        _sign_again(repository, role, Keyring(keys, {role: [following]}), now)
    take_next(keys, role)
    return root


def renew(repository: Repository, keys: Path, now: datetime) -> Root:
    """Sign the root once more with the same keys, good for as long as a new one.

    Raises:
        UnavailableError: when the root's key cannot be read or a file not be written.
    """
    root, signer = repository.root(), signer_of(keys, ROOT)
    if not _names(root, ROOT, signer):
        raise _not_the_roots(keys, root)
    root = _following(root, now)
    repository.write_root(root, [signer])
    return root


def _old_signer(root: Root, role: str, keys: Path) -> CryptoSigner | None:
    """Give the key that is to go; None where it was lost, or is another than the root names."""
    if role != ROOT and not (keys / f"{role}.key").exists():
        # Without its root nothing is begun.
        signer_of(keys, ROOT)
        return None
    old, chief = signer_of(keys, role), signer_of(keys, ROOT)
    half = next_file(keys, ROOT).exists() and role == ROOT
    if not _names(root, ROOT, chief) and not half:
        raise _not_the_roots(keys, root)
    return old if _names(root, role, old) else None


def _not_the_roots(keys: Path, root: Root) -> UnavailableError:
    return UnavailableError(
        f"{keys / 'root.key'} is not the key that root {root.version} names: bring the newest copy of it, "
        "or finish 'schoolgate trust bundle rotate root'."
    )


def _names(root: Root, role: str, signer: CryptoSigner) -> bool:
    """Ask whether a root says that a key may sign for a role."""
    return all(signer.public_key.keyid in root.roles[name].keyids for name in _SIGNS[role])


def _with_key(root: Root, role: str, signer: CryptoSigner, now: datetime) -> Root:
    """Give the root that follows one, with another key for a role."""
    made = _following(root, now)
    for name in _SIGNS[role]:
        for keyid in list(made.roles[name].keyids):
            made.revoke_key(keyid, name)
        made.add_key(signer.public_key, name)
    return made


def _following(root: Root, now: datetime) -> Root:
    made = deepcopy(root)
    made.version += 1
    made.expires = (now + timedelta(days=ROOT_DAYS)).replace(microsecond=0)
    return made


def _sign_again(repository: Repository, role: str, keys: Keyring, now: datetime) -> None:
    repository.sign_again(keys, now, with_targets=role == TARGETS)
