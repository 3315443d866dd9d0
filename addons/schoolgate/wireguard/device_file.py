"""What a device is told of its tunnel, in the form that every WireGuard program reads (man 8 wg-quick)."""

from collections.abc import Sequence

from schoolgate.wireguard.peers import Peer

# The least that IPv6 allows: it fits through every line at home, whatever else packs it in again.
_MTU = 1280
# Less than the half minute for which routers at home keep a way back open.
_KEEPALIVE_SECONDS = 25


def device_file(
    peer: Peer, private_key: str, gateway_key: str, endpoint: str, name_servers: Sequence[object]
) -> str:
    """Give the file; everything of the device goes through the tunnel.

    Args:
        peer: the device.
        private_key: its own; "" where it alone knows it.
        gateway_key: the gateway's public key.
        endpoint: where the gateway is found, as ``host:port``.
        name_servers: within the tunnel.
    """
    own = ", ".join(f"{address}/{128 if ':' in address else 32}" for address in peer.addresses)
    key = f"PrivateKey = {private_key}" if private_key else "# PrivateKey = the device's own"
    servers = ", ".join(str(one) for one in name_servers)
    return (
        f"# {peer.name}\n[Interface]\n{key}\nAddress = {own}\nDNS = {servers}\nMTU = {_MTU}\n\n"
        f"[Peer]\nPublicKey = {gateway_key}\nAllowedIPs = 0.0.0.0/0, ::/0\n"
        f"Endpoint = {endpoint}\nPersistentKeepalive = {_KEEPALIVE_SECONDS}\n"
    )
