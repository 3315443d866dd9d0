"""Files made by libraries, each with what is to be recognised in it; what no library makes is written out."""

# ruff: noqa: E501 - a sample a line

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from itertools import pairwise

import zstandard

from schoolgate.core.files import Finding, Limits, Recogniser
from schoolgate.core.urls import parse_url

# The beginning of a real PE: DOS header, its stub, and the mark of PE where the header says.
PE = (
    b"MZ\x90\x00\x03"
    + bytes(55)
    + struct.pack("<I", 128)
    + bytes(64)
    + b"PE\0\0\x64\x86"
    + bytes(600)
)
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(700)
HARMLESS = b"Nothing but words, one line after the other.\n" * 40
CLASS = b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(40)


def zipped(
    members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False
) -> bytes:
    """Pack a ZIP; `streamed` has its sizes behind each member, as who cannot go back writes it."""
    out = io.BytesIO()
    target = Unseekable(out) if streamed else out
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


class Unseekable(io.RawIOBase):
    """Writes into another file, and cannot go back."""

    def __init__(self, into: io.BytesIO) -> None:
        self._into = into

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._into.write(data)


def tarred(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> bytes:
    """Pack a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def stored_rar5(name: str, data: bytes, *, extra: bytes = b"", method: int = 0) -> bytes:
    """Write a RAR 5 with one file as it is, by RARLAB's description of the format."""

    def header(body: bytes) -> bytes:
        whole = number(len(body)) + body
        return struct.pack("<I", zlib.crc32(whole)) + whole

    flags = 2 | bool(extra)
    body = number(2) + number(flags) + (number(len(extra)) if extra else b"") + number(len(data))
    body += number(4) + number(len(data)) + number(0o644) + struct.pack("<I", zlib.crc32(data))
    body += number(method << 7) + number(1) + number(len(name)) + name.encode() + extra
    start, end = (
        header(number(1) + number(0) + number(0)),
        header(number(5) + number(0) + number(0)),
    )
    return b"Rar!\x1a\x07\x01\x00" + start + header(body) + data + end


def number(value: int) -> bytes:
    """Write a number as RAR 5 does, seven bits in each byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def stored_rar4(name: str, data: bytes, *, flags: int = 0x8000, method: int = 0x30) -> bytes:
    """Write a RAR 4 with one file."""

    def header(kind: int, told: int, rest: bytes) -> bytes:
        body = struct.pack("<BHH", kind, told, 7 + len(rest)) + rest
        return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body

    of_file = struct.pack(
        "<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 29, method, len(name), 0o100644
    )
    return (
        b"Rar!\x1a\x07\x00" + header(0x73, 0, bytes(6)) + header(0x74, flags, of_file + name.encode())
        + data + header(0x7B, 0x4000, b"")
    )  # fmt: skip


def cabinet(members: Mapping[str, bytes], method: int = 1) -> bytes:
    """Write a cabinet of one folder, by MS-CAB: 0 stored, 1 MSZIP, 3 LZX (whose bytes are then none)."""
    content = b"".join(members.values())
    blocks, window = b"", b""
    for at in range(0, len(content), 32_768):
        piece = content[at : at + 32_768]
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, 0, window)
        packed = b"CK" + packer.compress(piece) + packer.flush() if method == 1 else piece
        window = piece
        blocks += struct.pack("<IHH", 0, len(packed), len(piece)) + packed
    entries, start = b"", 0
    for name, data in members.items():
        entries += struct.pack("<IIHHHH", len(data), start, 0, 0, 0, 0x20) + name.encode() + b"\0"
        start += len(data)
    head = 36 + 8
    folder = struct.pack("<IHH", head + len(entries), -(-len(content) // 32_768), method)
    size = head + len(entries) + len(blocks)
    return (
        b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, size, 0, head, 0, 3, 1, 1, len(members), 0, 0, 0)
        + folder + entries + blocks
    )  # fmt: skip


def compound(names: list[str], *, root_class: bytes = bytes(16)) -> bytes:
    """Write the header and the directory of a compound file (MS-CFB) with storages of these names."""
    head = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)

    def entry(name: str, kind: int, clsid: bytes) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<HBB", len(raw), kind, 1)
            + bytes(12)
            + clsid
            + bytes(32)
        )

    entries = [entry("Root Entry", 5, root_class)] + [entry(n, 1, bytes(16)) for n in names]
    return bytes(head) + bytes(1024) + b"".join(entries).ljust(1024, b"\0")


def seven(names: list[str], data: bytes = HARMLESS, *, method: bytes = b"\x00") -> bytes:
    """Write a 7z of one stored folder, by 7zFormat.txt; its directory is not packed."""
    count = len(names)
    coder = bytes([0, 1, len(method)]) + method
    size = b"\xc0" + struct.pack("<H", len(data))
    raw = b"\0" + "".join(f"{name}\0" for name in names).encode("utf-16-le")
    streams = b"\x06\0\x01\x09" + size + b"\0" + b"\x07\x0b\x01" + coder + b"\x0c" + size + b"\0"
    sums = (
        b"\x08\x0d"
        + bytes([count])
        + b"\x09"
        + b"\x01" * (count - 1)
        + b"\x0a\x01"
        + bytes(4 * count)
        + b"\0"
    )
    block = b"\x11\xc0" + struct.pack("<H", len(raw)) + raw
    head = b"\x01\x04" + streams + sums + b"\0\x05" + bytes([count]) + block + b"\0\0"
    start = struct.pack("<QQI", len(data), len(head), zlib.crc32(head))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + data + head


MSI_CLASS = bytes.fromhex("84100c0000000000c000000000000046")
TORRENT = b"d8:announce27:http://tracker.example/a13:creation datei1e4:infod6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"
NZB = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nzb PUBLIC "-//newzBin//DTD NZB 1.1//EN" "x.dtd">\n<nzb xmlns="urn:x"></nzb>'
FILE_LIST = b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<FileListing Version="1" Generator="DC++"></FileListing>'

# Name → bytes and "kind/format" of what is to be recognised.
SOFTWARE: dict[str, tuple[bytes, str]] = {
    "setup.exe": (PE, "software/pe"),
    "old.exe": (b"MZ" + bytes(58) + struct.pack("<I", 70) + b"\x0e\x1f" * 40, "software/dos"),
    "program": (ELF, "software/elf"),
    "tool.AppImage": (ELF[:8] + b"AI\x02" + ELF[11:], "software/appimage"),
    "a.dylib": (b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" + bytes(60), "software/mach-o"),
    "universal": (b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(60), "software/mach-o"),
    "A.class": (CLASS, "software/java"),
    "classes.dex": (b"dex\n035\0" + bytes(100), "software/dex"),
    "setup.msi": (compound(["x"], root_class=MSI_CLASS), "software/msi"),
    "unnamed": (compound(["x"], root_class=MSI_CLASS), "software/msi"),
    "app.apk": (zipped({"AndroidManifest.xml": b"\x03\0", "classes.dex": b"dex\n"}), "software/apk"),
    "app.aab": (zipped({"BundleConfig.pb": b"x"}), "software/aab"),
    "app.ipa": (zipped({"Payload/": b"", "Payload/A.app/Info.plist": b"x"}), "software/ipa"),
    "app.msix": (zipped({"AppxManifest.xml": b"<Package/>"}), "software/msix"),
    "tool.jar": (zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\nMain-Class: A\n"}), "software/jar"),
    "library.zip": (zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "A.class": CLASS}), "software/java"),
    "main.zip": (zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\nMain-Class: A\n"}), "software/jar"),
    "add-on.crx": (b"Cr24\x03\0\0\0\x02\0\0\0", "software/crx"),
    "add-on.xpi": (zipped({"manifest.json": b"{}"}), "software/xpi"),
    "signed.zip": (zipped({"META-INF/mozilla.rsa": b"x"}), "software/xpi"),
    "unpacked.zip": (zipped({"e/manifest.json": b'{"manifest_version": 3, "name": "x"}'}), "software/extension"),
    "a.whl": (zipped({"a/__init__.py": b"", "a-1.dist-info/WHEEL": b"x"}), "software/wheel"),
    "a.nupkg": (zipped({"a.nuspec": b"x"}), "software/nupkg"),
    "a.vsix": (zipped({"extension.vsixmanifest": b"x"}), "software/vsix"),
    "a.oxt": (zipped({"mimetype": b"application/vnd.openofficeorg.extension"}), "software/oxt"),
    "b.zip": (zipped({"mimetype": b"application/vnd.openofficeorg.extension"}), "software/oxt"),
    "a.iso": (bytes(32_769) + b"CD001\x01" + bytes(3000), "software/iso"),
    "a.udf": (bytes(32_769) + b"BEA01\x01" + bytes(3000), "software/udf"),
    "a.img": (b"EFI PART".rjust(520, b"\0") + bytes(500), "software/img"),
    "a.hfs": (bytes(1024) + b"H+\0\x04" + bytes(5000), "software/hfs"),
    "a.dmg": (zlib.compress(bytes(4096)), "software/dmg"),
    "ulmo.dmg": (bz2.compress(b"ER\x02\x00" + bytes(600)), "software/dmg"),
    "a.vhd": (b"conectix" + bytes(504), "software/vhd"),
    "a.vhdx": (b"vhdxfile" + bytes(504), "software/vhdx"),
    "a.vmdk": (b"KDMV\x01\0\0\0" + bytes(504), "software/vmdk"),
    "b.vmdk": (b"# Disk DescriptorFile\nversion=1\n", "software/vmdk"),
    "a.vdi": (b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe", "software/vdi"),
    "a.flatpak": (b"flatpak\0\x01\0\x89\xe5" + bytes(80), "software/flatpak"),
    "a.flatpakref": (b"[Flatpak Ref]\nName=x\n", "software/flatpakref"),
    "a.snap": (b"hsqs" + bytes(96), "software/snap"),
    "install.sh": (b"#!/bin/sh\necho x\n", "software/shebang"),
    "install": (b"#! /usr/bin/env python3\n", "software/shebang"),
    "a.ps1": (b"\xef\xbb\xbfparam([string]$Name)\nWrite-Host $Name\n", "software/powershell"),
    "b.ps1": ("$x = Get-Process\n".encode("utf-16"), "software/powershell"),
    "a.bat": (b"@ECHO OFF\r\ndel *.*\r\n", "software/batch"),
    "b.cmd": (b"rem hello\r\nset A=1\r\n", "software/batch"),
    "renamed.txt": (b"@echo off\r\ndel *.*\r\n", "software/batch"),
    "a.vbs": (b'Set s = CreateObject("WScript.Shell")\r\n', "software/vbscript"),
    "a.js": (b'var s = new ActiveXObject("WScript.Shell"); s.Run("x");', "software/jscript"),
    "a.jse": (b"#@~^DgAAAA==x", "software/script-encoded"),
    "a.wsf": (b'<job id="a"><script language="VBScript">x</script></job>', "software/wsf"),
    "a.hta": (b"<html><head><HTA:APPLICATION id=x></head></html>", "software/hta"),
    "a.reg": ("Windows Registry Editor Version 5.00\r\n".encode("utf-16"), "software/reg"),
    "b.reg": (b"REGEDIT4\r\n\r\n[HKEY_CURRENT_USER]\r\n", "software/reg"),
    "a.desktop": (b"# x\n[Desktop Entry]\nExec=x\n", "software/desktop"),
    "a.lnk": (bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(60), "software/lnk"),
    "a.scpt": (b"FasdUAS 1.101.10\x0e\0", "software/applescript"),
    "a.jnlp": (b'<?xml version="1.0"?>\n<jnlp spec="1.0+"></jnlp>', "software/jnlp"),
    "a.appinstaller": (b'<?xml version="1.0"?><AppInstaller Uri="x"/>', "software/appinstaller"),
    "a.application": (b'<?xml version="1.0"?><asmv1:assembly xmlns:asmv1="urn:schemas-microsoft-com:asm.v1">', "software/clickonce"),
    "a.doc": (compound(["Macros", "VBA", "_VBA_PROJECT"]), "software/ole-vba"),
    "a.xls": (compound(["_VBA_PROJECT_CUR"]), "software/ole-vba"),
    "a.docm": (zipped({"[Content_Types].xml": b"<x/>", "word/vbaProject.bin": b"x"}), "software/ooxml-vba"),
    "b.docx": (zipped({"[Content_Types].xml": b"<x/>", "word/other.bin": compound(["_VBA_PROJECT"])}), "software/ole-vba"),
    "c.xlsm": (zipped({"xl/macrosheets/sheet1.xml": b"x"}), "software/ooxml-vba"),
    "a.odt": (zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "Basic/Standard/Module1.xml": b"x"}), "software/odf-basic"),
    "a.cab": (cabinet({"a.txt": HARMLESS, "a.dat": PE}), "software/pe"),
    "b.cab": (cabinet({"a.txt": HARMLESS * 30, "a.dat": PE}, method=0), "software/pe"),
    "c.cab": (cabinet({"driver.sys": b"x"}, method=3), "software/named"),
    "a.rar": (stored_rar5("a.dat", PE), "software/pe"),
    "b.rar": (stored_rar4("a.dat", ELF), "software/elf"),
    "c.rar": (stored_rar5("setup.exe", b"x", method=3), "software/named"),
    "d.rar": (stored_rar4("setup.msi", b"x", method=0x33), "software/named"),
    "a.7z": (seven(["a.txt", "folder/setup.exe"]), "software/named"),
    "a.zip": (zipped({"read me.txt": HARMLESS, "picture.png": PE}), "software/pe"),
    "stored.zip": (zipped({"a.txt": HARMLESS, "a": PE}, zipfile.ZIP_STORED), "software/pe"),
    "streamed.zip": (zipped({"a.txt": HARMLESS, "a": PE}, streamed=True), "software/pe"),
    "both.zip": (zipped({"a.txt": HARMLESS, "a": PE}, zipfile.ZIP_STORED, streamed=True), "software/pe"),
    "bzip2.zip": (zipped({"a.txt": HARMLESS, "a": PE}, zipfile.ZIP_BZIP2), "software/pe"),
    "lzma.zip": (zipped({"a.txt": HARMLESS, "a": PE}, zipfile.ZIP_LZMA), "software/pe"),
    "behind.zip": (b"PK00" + zipped({"a": PE}), "software/pe"),
    "two.zip": (zipped({"a": HARMLESS}) + zipped({"b": ELF}), "software/elf"),
    "a.tar": (tarred({"a.txt": HARMLESS, "a": ELF}), "software/elf"),
    "gnu.tar": (tarred({"n" * 200: HARMLESS, "a": ELF}, tarfile.GNU_FORMAT), "software/elf"),
    "pax.tar": (tarred({"ü" * 200: ELF}), "software/elf"),
    "a.tgz": (tarred({"a": ELF}, mode="w:gz"), "software/elf"),
    "a.tar.bz2": (tarred({"a": ELF}, mode="w:bz2"), "software/elf"),
    "a.tar.xz": (tarred({"a": ELF}, mode="w:xz"), "software/elf"),
    "a.tar.zst": (zstandard.compress(tarred({"a": ELF})), "software/elf"),
    "a.lzma": (lzma.compress(PE, lzma.FORMAT_ALONE), "software/pe"),
    "twice.gz": (gzip.compress(HARMLESS[:9]) + gzip.compress(b"x"), "none"),
    "deep.zip": (zipped({"a.tgz": tarred({"b.zip": zipped({"c.gz": gzip.compress(PE)})}, mode="w:gz")}), "software/pe"),
}  # fmt: skip
OTHERS: dict[str, tuple[bytes, str]] = {
    "a.torrent": (TORRENT, "filesharing/torrent"),
    "picture.png": (TORRENT, "filesharing/torrent"),
    "in.zip": (zipped({"a": TORRENT}), "filesharing/torrent"),
    "answer": (b"d8:completei1e10:incompletei0e8:intervali1800e5:peers6:abcdefe", "filesharing/tracker"),
    "scrape": (b"d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei1eeee", "filesharing/tracker"),
    "stream": (b"\x13BitTorrent protocol" + bytes(8), "filesharing/bittorrent"),
    "a.magnet": (b"magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&dn=x\n", "filesharing/magnet"),
    "a.emulecollection": (b"ed2k://|file|x|1|0|/\n", "filesharing/ed2k"),
    "a.nzb": (NZB, "filesharing/nzb"),
    "b.nzb": (b'<nzb xmlns="http://www.newzbin.com/DTD/2003/nzb">', "filesharing/nzb"),
    "a.nzb.gz": (gzip.compress(NZB), "filesharing/nzb"),
    "files.xml.bz2": (bz2.compress(FILE_LIST), "filesharing/dc"),
    "a.dclst": (FILE_LIST, "filesharing/dc"),
    "song.mp3": (b"ID3\x04" + bytes(40), "media/media"),
    "renamed.bin": (b"\0\0\0\x20ftypisom" + bytes(40), "media/media"),
    "a.webm": (b"\x1aE\xdf\xa3" + bytes(40), "media/media"),
    "frames.mp3": (b"\xff\xfb\x90\x64" + bytes(400), "media/media"),
    "a.ts": ((b"G" + bytes(187)) * 4, "media/media"),
    "locked.rar": (stored_rar5("a.txt", b"x", extra=number(2) + number(1) + b"x"), "sealed/rar"),
    "locked4.rar": (stored_rar4("a.txt", b"x", flags=0x8004), "sealed/rar"),
    "locked.7z": (seven(["a.txt"], method=b"\x06\xf1\x07\x01"), "sealed/7z"),
    "half.7z": (seven(["a.txt"])[:-9], "sealed/7z"),
    "torrent.7z": (seven(["a.torrent"]), "filesharing/torrent"),
    "a.lzh": (b"\x19\x9a-lh5-" + bytes(30), "sealed/lha"),
    "a.arj": (b"\x60\xea\x26\0\x1e" + bytes(40), "sealed/arj"),
    "a.ace": (b"\x12\x34\x31\0\0\0\x90**ACE**" + bytes(40), "sealed/ace"),
    "a.lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7" + bytes(8), "sealed/lz4"),
    "a.Z": (b"\x1f\x9d\x90" + bytes(30), "sealed/compress"),
    "broken.gz": (b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\xff" * 40, "sealed/gzip"),
}  # fmt: skip


def recognised(
    data: bytes,
    name: str = "",
    cuts: list[int] | None = None,
    limits: Limits | None = None,
    **given: str,
) -> Finding | None:
    """Feed a body in pieces that end at `cuts`, as one that is to be saved under a name."""
    disposition = f'attachment; filename="{name}"' if name else ""
    made = Recogniser(
        parse_url("https://a.example/get"), **{"disposition": disposition, **given}, limits=limits
    )
    places = [0, *sorted(cuts or []), len(data)]
    for start, end in pairwise(places):
        made.feed(data[start:end])
        if made.done:
            break
    made.end()
    assert made.done
    return made.finding


def told(finding: Finding | None) -> str:
    """Say what was recognised as the tables do."""
    return f"{finding.kind}/{finding.format}" if finding else "none"
