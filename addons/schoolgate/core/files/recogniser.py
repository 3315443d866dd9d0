"""Recognises what a body is while it streams: its form, what is in it, and whether it is to be kept."""

import re
from urllib.parse import unquote

from schoolgate.core.files.filesharing import form_of_address
from schoolgate.core.files.finding import Finding, Kind, Limits
from schoolgate.core.files.formats import TITLES
from schoolgate.core.files.items import Item
from schoolgate.core.files.media import is_media
from schoolgate.core.files.walk import Found, Walk
from schoolgate.core.urls import Url

_NAME = re.compile(r"filename\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\s]+))", re.I)
# RFC 8187: character set, language, then the name with its bytes escaped.
_LONG_NAME = re.compile(r"filename\*\s*=\s*([\w-]*)'[^']*'([^;\s]+)", re.I)
# Types with which browsers save a body rather than show it.
_SAVED = frozenset(
    {"application/octet-stream", "binary/octet-stream", "application/x-download",
     "application/force-download", "application/x-msdownload", "application/x-msdos-program",
     "application/download"}
)  # fmt: skip
LONGEST_NAME = 255
_USUAL = Limits()


def file_name(disposition: str) -> str:
    """Give the name under which a body is to be saved, by ``Content-Disposition`` (RFC 6266).

    Returns:
        It without folders, or an empty text where none is given.
    """
    if not disposition:
        return ""
    long = _LONG_NAME.search(disposition)
    if long is not None:
        try:
            name = unquote(long[2], long[1] or "utf-8", "replace")
        except LookupError:
            name = unquote(long[2])
        return _without_folders(name)
    short = _NAME.search(disposition)
    return _without_folders(re.sub(r"\\(.)", r"\1", short[1] or short[2] or "")) if short else ""


def _without_folders(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2].strip()[:LONGEST_NAME]


class Recogniser:
    """Looks at a body as it streams; what comes out of ``Content-Encoding``, not what goes in.

    Args:
        url: of the request.
        content_type: as the origin says.
        disposition: the header ``Content-Disposition``; empty where there is none.
        limits: how far archives are looked into.

    Attributes:
        finding: what was recognised; it does not change any more.
        done: nothing that is still to come matters; it need not be fed.
    """

    def __init__(
        self, url: Url, content_type: str = "", disposition: str = "", limits: Limits | None = None
    ) -> None:
        self.finding: Finding | None = None
        self.done = False
        self.file_name = file_name(disposition)
        self._type = content_type.partition(";")[0].strip().lower()
        self._is_attachment = disposition.strip().lower().startswith("attachment")
        of_address = _without_folders(unquote(url.path))
        self._walk = Walk(limits or _USUAL)
        self._item = Item(
            self._walk,
            self.file_name or of_address,
            names=tuple(filter(None, (self.file_name, of_address))),
            content_type=self._type,
            is_file=self._is_attachment or self._type in _SAVED,
        )
        self._is_media_checked = not self._is_attachment
        form = form_of_address(url.path, url.query) if url.query else None
        if form is not None:
            self._find(Finding(Kind.FILESHARING, form, TITLES[form]))

    @property
    def pending(self) -> bool:
        """Whether so little was seen that it may still be anything: hold these bytes, some 4 KB at most."""
        return not self.done and not self._item.is_told

    @property
    def suspects(self) -> bool:
        """Whether that little looks like something already, so that it should be held whatever its type."""
        return not self.done and self._item.is_suspect

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        if self.done or not chunk:
            return
        self._walk.fed += len(chunk)
        try:
            self._item.feed(chunk)
        except Found as found:
            self._find(found.finding)
            return
        self._check_media()
        self.done = self.done or self._item.done

    def end(self) -> None:
        """Note that the body is whole; what is short is recognised only now."""
        if self.done:
            return
        try:
            self._item.end()
        except Found as found:
            self._find(found.finding)
            return
        self._check_media()
        self.done = True

    def _check_media(self) -> None:
        """Audio or video that is to be saved; the type alone is not enough (.ts is TypeScript, too)."""
        if self._is_media_checked or not self._item.is_told:
            return
        self._is_media_checked = True
        says_so = self._type.startswith(("audio/", "video/")) and not self._item.is_text
        if is_media(bytes(self._item.head)) or says_so:
            self._find(Finding(Kind.MEDIA, "media", TITLES["media"]))

    def _find(self, finding: Finding) -> None:
        name = self.file_name or self._item.name
        self.finding = Finding(
            finding.kind, finding.format, finding.title, finding.name_inside, name
        )
        self.done = True
