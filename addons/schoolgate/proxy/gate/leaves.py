"""TLS contexts of the gate's own: a certificate of the gateway's CA for each name, made once."""

import os
import ssl
from collections import OrderedDict
from collections.abc import Callable

# A context holds tens of kilobytes, and these are the blocked sites of the hour.
_MOST_KEPT = 100

type Leaf = Callable[[str], bytes]


class Leaves:
    """Gives the context with which the gate speaks in a blocked site's place.

    Args:
        leaf: makes certificate and key of a name, in PEM form.
    """

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    def context(self, name: str) -> ssl.SSLContext:
        """Give the context for a host name or address."""
        context = self._contexts.get(name)
        if context is not None:
            self._contexts.move_to_end(name)
            return context
        context = self._contexts[name] = _context(self._leaf(name))
        if len(self._contexts) > _MOST_KEPT:
            self._contexts.popitem(last=False)
        return context

    def forget(self) -> None:
        """Make every context anew, as another CA signs; connections keep the one they have."""
        self._contexts.clear()


def _context(pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Nobody comes back to a block page.
    context.num_tickets = 0
    # The standard library reads files only; this one never is on a disk.
    descriptor = os.memfd_create("leaf", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context
