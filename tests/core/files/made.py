"""Real files, made by the programs of Debian that people make them with."""

# ruff: noqa: E501 - a file a line

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Before anything: a program, a text, a folder with both and one without the program.
MATERIAL = r"""
printf 'int main(void) { return 0; }\n' > hello.c
gcc -o prog hello.c
for n in $(seq 200); do echo "Nothing but words, line $n."; done > page.txt
mkdir -p d/sub w/sub && cp page.txt d/ && cp prog d/sub/zprog && cp page.txt w/ && cp page.txt w/sub/b.txt
"""
MSI = '<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi"><Product Id="*" UpgradeCode="11111111-1111-1111-1111-111111111111" Name="x" Version="1" Manufacturer="x" Language="1033"><Package InstallerVersion="200" Compressed="yes"/><Media Id="1" Cabinet="a.cab" EmbedCab="yes"/><Directory Id="TARGETDIR" Name="SourceDir"><Component Id="C" Guid="22222222-2222-2222-2222-222222222222"><File Id="F" Source="page.txt"/></Component></Directory><Feature Id="D" Level="1"><ComponentRef Id="C"/></Feature></Product></Wix>'
SPEC = r"Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%%description\nx\n%%files\n"
OF_HEADS = "clang -target {} -c hello.c -o {}"

