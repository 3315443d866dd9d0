"""Scripts and other texts that start something, and lists of file-sharing: told by what they say.

A script has no magic number, so two signs must agree: its name and what it says, or a line that only such
a file begins with.
"""

import re

from schoolgate.core.files.names import suffix_of

_BOMS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
_ANY_BOM = tuple(bom for bom, _ in _BOMS)
_SHEBANG = re.compile(r"#![ \t]*/[\w./+-]+")
_BATCH = re.compile(
    r"^[ \t]*(?:@?echo[ \t]+off\b|@?echo\b|(?:set|if|call|goto|start|for|rem|del|copy|cd|pause|reg|"
    r"powershell|cmd|msiexec|net|xcopy|robocopy|taskkill|schtasks|curl|certutil)\b|::|:\w+\s*$|%\w+%)",
    re.I | re.M,
)
_POWERSHELL = re.compile(
    r"^\s*(?:#requires\b|param\s*\(|\[cmdletbinding|function\s+[\w-]+|<#|\$\w[\w:]*\s*[+]?=|"
    r"(?:write|get|set|new|start|invoke|import|remove|add|install|enable|out)-\w+|iex\b|using\s+)",
    re.I | re.M,
)
_VBS = re.compile(
    r"^\s*(?:dim\s+\w|option\s+explicit|set\s+\w+\s*=|(?:public\s+|private\s+)?(?:sub|function)\s+\w|"
    r"on\s+error\b|msgbox\b|wscript\.|'|rem\b|const\s+\w|createobject\b|\w+\s*=\s*\S|execute\b)",
    re.I | re.M,
)
# What pages have no use for, in whatever browser.
_WSH = re.compile(
    r"\bwscript\s*\.\s*\w|[\"'](?:wscript\.|scripting\.filesystem|adodb\.stream)", re.I
)
_STARTS = (
    ("windows registry editor version", "reg"),
    ("regedit4", "reg"),
    ("[flatpak ref]", "flatpakref"),
    ("[flatpak repo]", "flatpakref"),
    ("magnet:?xt=urn:", "magnet"),
    ("magnet:?", "magnet"),
    ("ed2k://|", "ed2k"),
)
_ROOTS = (
    ("<nzb", "nzb"),
    ("-//newzbin//dtd nzb", "nzb"),
    ("<filelisting", "dc"),
    ("<jnlp", "jnlp"),
    ("<appinstaller", "appinstaller"),
    ("urn:schemas-microsoft-com:asm.v1", "clickonce"),
)
_WEB_TYPES = ("text/html", "text/css", "image/svg+xml", "application/xhtml+xml")


def text_of(head: bytes) -> str | None:
    """Read the beginning of a file as text.

    Returns:
        It without a byte order mark, or None where it is none.
    """
    if head.startswith(_ANY_BOM):
        bom, encoding = next(each for each in _BOMS if head.startswith(each[0]))
        return head[len(bom) :].decode(encoding, "replace")
    if b"\x00" in head:
        return None
    # Whatever 8-bit encoding it has, the words that are looked for are ASCII.
    return head.decode("utf-8", "replace")


def form_of_text(
    text: str, names: tuple[str, ...], content_type: str, *, is_file: bool
) -> str | None:
    """Recognise a text that starts something or belongs to file-sharing.

    Args:
        text: its beginning.
        names: it may be saved under any of these.
        content_type: as the origin says, lower case and without parameters; empty in an archive.
        is_file: it is to be saved or lies in an archive, and is not a page or a part of one.
    """
    start = text.lstrip().lower()
    for words, form in _STARTS:
        if start.startswith(words):
            return form
    if start.startswith("<"):
        return _of_markup(start, names, is_file=is_file)
    if content_type in _WEB_TYPES and not is_file:
        return None
    suffixes = {suffix_of(name) for name in names}
    return _of_script(text, start, suffixes, content_type, is_file=is_file)


def _of_markup(start: str, names: tuple[str, ...], *, is_file: bool) -> str | None:
    suffixes = {suffix_of(name) for name in names}
    if "<hta:application" in start or (is_file and ".hta" in suffixes):
        return "hta"
    if ".wsf" in suffixes and ("<job" in start or "<package" in start):
        return "wsf"
    if start.startswith(("<!doctype html", "<html", "<svg")):
        return None
    # The root is looked for where nothing but declarations stand before it.
    root = re.sub(r"<\?.*?\?>|<!--.*?-->", "", start, flags=re.S).lstrip()
    beginning = root[:600]
    for words, form in _ROOTS:
        if root.startswith(words) or (words[0] != "<" and words in beginning):
            return form
    if root.startswith("<!doctype nzb"):
        return "nzb"
    if ".ps1" in suffixes and start.startswith("<#"):
        return "powershell"
    return None


def _of_script(
    text: str, start: str, suffixes: set[str], content_type: str, *, is_file: bool
) -> str | None:
    is_web_script = "javascript" in content_type or "ecmascript" in content_type
    if _SHEBANG.match(text):
        # Modules for the web may begin so, too (ECMAScript, Hashbang Grammar).
        return None if is_web_script and not is_file else "shebang"
    if "[desktop entry]" in start[:2000] and re.search(r"^\[desktop entry\]", start, re.M):
        return "desktop"
    if start.startswith("@echo off") or (suffixes & {".bat", ".cmd"} and _BATCH.search(text)):
        return "batch"
    if suffixes & {".ps1", ".psm1", ".psd1"} and _POWERSHELL.search(text):
        return "powershell"
    if suffixes & {".vbs", ".vbe"} and _VBS.search(text):
        return "vbscript"
    is_jscript = ".jse" in suffixes or (".js" in suffixes and _WSH.search(text) is not None)
    if is_file and is_jscript:
        return "jscript"
    return None
