"""Small media files put together from their parts."""

import struct


def box(kind: str, *contents: bytes) -> bytes:
    """Give a box of MP4."""
    body = b"".join(contents)
    return struct.pack(">I4s", 8 + len(body), kind.encode()) + body


def mvhd(ticks: int, timescale: int = 1000) -> bytes:
    """Give the header of a film."""
    return box("mvhd", bytes(12), struct.pack(">II", timescale, ticks), bytes(80))


def sidx(seconds: list[int], track: int = 1, timescale: int = 1000) -> bytes:
    """Give an index of pieces."""
    pieces = b"".join(struct.pack(">III", 100, each * timescale, 0) for each in seconds)
    head = struct.pack(">IIIIIHH", 0, track, timescale, 0, 0, 0, len(seconds))
    return box("sidx", head, pieces)


def track(id_: int, timescale: int) -> bytes:
    """Give the headers of a track."""
    tkhd = box("tkhd", bytes(12), struct.pack(">I", id_), bytes(64))
    mdhd = box("mdhd", bytes(12), struct.pack(">II", timescale, 0), bytes(4))
    return box("trak", tkhd, box("mdia", mdhd))


def fragment(track_id: int, ticks: int) -> bytes:
    """Give a fragment that begins at a time, with its media."""
    tfhd = box("tfhd", bytes(4), struct.pack(">I", track_id))
    tfdt = box("tfdt", bytes(4), struct.pack(">I", ticks))
    return box("moof", box("traf", tfhd, tfdt)) + box("mdat", bytes(50))


FTYP = box("ftyp", b"isom", bytes(4), b"isommp42")


def element(id_: int, body: bytes, *, known: bool = True) -> bytes:
    """Give an element of EBML."""
    size = (1 << 56 | len(body)).to_bytes(8) if known else b"\x01" + b"\xff" * 7
    return id_.to_bytes((id_.bit_length() + 7) // 8) + size + body


def webm(duration: float | None, clusters: list[int], *, known: bool = True) -> bytes:
    """Give a WebM file; times in milliseconds."""
    info = element(0x2AD7B1, (1_000_000).to_bytes(3))
    if duration is not None:
        info += element(0x4489, struct.pack(">d", duration))
    parts = [element(0x1549A966, info)]
    parts += [
        element(0x1F43B675, element(0xE7, t.to_bytes(4)) + element(0xA3, bytes(200)))
        for t in clusters
    ]
    header = element(0x1A45DFA3, element(0x4282, b"webm"))
    return header + element(0x18538067, b"".join(parts), known=known)


def mp3_frame(first: bytes = b"") -> bytes:
    """Give a frame of MPEG-1 layer III: 128 kbit/s at 44.1 kHz, stereo, 417 bytes."""
    return (b"\xff\xfb\x90\x00" + first).ljust(417, b"\x00")


def xing(frames: int) -> bytes:
    """Give a first frame with a table of the whole."""
    return mp3_frame(bytes(32) + b"Xing" + struct.pack(">II", 1, frames))


def ogg_page(
    granule: int, *, first: bool = False, last: bool = False, body: bytes = b"x" * 100
) -> bytes:
    """Give a page of Ogg."""
    flags = 2 * first + 4 * last
    return (
        b"OggS\x00"
        + bytes([flags])
        + struct.pack("<QII", granule, 7, 0)
        + bytes(4)
        + bytes([1, len(body)])
        + body
    )


VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 2, 44_100) + bytes(14)


def flac(samples: int, rate: int = 44_100) -> bytes:
    """Give the beginning of a FLAC file."""
    return (
        b"fLaC\x80\x00\x00\x22"
        + bytes(10)
        + (rate << 44 | 1 << 41 | 15 << 36 | samples).to_bytes(8)
        + bytes(16)
    )


def wav(seconds: int, size: int | None = None, a_second: int = 8_000) -> bytes:
    """Give the beginning of a WAV file."""
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, a_second, a_second, 1, 8)
    data = b"data" + struct.pack("<I", seconds * a_second if size is None else size)
    return b"RIFF" + bytes(4) + b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\x00" + fmt + data


def packet(clock: int | None) -> bytes:
    """Give a packet of a transport stream, with a clock in ticks of 90 kHz."""
    if clock is None:
        return b"\x47\x01\x00\x10".ljust(188, b"\xff")
    field = bytes([183, 0x10]) + (clock >> 1).to_bytes(4) + bytes([(clock & 1) << 7, 0])
    return (b"\x47\x01\x00\x20" + field).ljust(188, b"\xff")
