"""The forms that are recognised by their first bytes, and what each is called."""

import struct

from schoolgate.core.files.finding import Kind

# For people, with an article.
TITLES = {
    "pe": "a Windows program", "dos": "a DOS program", "elf": "a Linux program",
    "mach-o": "a Mac program", "appimage": "a Linux program (AppImage)", "java": "a Java program",
    "dex": "an Android program", "llvm": "a compiled program", "msi": "a Windows installer",
    "msix": "a Windows app package", "installshield": "a Windows installer",
    "deb": "a Debian package", "rpm": "an RPM package", "apk": "an Android app",
    "aab": "an Android app bundle", "ipa": "an app for iPhone or iPad", "pkg": "a Mac installer",
    "snap": "a Linux package (Snap)", "flatpak": "a Linux package (Flatpak)",
    "flatpakref": "a Linux package (Flatpak)", "crx": "a browser extension",
    "xpi": "a browser extension", "extension": "a browser extension", "jar": "a Java program",
    "wheel": "a Python package", "nupkg": "a NuGet package", "vsix": "an editor extension",
    "oxt": "an office extension", "jnlp": "a Java Web Start program",
    "clickonce": "a Windows installer (ClickOnce)", "appinstaller": "a Windows installer",
    "iso": "a disk image (ISO)", "udf": "a disk image (UDF)", "img": "a disk image",
    "dmg": "a Mac disk image", "hfs": "a Mac disk image", "apfs": "a Mac disk image",
    "vhd": "a disk image (VHD)", "vhdx": "a disk image (VHDX)", "vmdk": "a disk image (VMDK)",
    "qcow2": "a disk image (QCOW2)", "vdi": "a disk image (VDI)", "wim": "a Windows image",
    "squashfs": "a disk image (SquashFS)", "ext": "a disk image (ext)",
    "shebang": "a script", "powershell": "a PowerShell script", "batch": "a Windows batch file",
    "vbscript": "a VBScript", "jscript": "a JScript file", "script-encoded": "an encoded script",
    "hta": "an HTML application", "wsf": "a Windows script file", "reg": "a registry file",
    "desktop": "a Linux starter", "lnk": "a Windows shortcut", "applescript": "an AppleScript",
    "ole-vba": "a document with macros", "ooxml-vba": "a document with macros",
    "odf-basic": "a document with macros",
    "torrent": "a torrent", "tracker": "an answer of a BitTorrent tracker",
    "tracker-request": "a question to a BitTorrent tracker", "bittorrent": "BitTorrent",
    "magnet": "a magnet link", "nzb": "a Usenet download list (NZB)",
    "dc": "a Direct Connect file list", "ed2k": "an eDonkey link list",
    "media": "audio or video as a file",
    "zip": "a ZIP archive", "7z": "a 7z archive", "rar": "a RAR archive", "cab": "a cabinet archive",
    "gzip": "a gzip archive", "bzip2": "a bzip2 archive", "xz": "an xz archive",
    "lzma": "an lzma archive", "lzip": "an lzip archive", "zstd": "a zstd archive",
    "tar": "a tar archive", "cpio": "a cpio archive", "ar": "an ar archive", "ole": "a document",
    "arj": "an ARJ archive", "ace": "an ACE archive", "lha": "an LHA archive",
    "zoo": "a ZOO archive", "lz4": "an lz4 archive", "compress": "a compressed file (.Z)",
    "lrzip": "an lrzip archive", "zpaq": "a zpaq archive", "stuffit": "a StuffIt archive",
    "named": "a program or installer, by its name",
    "bomb": "an archive that unpacks beyond all measure",
}  # fmt: skip

FILESHARING = frozenset(
    {"torrent", "tracker", "tracker-request", "bittorrent", "magnet", "nzb", "dc", "ed2k"}
)
# Archives that no standard library reads.
CLOSED = frozenset(
    {"arj", "ace", "lha", "zoo", "lz4", "compress", "lrzip", "zpaq", "stuffit"}
)  # fmt: skip
# Those that are looked into.
CONTAINERS = frozenset(
    {"zip", "7z", "rar", "cab", "gzip", "bzip2", "xz", "lzma", "lzip", "zstd", "tar", "cpio", "ar"}
) | {"ole"}  # fmt: skip

