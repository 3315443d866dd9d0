"""WireGuard for the school's devices at home, without a kernel's and without privileges.

What a device sends is decrypted and made connections again by mitmproxy_rs; everything around it is
here: who the devices are, that none uses the address of another, and what of theirs goes where.
"""

from schoolgate.wireguard.device_file import device_file
from schoolgate.wireguard.keys import ensure_key, is_public_key, new_key, public_key
from schoolgate.wireguard.peers import (
    PEERS,
    NamedTwiceError,
    Peer,
    change_peers,
    read_peers,
)
from schoolgate.wireguard.seen import Seen, Sight, read_seen

__all__ = [
    "PEERS",
    "NamedTwiceError",
    "Peer",
    "Seen",
    "Sight",
    "change_peers",
    "device_file",
    "ensure_key",
    "is_public_key",
    "new_key",
    "public_key",
    "read_peers",
    "read_seen",
]