# Name → what makes it, and "kind/format" of what is to be recognised.
MADE: dict[str, tuple[str, str]] = {
    "elf": ("cp prog elf", "software/elf"),
    "elf-object.o": ("gcc -c hello.c -o elf-object.o", "software/elf"),
    "elf-library.so": ("gcc -shared -fPIC hello.c -o elf-library.so", "software/elf"),
    "elf-arm": ("clang -target aarch64-linux-gnu -c hello.c -o elf-arm", "software/elf"),
    "pe.exe": ("clang -target x86_64-windows-msvc -c hello.c -o pe.obj && lld-link /entry:main /subsystem:console /nodefaultlib pe.obj /out:pe.exe", "software/pe"),
    "pe.dll": ("clang -target i686-windows-msvc -c hello.c -o pd.obj && lld-link /dll /noentry /nodefaultlib pd.obj /out:pe.dll", "software/pe"),
    "mach-x86.o": (OF_HEADS.format("x86_64-apple-macos11", "mach-x86.o"), "software/mach-o"),
    "mach-arm.o": (OF_HEADS.format("arm64-apple-macos11", "mach-arm.o"), "software/mach-o"),
    "mach-fat": ("clang -target x86_64-apple-macos11 -c hello.c -o f1.o && clang -target arm64-apple-macos11 -c hello.c -o f2.o && llvm-lipo -create f1.o f2.o -output mach-fat", "software/mach-o"),
    "bitcode.bc": ("clang -emit-llvm -c hello.c -o bitcode.bc", "software/llvm"),
    "nsis.exe": ("printf 'Name x\\nOutFile nsis.exe\\nSection\\nSectionEnd\\n' > x.nsi && makensis -V1 x.nsi", "software/pe"),
    "x.msi": (f"echo '{MSI}' > x.wxs && wixl -o x.msi x.wxs", "software/msi"),
    "x.deb": ("mkdir -p deb/DEBIAN && printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' > deb/DEBIAN/control && dpkg-deb -b deb x.deb", "software/deb"),
    "x.rpm": (f"printf '{SPEC}' > x.spec && rpmbuild --quiet -bb --define \"_topdir $PWD/rpm\" --define '_build_id_links none' x.spec && cp rpm/RPMS/noarch/*.rpm x.rpm", "software/rpm"),
    "mac.pkg": ("bsdtar --format xar -cf mac.pkg w", "software/pkg"),
    "x.iso": ("xorriso -as mkisofs -quiet -o x.iso w", "software/iso"),
    "x-joliet.iso": ("genisoimage -quiet -J -R -o x-joliet.iso w", "software/iso"),
    "x-hfs.iso": ("genisoimage -quiet -hfs -o x-hfs.iso w", "software/iso"),
    "x-udf.iso": ("genisoimage -quiet -udf -o x-udf.iso w", "software/iso"),
    "x-bsd.iso": ("bsdtar --format iso9660 -cf x-bsd.iso w", "software/iso"),
    "x.squashfs": ("mksquashfs w x.squashfs -quiet -no-progress", "software/squashfs"),
    "x.snap": ("mksquashfs w x.snap -quiet -no-progress", "software/snap"),
    "x.ext4": ("truncate -s 2M x.ext4 && mkfs.ext4 -q x.ext4", "software/ext"),
    "x.fat": ("truncate -s 2M x.fat && mkfs.fat x.fat", "software/img"),
    "x.fat32": ("truncate -s 40M x.fat32 && mkfs.fat -F 32 x.fat32", "software/img"),
    "x.mbr": ("truncate -s 2M x.mbr && echo 'start=2048, type=83' | sfdisk -q --no-reread --no-tell-kernel x.mbr", "software/img"),
    "x.gpt": ("truncate -s 4M x.gpt && echo 'label: gpt' | sfdisk -q --no-reread --no-tell-kernel x.gpt", "software/img"),
    "x.qcow2": ("qemu-img create -q -f qcow2 x.qcow2 1M", "software/qcow2"),
    "x.vmdk": ("qemu-img create -q -f vmdk x.vmdk 1M", "software/vmdk"),
    "x.vdi": ("qemu-img create -q -f vdi x.vdi 1M", "software/vdi"),
    "x.vhd": ("qemu-img create -q -f vpc x.vhd 1M", "software/vhd"),
    "x.vhdx": ("qemu-img create -q -f vhdx x.vhdx 1M", "software/vhdx"),
    "x.wim": ("wimlib-imagex capture w x.wim >/dev/null", "software/wim"),
    "macros.doc": ("mkdir -p Macros/VBA && cp page.txt WordDocument && cp page.txt Macros/VBA/_VBA_PROJECT && gsf createole macros.doc WordDocument Macros", "software/ole-vba"),
    "x.zip": ("zip -qr x.zip d", "software/elf"),
    "x-stored.zip": ("zip -qr -0 x-stored.zip d", "software/elf"),
    "x-piped.zip": ("zip -qr - d | cat > x-piped.zip", "software/elf"),
    "x-bzip2.zip": ("zip -qr -Z bzip2 x-bzip2.zip d", "software/elf"),
    "x-lzma.zip": ("7zz a -bd -tzip -mm=lzma x-lzma.zip d >/dev/null", "software/elf"),
    "x-bsd.zip": ("bsdtar --format zip -cf x-bsd.zip d", "software/elf"),
    "x-zip64.zip": ("zip -qr -fz x-zip64.zip d", "software/elf"),
    "x-locked.zip": ("zip -qr -P secret x-locked.zip w", "sealed/zip"),
    "x-aes.zip": ("7zz a -bd -tzip -mem=AES256 -psecret x-aes.zip w >/dev/null", "sealed/zip"),
    "x-deflate64.zip": ("7zz a -bd -tzip -mm=deflate64 x-deflate64.zip w >/dev/null", "sealed/zip"),
    "x.7z": ("cp prog e.exe && 7zz a -bd x.7z page.txt e.exe >/dev/null", "software/named"),
    "x-plain.7z": ("cp prog e.exe && 7zz a -bd -mhc=off x-plain.7z page.txt e.exe >/dev/null", "software/named"),
    "x-bcj2.7z": ("cp prog e.exe && 7zz a -bd -m0=bcj2 -m1=lzma:d22 -m2=lzma:d19 -m3=lzma:d19 -mb0:1 -mb0s1:2 -mb0s2:3 x-bcj2.7z e.exe >/dev/null", "software/named"),
    "x-locked.7z": ("7zz a -bd -psecret x-locked.7z w >/dev/null", "sealed/7z"),
    "x-hidden.7z": ("7zz a -bd -psecret -mhe x-hidden.7z w >/dev/null", "sealed/7z"),
    "x.tar": ("tar cf x.tar d", "software/elf"),
    "x-v7.tar": ("bsdtar --format v7tar -cf x-v7.tar d", "software/elf"),
    "x-pax.tar": ("tar --format pax -cf x-pax.tar d", "software/elf"),
    "x.tar.gz": ("tar czf x.tar.gz d", "software/elf"),
    "x.tar.bz2": ("tar cjf x.tar.bz2 d", "software/elf"),
    "x.tar.xz": ("tar cJf x.tar.xz d", "software/elf"),
    "x.tar.zst": ("tar --zstd -cf x.tar.zst d", "software/elf"),
    "x.tar.lz": ("tar --lzip -cf x.tar.lz d", "software/elf"),
    "x.tar.lzma": ("tar --lzma -cf x.tar.lzma d", "software/elf"),
    "x.cpio": ("find d | cpio -o -H newc --quiet > x.cpio", "software/elf"),
    "x-crc.cpio": ("find d | cpio -o -H crc --quiet > x-crc.cpio", "software/elf"),
    "x-odc.cpio": ("find d | cpio -o -H odc --quiet > x-odc.cpio", "software/elf"),
    "x.a": ("ar rc x.a elf-object.o", "software/elf"),
    "x.cab": ("gcab -c -z x.cab page.txt prog", "software/elf"),
    "x.arj": ("arj a -i x.arj page.txt >/dev/null", "sealed/arj"),
    "x.lz4": ("lz4 -q -f page.txt x.lz4", "sealed/lz4"),
    "x.Z": ("compress -c page.txt > x.Z", "sealed/compress"),
    "x.torrent": ("mktorrent -a http://t.example/announce -o x.torrent page.txt >/dev/null", "filesharing/torrent"),
    "x.mp3": ("ffmpeg -v error -f lavfi -i sine -t 1 x.mp3", "media/media"),
    "x.mp4": ("ffmpeg -v error -f lavfi -i testsrc=s=64x64 -t 1 x.mp4", "media/media"),
    "x.webm": ("ffmpeg -v error -f lavfi -i testsrc=s=64x64 -t 1 x.webm", "media/media"),
    "x.flac": ("ffmpeg -v error -f lavfi -i sine -t 1 x.flac", "media/media"),
    "x.ogg": ("ffmpeg -v error -f lavfi -i sine -t 1 -c:a libopus x.ogg", "media/media"),
    "x.wav": ("ffmpeg -v error -f lavfi -i sine -t 1 x.wav", "media/media"),
    "x.avi": ("ffmpeg -v error -f lavfi -i testsrc=s=64x64 -t 1 x.avi", "media/media"),
    "x.ts": ("ffmpeg -v error -f lavfi -i testsrc=s=64x64 -t 1 x.ts", "media/media"),
    "x.aac": ("ffmpeg -v error -f lavfi -i sine -t 1 x.aac", "media/media"),
    # Once it is clear that zeros are nothing, no more of them are made.
    "zeros.gz": ("truncate -s 300M z && gzip -9c z | gzip -9 > zeros.gz", "none"),
    "bomb.tar.xz": ("truncate -s 300M z && tar cf - z | xz -1 > bomb.tar.xz", "bomb/bomb"),
    "bomb.tar.zst": ("truncate -s 300M z && tar cf - z | zstd -q > bomb.tar.zst", "bomb/bomb"),
    "bomb.tar.bz2": ("truncate -s 100M z && tar cf - z | bzip2 > bomb.tar.bz2", "bomb/bomb"),
    # What is harmless.
    "w.zip": ("zip -qr w.zip w", "none"),
    "w-piped.zip": ("zip -qr - w | cat > w-piped.zip", "none"),
    "w.7z": ("7zz a -bd w.7z w >/dev/null", "none"),
    "w.tar.gz": ("tar czf w.tar.gz w", "none"),
    "w.tar.xz": ("tar cJf w.tar.xz w", "none"),
    "w.tar.zst": ("tar --zstd -cf w.tar.zst w", "none"),
    "w.tar.lz": ("tar --lzip -cf w.tar.lz w", "none"),
    "w.cpio": ("find w | cpio -o -H newc --quiet > w.cpio", "none"),
    "w.xls": ("cp page.txt Workbook && gsf createole w.xls Workbook", "none"),
    "w.zst": ("zstd -q -f page.txt -o w.zst", "none"),
    "w-ring.txt.gz": ("cat page.txt page.txt | gzip > w-ring.txt.gz", "none"),
}  # fmt: skip
PROGRAMS = (
    "gcc", "clang", "lld-link", "llvm-lipo", "makensis", "wixl", "dpkg-deb", "rpmbuild", "bsdtar",
    "xorriso", "genisoimage", "mksquashfs", "mkfs.ext4", "mkfs.fat", "sfdisk", "qemu-img",
    "wimlib-imagex", "gsf", "zip", "7zz", "tar", "lzip", "cpio", "ar", "gcab", "arj", "lz4", "compress",
    "mktorrent", "ffmpeg", "zstd", "bzip2", "xz",
)  # fmt: skip


