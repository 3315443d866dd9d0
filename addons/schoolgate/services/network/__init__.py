"""What the rest of the machine and the devices are told, made from the settings; every part is text.

The settings are the only place where this is written down: nft, dnsmasq, the kernel and the browsers
each get their own form of it.
"""

from schoolgate.services.network.balancing import unbalanced
from schoolgate.services.network.browsers import Browser, browser_policy
from schoolgate.services.network.counting import counted_since, write_counters
from schoolgate.services.network.findings import living
from schoolgate.services.network.fitting import misfits, strays
from schoolgate.services.network.kernel import forwarding, sysctl
from schoolgate.services.network.loading import (
    apply,
    close,
    forwarded,
    is_loaded,
    loaded_edition,
)
from schoolgate.services.network.names import dnsmasq
from schoolgate.services.network.pac_file import pac
from schoolgate.services.network.packet_filter import TABLE, edition, ruleset
from schoolgate.services.network.ways import Ways

__all__ = [
    "TABLE",
    "Browser",
    "Ways",
    "apply",
    "browser_policy",
    "close",
    "counted_since",
    "dnsmasq",
    "edition",
    "forwarded",
    "forwarding",
    "is_loaded",
    "living",
    "loaded_edition",
    "misfits",
    "pac",
    "ruleset",
    "strays",
    "sysctl",
    "unbalanced",
    "write_counters",
]
