"""The devices at home, in a file of the state directory that every process reads."""

import fcntl
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.wireguard.files import make_directory, write_whole
from schoolgate.wireguard.keys import is_public_key

PEERS = "peers.json"
_LOCK = "peers.lock"
_MOST_BYTES = 16_000_000


class NamedTwiceError(ValueError):
    """Two devices have the same name, key or address."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A device.

    Attributes:
        name: its id, as policies and suspensions name devices.
        public_key: what it proves that it has.
        addresses: of its own within the tunnel, one of each family, in their one form.
        group: of the policy; "" for what people.yaml says of the device, or the strictest.
        user: whose it is; "" for nobody's in particular.
        kind: for rules about kinds of devices.
        added: the day, in ISO 8601.
    """

    name: str
    public_key: str
    addresses: tuple[str, ...]
    group: str = ""
    user: str = ""
    kind: str = ""
    added: str = ""


def read_peers(directory: Path) -> tuple[Peer, ...]:
    """Read the devices; where there is no file there are none.

    Raises:
        UnavailableError: when it cannot be read, or is damaged.
    """
    file = directory / PEERS
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}.") from error
    try:
        return _checked(_peer(row) for row in json.loads(content))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnavailableError(
            f"{file} is damaged ({error}): restore it from a back-up."
        ) from error


def change_peers(
    directory: Path, change: Callable[[tuple[Peer, ...]], Iterable[Peer]]
) -> tuple[Peer, ...]:
    """Change the devices, one change after the other; in force within two seconds.

    Args:
        directory: where they are; made where it is not there.
        change: gives what they are to be of what they are; what it raises changes nothing.

    Raises:
        NamedTwiceError: when two would have the same name, key or address.
        UnavailableError: when the file cannot be read or written.
    """
    try:
        make_directory(directory)
        with (directory / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            peers = _checked(change(read_peers(directory)))
            rows = json.dumps([asdict(peer) for peer in peers], indent=1)
            write_whole(directory / PEERS, rows.encode() + b"\n")
    except OSError as error:
        raise UnavailableError(f"{directory / PEERS}: {error.strerror or error}.") from error
    return peers


def _peer(row: dict[str, object]) -> Peer:
    addresses, public_key = row["addresses"], str(row["public_key"])
    if not isinstance(addresses, list) or not is_public_key(public_key):
        raise ValueError(f"of {row['name']}")
    texts = {key: str(row.get(key, "")) for key in ("group", "user", "kind", "added")}
    own = tuple(str(ip_address(address)) for address in addresses)
    return Peer(str(row["name"]), public_key, own, **texts)


def _checked(peers: Iterable[Peer]) -> tuple[Peer, ...]:
    found = tuple(peers)
    taken: set[str] = set()
    for peer in found:
        for said in (f"name {peer.name}", f"key {peer.public_key}", *peer.addresses):
            if said in taken:
                raise NamedTwiceError(f"{said} is another device's already")
            taken.add(said)
    return found
