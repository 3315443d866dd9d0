"""Networks of schools for these tests."""

from pathlib import Path
from typing import Any

import yaml

from schoolgate.services.network import Ways
from schoolgate.settings import Settings

GOLDEN = Path(__file__).with_name("golden")

# With everything that can be set.
HILL = yaml.safe_load("""
inside: [eth1, eth1.20]
outside: [eth0]
addresses: [10.20.0.1, "fd00:20::1"]
clients: [10.20.0.0/16, "fd00:20::/48"]
administration: [10.20.1.0/28]
bypass: [10.20.9.0/24, "fd00:20:9::/64"]
open:
  - {to: [17.0.0.0/8], tcp: [5223, 2197]}
  - {to: [10.30.0.1/32, "fd00:30::1/128"], udp: [123]}
masquerade: true
name_servers: [192.0.2.53]
domain: hill.internal
leases: [10.20.0.50-10.20.0.250]
direct: [intranet.hill.internal]
""")
BOTH = {"listen": "0.0.0.0:8080", "transparent_listen": "0.0.0.0:8081"}


def settings(network: dict[str, Any] | None = None, **proxy: str) -> Settings:
    """Give the settings of a machine that stands like this."""
    return settings_with({}, network or {}, **proxy)


def settings_with(tunnels: dict[str, Any], network: dict[str, Any], **proxy: str) -> Settings:
    """Give those of one that serves devices at home."""
    return Settings.model_validate({"network": network, "wireguard": tunnels, "proxy": proxy})


def ways(network: dict[str, Any] | None = None, **proxy: str) -> Ways:
    """Give the ways into its filter."""
    return Ways.of(settings(network, **proxy))


def hill() -> Ways:
    """Give those of the school that has everything."""
    return ways(HILL, **BOTH)
