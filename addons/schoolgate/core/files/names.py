"""What the names of members say of an archive, and those by which software goes."""

import re

# Where the form of an archive keeps its contents from being read, a name has to do.
SOFTWARE_SUFFIXES = frozenset(
    [
        ".exe",
        ".com",
        ".scr",
        ".pif",
        ".dll",
        ".sys",
        ".ocx",
        ".cpl",
        ".msi",
        ".msp",
        ".msix",
        ".appx",
        ".appxbundle",
        ".msixbundle",
        ".bat",
        ".cmd",
        ".ps1",
        ".vbs",
        ".vbe",
        ".jse",
        ".wsf",
        ".wsh",
        ".hta",
        ".reg",
        ".lnk",
        ".jar",
        ".apk",
        ".aab",
        ".ipa",
        ".deb",
        ".rpm",
        ".dmg",
        ".pkg",
        ".iso",
        ".img",
        ".vhd",
        ".vhdx",
        ".vmdk",
        ".qcow2",
        ".appimage",
        ".snap",
        ".flatpak",
        ".crx",
        ".xpi",
        ".run",
        ".sh",
        ".desktop",
        ".docm",
        ".dotm",
        ".xlsm",
        ".xltm",
        ".xlam",
        ".pptm",
        ".potm",
        ".ppsm",
        ".ppam",
        ".so",
        ".dylib",
        ".class",
        ".dex",
        ".command",
    ]
)
FILESHARING_SUFFIXES = frozenset({".torrent", ".nzb", ".dclst"})

# What only one kind of ZIP has; the rest of it need not be read.
_MEMBERS = (
    (re.compile(r"AndroidManifest\.xml"), "apk"),
    (re.compile(r"BundleConfig\.pb|base/manifest/AndroidManifest\.xml"), "aab"),
    (re.compile(r"Payload/[^/]+\.app/.*"), "ipa"),
    (re.compile(r"Appx(?:Bundle)?Manifest\.xml|AppxMetadata/.*|AppxSignature\.p7x", re.I), "msix"),
    (re.compile(r"install\.rdf|META-INF/mozilla\.(?:rsa|sf)|META-INF/cose\.sig"), "xpi"),
    (re.compile(r"extension\.vsixmanifest"), "vsix"),
    (re.compile(r"[^/]+\.nuspec"), "nupkg"),
    (re.compile(r"[^/]+\.dist-info/(?:WHEEL|METADATA)"), "wheel"),
    (re.compile(r"(?:.*/)?vbaProject\.bin|xl/macrosheets/.+", re.I), "ooxml-vba"),
)  # fmt: skip

# LibreOffice writes empty lists of libraries into documents without macros.
_BASIC = re.compile(r"(?:Basic|Dialogs)/(?!.*(?:script|dialog)-l[bc]\.xml$).*[^/]|Scripts/.*[^/]")


def form_by_member(name: str, *, is_odf: bool = False) -> str | None:
    """Give the form of a ZIP that has a member of this name; None where that says nothing.

    Args:
        name: of the member.
        is_odf: it is a document of ODF.
    """
    if is_odf and _BASIC.fullmatch(name):
        return "odf-basic"
    for pattern, form in _MEMBERS:
        if pattern.fullmatch(name):
            return form
    return None


def suffix_of(name: str) -> str:
    """Give the suffix of a file's name, in lower case and with its dot.

    What Windows leaves out at the end of a name is left out: ``setup.exe. `` is a program.
    """
    last = name.lower().replace("\\", "/").rstrip("./ ").rpartition("/")[2]
    stem, dot, suffix = last.rpartition(".")
    return dot + suffix if stem else ""


def form_by_suffix(name: str) -> str | None:
    """Give the form that a name promises, for contents that cannot be read; None where it is harmless."""
    suffix = suffix_of(name)
    if suffix in FILESHARING_SUFFIXES:
        return {".torrent": "torrent", ".nzb": "nzb"}.get(suffix, "dc")
    return "named" if suffix in SOFTWARE_SUFFIXES else None
