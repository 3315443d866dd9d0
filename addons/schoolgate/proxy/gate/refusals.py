"""How a connection is refused without a page, and what of a ClientHello rules may refuse."""

from schoolgate.core.hosts import as_ip
from schoolgate.core.policy import Shape
from schoolgate.proxy.gate.hello import ClientHello

# RFC 8446, 6: a fatal alert, in a record that every version reads.
_ALERT = b"\x15\x03\x01\x00\x02\x02"
ACCESS_DENIED = _ALERT + b"\x31"
PROTOCOL_VERSION = _ALERT + b"\x46"
# By the first byte of a greeting. RFC 1928, 3: no method is acceptable; and the refusal of SOCKS 4.
NO_SOCKS = {5: b"\x05\xff", 4: b"\x00\x5b" + bytes(6)}


def shapes_of_hello(hello: ClientHello, name: str, target: str) -> tuple[Shape, ...]:
    """Give what a ClientHello in a tunnel looks like; nothing for nearly all of them.

    Args:
        hello: what it says.
        name: the name in it, normalised; empty where there is none.
        target: the host that the tunnel is to.
    """
    if name and not hello.hides_name and not hello.is_old:
        return ()
    # Nobody can name an address in a hello (RFC 6066, 3); it is judged as the site itself.
    is_named = bool(name) or as_ip(target) is not None
    return tuple(
        shape
        for shape, is_so in (
            (Shape.OLD_TLS, hello.is_old),
            (Shape.HIDDEN_NAME, hello.hides_name),
            (Shape.NO_NAME, not is_named),
        )
        if is_so
    )
