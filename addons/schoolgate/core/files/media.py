"""Audio and video as a file, by its first bytes."""

_IMAGES = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"avif", b"avis", b"mif1", b"msf1", b"crx ")
_FIRST = (
    b"\x1aE\xdf\xa3", b"ID3", b"OggS", b"fLaC", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"#!AMR", b"MThd", b".snd", b".RMF", b"wvpk", b"MAC ",
    b"DSD ", b"caff\x00\x01", b"TTA1",
)  # fmt: skip
_RIFF = (b"WAVE", b"AVI ", b"RMID")
_BOXES = (b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"wide", b"pnot")


def is_media(head: bytes) -> bool:
    """Ask whether a file begins as one of audio or video does."""
    if head.startswith(_FIRST):
        return True
    if head[4:8] in _BOXES and int.from_bytes(head[:4], "big") not in range(2, 8):
        return not (head[4:8] == b"ftyp" and head[8:12] in _IMAGES)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] in _RIFF:
        return True
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return True
    return _is_transport_stream(head) or _is_mpeg_audio(head)


def _is_transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes (ISO/IEC 13818-1), or of 192 with a time before each."""
    return any(
        len(head) > first + 2 * size and all(head[first + n * size] == 0x47 for n in range(3))
        for first, size in ((0, 188), (4, 192))
    )


def _is_mpeg_audio(head: bytes) -> bool:
    """A frame of MPEG audio or AAC in ADTS: a sync word, then a layer and rates that exist."""
    if len(head) < 4 or head[0] != 0xFF:
        return False
    second, third = head[1], head[2]
    if second & 0xF6 == 0xF0:
        return third >> 2 & 15 < 13
    is_layer = second & 0xE0 == 0xE0 and second >> 3 & 3 != 1 and second & 6 != 0
    return is_layer and third >> 4 not in (0, 15) and third >> 2 & 3 != 3