def _path() -> str:
    """Give where programs are; those of LLVM have a folder of their own."""
    of_llvm = sorted(map(str, Path("/usr/lib").glob("llvm-*/bin")))
    return os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin", *of_llvm])


def missing() -> list[str]:
    """Name the programs that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]


def make_all(folder: Path) -> dict[str, Path]:
    """Make every file of `MADE` in a folder."""
    environment = {**os.environ, "PATH": _path(), "HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(command: str) -> None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, check=False,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        assert not done.returncode, (command, done.stdout, done.stderr)

    run(MATERIAL)
    for command, _ in MADE.values():
        run(command)
    return {name: folder / name for name in MADE}


def documents_at_hand() -> list[Path]:
    """Give files that this machine has anyway: pages, pictures, fonts, scripts of the web, documents."""
    suffixes = [
        "html",
        "css",
        "js",
        "mjs",
        "json",
        "map",
        "svg",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "ico",
        "ttf",
        "otf",
        "woff",
        "woff2",
        "pdf",
        "xml",
        "wasm",
        "csv",
        "txt",
        "md",
        "rst",
        "po",
        "xhtml",
        "yml",
        "toml",
        "epub",
        "docx",
        "xlsx",
        "pptx",
        "odt",
        "ods",
        "ps",
        "eps",
        "tif",
        "bmp",
        "jp2",
        "ttc",
        "afm",
    ]
    roots = [Path("/usr/share"), Path(sys.prefix) / "lib"]
    found: dict[str, list[Path]] = {}
    for root in roots:
        for path in sorted(root.rglob("*.*")):
            suffix = path.suffix[1:].lower()
            of_suffix = found.setdefault(suffix, [])
            if (
                suffix in suffixes
                and len(of_suffix) < 400
                and path.is_file()
                and path.stat().st_size
            ):
                of_suffix.append(path)
    return [path for paths in found.values() for path in paths]
