"""ClientHellos as programs write them, put together from their parts."""

import struct

NEWEST = (0x0A0A, 0x0304, 0x0303)
# A point of X25519 that every library takes.
_POINT = b"\x09" + bytes(31)
TARGET = "www.blocked-category.example"


def hello(
    name: str | None = TARGET,
    versions: tuple[int, ...] | None = NEWEST,
    legacy: int = 0x0303,
    *,
    is_hybrid: bool = False,
    has_ech: bool = False,
    has_esni: bool = False,
    record: int = 16_384,
) -> bytes:
    """Give one in records.

    Args:
        name: in its server_name; None for no such extension.
        versions: in supported_versions; None for no such extension.
        legacy: what stands in the field for the version.
        is_hybrid: with a key share of ML-KEM, which makes it longer than a packet.
        has_ech: with an encrypted inner hello, or the noise that browsers send in its place.
        has_esni: with an encrypted name of the drafts before that.
        record: bytes of it in one record.
    """
    extensions = b""
    if name is not None:
        raw = name.encode()
        extensions += _extension(0, struct.pack(">HBH", len(raw) + 3, 0, len(raw)) + raw)
    if versions is not None:
        listed = struct.pack(f">{len(versions)}H", *versions)
        extensions += _extension(43, bytes((len(listed),)) + listed)
    extensions += _extension(10, b"\x00\x06\x11\xec\x00\x1d\x00\x17")
    extensions += _extension(13, b"\x00\x06\x04\x03\x08\x04\x04\x01")
    share = b"\x11\xec" + struct.pack(">H", 1216) + bytes(1184) + _POINT if is_hybrid else b""
    share += b"\x00\x1d\x00\x20" + _POINT
    extensions += _extension(51, struct.pack(">H", len(share)) + share)
    if has_ech:
        extensions += _extension(0xFE0D, bytes(218))
    if has_esni:
        extensions += _extension(0xFFCE, bytes(240))
    body = struct.pack(">H", legacy) + bytes(32) + b"\x20" + bytes(32)
    body += b"\x00\x04\x13\x01\xc0\x2b" + b"\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3) + body
    pieces = [message[at : at + record] for at in range(0, len(message), record)]
    return b"".join(b"\x16\x03\x01" + struct.pack(">H", len(p)) + p for p in pieces)


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body
