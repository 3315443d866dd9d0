"""The state of a node: a hash of its name that grows label by label from the right.

Both readers and both builders compute it alike; `native/sg.h` is the same in C.
"""

HOST_FACTOR = 0x9E3779B97F4A7C15
PATH_FACTOR = 0xD6E8FEB86659FD93
MASK = (1 << 64) - 1


def step(state: int, part: bytes, factor: int) -> int:
    """Give the state of a node from its parent's and its own label or path segment.

    Args:
        state: of the parent, or the seed; 64 bits.
        part: the label or segment, ASCII letters in lower case.
        factor: `HOST_FACTOR` for a label, `PATH_FACTOR` for a segment.
    """
    # The length is in the multiplier: else a part would equal itself with zero bytes behind.
    multiplier = (factor + 2 * len(part)) & MASK
    for start in range(0, len(part) or 1, 8):
        word = int.from_bytes(part[start : start + 8], "little")
        product = (state ^ word) * multiplier
        state = (product & MASK) ^ (product >> 64)
    return state


def place_of(state: int, buckets: int, tag_bits: int) -> tuple[int, int, int, int]:
    """Give where a node may stand: bucket, low word of the tag, high bits of it, kind."""
    tag = state & ((1 << tag_bits) - 1)
    low = tag & 0xFFFFFFFF
    return state * buckets >> 64, low or 1, tag >> 32, 1 << (state >> 39 & 7)


def host_labels(host: bytes) -> list[bytes]:
    """Split a host in lower case into labels from the right; an address is one label.

    One root dot is dropped (RFC 1034, 3.1).
    """
    if len(host) > 1 and host.endswith(b"."):
        host = host[:-1]
    return [host] if is_address(host) else host.split(b".")[::-1]


def is_address(host: bytes) -> bool:
    """Ask whether a normalised host is an IP address rather than a name (`core.hosts`)."""
    if host.startswith(b"["):
        return True
    # Nearly every host is settled by its last character.
    if not host[-1:].isdigit():
        return False
    numbers = host.split(b".")
    return len(numbers) == 4 and all(
        number.isdigit()
        and len(number) <= 3
        and int(number) <= 255
        and (number == b"0" or not number.startswith(b"0"))
        for number in numbers
    )
