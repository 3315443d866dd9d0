"""What the packet filter refused, counted on: from the kernel, by way of a file, to whoever keeps count.

Only root may ask nft. So a timer writes the figures down, and a worker without any right reads them.
"""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from schoolgate.services.network.loading import counters

# Of ways round the filter, by the counters of the rules.
KINDS = {
    "quic": "quic",
    "dns": "dns-elsewhere",
    "dns_over_tls": "dns-over-tls",
    "tunnels": "vpn",
    "others": "other-ports",
}
_LONGEST_BYTES = 10_000


def write_counters(file: Path) -> dict[str, int]:
    """Write the figures of the kernel into a file that everybody may read; give them.

    Raises:
        UnavailableError: when they cannot be asked for.
        OSError: when the file cannot be written.
    """
    found = counters()
    _write(file, found, 0o644)
    return found


def counted_since(file: Path, kept: Path) -> dict[str, int]:
    """Give how many packets were refused since this was asked last, by kind; each is given once.

    A counter that went back began anew: the rules were loaded again.

    Args:
        file: of `write_counters`.
        kept: where it is noted what was given already.

    Raises:
        OSError, ValueError: when a file cannot be read or written; nothing is given then, and nothing lost.
    """
    with _alone(kept):
        now, before = _read(file), _read(kept)
        if now == before:
            return {}
        _write(kept, now, 0o600)
    grown = {
        KINDS[name]: packets - (before.get(name, 0) if packets >= before.get(name, 0) else 0)
        for name, packets in now.items()
        if name in KINDS
    }
    return {kind: packets for kind, packets in grown.items() if packets}


def _read(file: Path) -> dict[str, int]:
    try:
        with file.open("rb") as content:
            told = json.loads(content.read(_LONGEST_BYTES))
    except FileNotFoundError:
        return {}
    if not isinstance(told, dict) or not all(type(value) is int for value in told.values()):
        raise ValueError(f"{file} holds no counters")
    return told


def _write(file: Path, figures: dict[str, int], mode: int) -> None:
    aside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps(figures))
        aside.chmod(mode)
        aside.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


@contextlib.contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Let nobody else count meanwhile: a worker that ends may still do so."""
    held = os.open(kept.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