# Where a form is told by bytes at one place: (offset, bytes, id); the first that fits counts.
_FIXED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x7fELF", "elf"),
    (0, b"!<arch>\ndebian", "deb"), (0, b"!<arch>\n", "ar"), (0, b"!<thin>\n", "ar"),
    (0, b"\xed\xab\xee\xdb", "rpm"), (0, b"xar!\x00", "pkg"), (0, b"Cr24", "crx"),
    (0, b"dex\n0", "dex"), (0, b"BC\xc0\xde", "llvm"),
    (0, b"ISc(", "installshield"), (0, b"MSCF\x00\x00\x00\x00", "cab"),
    (0, b"flatpak\x00\x01", "flatpak"), (0, b"xdg-app\x00\x01", "flatpak"),
    (0, b"hsqs", "squashfs"), (0, b"sqsh", "squashfs"),
    (0, b"QFI\xfb", "qcow2"), (0, b"KDMV", "vmdk"), (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"conectix", "vhd"), (0, b"vhdxfile", "vhdx"), (0, b"MSWIM\x00\x00\x00", "wim"),
    (64, b"\x7f\x10\xda\xbe", "vdi"), (0, b"encrcdsa", "dmg"), (0, b"koly\x00\x00\x00\x04", "dmg"),
    (512, b"EFI PART", "img"), (32, b"NXSB", "apfs"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", "lnk"),
    (0, b"FasdUAS ", "applescript"), (0, b"#@~^", "script-encoded"),
    (0, b"\x13BitTorrent protocol", "bittorrent"),
    (0, b"PK\x03\x04", "zip"), (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08PK\x03\x04", "zip"), (0, b"PK00PK\x03\x04", "zip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"), (0, b"Rar!\x1a\x07", "rar"), (0, b"RE~^", "rar"),
    (0, b"BZh", "bzip2"), (0, b"\xfd7zXZ\x00", "xz"), (0, b"LZIP\x01", "lzip"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"), (257, b"ustar", "tar"),
    (0, b"070701", "cpio"), (0, b"070702", "cpio"), (0, b"070707", "cpio"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (7, b"**ACE**", "ace"), (20, b"\xdc\xa7\xc4\xfd", "zoo"), (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x02\x21\x4c\x18", "lz4"), (0, b"LRZI", "lrzip"), (0, b"7kSt", "zpaq"),
    (0, b"zPQ", "zpaq"), (0, b"SIT!", "stuffit"), (0, b"StuffIt (c)", "stuffit"),
)  # fmt: skip
_FIRST: dict[int, list[tuple[bytes, str]]] = {}
_LATER = [(offset, magic, form) for offset, magic, form in _FIXED if offset]
for _offset, _magic, _form in _FIXED:
    if not _offset:
        _FIRST.setdefault(_magic[0], []).append((_magic, _form))

# Where file systems begin that leave what is before them to others.
LATE_BYTES = 0x9000
_LATE = (
    (0x8001, b"CD001", "iso"), (0x8001, b"BEA01", "udf"), (0x8001, b"NSR0", "udf"),
    (0x400, b"H+\x00\x04", "hfs"), (0x400, b"HX\x00\x05", "hfs"),
)  # fmt: skip
_SHORT = {(b"BD", b""): "hfs", (b"", b"\x53\xef"): "ext"}
# Forms whose magic is a word that a text may have in its place, too.
_WORDS = frozenset(
    {
        "crx",
        "installshield",
        "squashfs",
        "vmdk",
        "lrzip",
        "zpaq",
        "stuffit",
        "wim",
        "apfs",
        "tar",
        "img",
    }
)


def kind_of(form: str) -> Kind | None:
    """Say what a form counts as; None for one that is looked into."""
    if form in CONTAINERS:
        return None
    if form in CLOSED:
        return Kind.SEALED
    return Kind.FILESHARING if form in FILESHARING else Kind.SOFTWARE


def form_of(head: bytes) -> str | None:
    """Recognise a form by its first bytes.

    Args:
        head: of the file; the first 4 KB, or all of a shorter one.

    Returns:
        Its id, or None where it is none of these.
    """
    if not head:
        return None
    for magic, form in _FIRST.get(head[0], ()):
        if head.startswith(magic) and _is_no_text(head, form):
            return _elf(head) if form == "elf" else form
    for check in _CHECKS.get(head[0], ()):
        known = check(head)
        if known is not None:
            return known
    for offset, magic, form in _LATER:
        if head.startswith(magic, offset) and _is_no_text(head, form):
            return form
    if head[2:3] + head[6:7] == b"--" and head[3:5] in (b"lh", b"lz", b"pm") and 0 in head[:32]:
        return "lha"
    return _boot_sector(head) or _old_tar(head)


def late_form_of(head: bytes) -> str | None:
    """Recognise a file system that begins further on, given the first `LATE_BYTES` or less."""
    for offset, magic, form in _LATE:
        if head.startswith(magic, offset):
            return form
    # These are short, but nothing stands before them.
    if not any(head[:0x400]):
        return _SHORT.get((head[0x400:0x402], b"")) or _SHORT.get((b"", head[0x438:0x43A]))
    return None


def _is_no_text(head: bytes, form: str) -> bool:
    if form == "bzip2":
        return head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")
    if form == "cpio":
        return all(digit in b"0123456789abcdefABCDEF" for digit in head[:76])
    return form not in _WORDS or 0 in head or head.startswith(b"# Disk")


def _elf(head: bytes) -> str:
    return "appimage" if head[8:11] in (b"AI\x01", b"AI\x02") else "elf"


def _dos(head: bytes) -> str | None:
    """A program for Windows or DOS; words that begin with MZ have no zero bytes."""
    if head[:2] != b"MZ" or len(head) < 64 or b"\x00" not in head[:64]:
        return None
    at = int.from_bytes(head[60:64], "little")
    is_dos_alone = at + 4 <= len(head) and head[at : at + 2] not in (b"PE", b"NE", b"LE", b"LX")
    return "dos" if is_dos_alone else "pe"


def _mach(head: bytes) -> str | None:
    magic = head[:4]
    if magic in (
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
    ):
        return "mach-o"
    if magic in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") and len(head) >= 8:
        # Java's classes say 0 to 65535 and at least 45 there; a fat binary how many it holds.
        return "mach-o" if int.from_bytes(head[4:8], "big") < 40 else "java"
    return None


def _gzip(head: bytes) -> str | None:
    if head[:3] == b"\x1f\x8b\x08" and len(head) > 3 and head[3] < 32:
        return "gzip"
    if head[:2] == b"\x1f\x9d" and len(head) > 2 and 9 <= head[2] & 31 <= 16:
        return "compress"
    return None


def _lzma(head: bytes) -> str | None:
    if head[:3] != b"]\x00\x00" or len(head) < 14:
        return None
    dictionary, size = struct.unpack_from("<IQ", head, 1)
    is_dictionary = dictionary.bit_count() <= 2 and dictionary >= 4096
    return "lzma" if is_dictionary and (size == 2**64 - 1 or size < 2**40) else None


def _arj(head: bytes) -> str | None:
    return (
        "arj"
        if head[:2] == b"\x60\xea" and 30 <= struct.unpack_from("<H", head, 2)[0] <= 2600
        else None
    )


def _apple(head: bytes) -> str | None:
    """A disk with a map of its drivers, as those of Macs begin; the block size is a power of two."""
    return "dmg" if head[:2] == b"ER" and head[2:4] in (b"\x02\x00", b"\x08\x00") else None


def _zstd_skippable(head: bytes) -> str | None:
    return "zstd" if head[1:4] == b"\x2a\x4d\x18" else None


_CHECKS = {
    0x4D: (_dos,), 0xCE: (_mach,), 0xCF: (_mach,), 0xFE: (_mach,), 0xCA: (_mach,),
    0x1F: (_gzip,), 0x60: (_arj,), 0x45: (_apple,),
    **dict.fromkeys(range(0x50, 0x60), (_zstd_skippable,)),
    0x5D: (_lzma, _zstd_skippable),
}  # fmt: skip


def _boot_sector(head: bytes) -> str | None:
    """A disk with a table of partitions, or one that is a single FAT file system."""
    if head[510:512] != b"\x55\xaa":
        return None
    if head[0] in (0xEB, 0xE9) and b"FAT" in (head[54:57], head[82:85]):
        return "img"
    if head[3:11] in (b"NTFS    ", b"EXFAT   "):
        return "img"
    entries = [head[at : at + 16] for at in range(446, 510, 16)]
    if all(entry[0] in (0, 0x80) for entry in entries) and any(entry[4] for entry in entries):
        return "img"
    return None


def _old_tar(head: bytes) -> str | None:
    """A tar from before POSIX: told by the sum over its header."""
    block = head[:512]
    if len(block) < 512 or not block[0]:
        return None
    return "tar" if tar_sum_is_right(block) else None


def tar_sum_is_right(block: bytes) -> bool:
    """Ask whether the sum in a header of tar is that of its bytes (POSIX.1-1988, ustar)."""
    said = block[148:156].strip(b" \x00")
    if not said or said.strip(b"01234567"):
        return False
    return int(said, 8) == sum(block[:148]) + sum(block[156:512]) + 8 * 0x20
