"""The gateway's own certificate authority: made on first start, kept private, followed by the next."""

from schoolgate.authority.rotation import (
    Listed,
    Standing,
    listed,
    mark,
    named,
    published,
    remove,
    renew,
    switch,
    switch_back,
)
from schoolgate.authority.store import (
    CERTIFICATE,
    CaInfo,
    describe,
    ensure,
    export_pem,
    secret_for,
)

__all__ = [
    "CERTIFICATE",
    "CaInfo",
    "Listed",
    "Standing",
    "describe",
    "ensure",
    "export_pem",
    "listed",
    "mark",
    "named",
    "published",
    "remove",
    "renew",
    "secret_for",
    "switch",
    "switch_back",
]
