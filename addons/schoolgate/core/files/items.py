"""One file, the body itself or a member of an archive: told by its beginning, looked into if need be."""

from collections.abc import Callable

from schoolgate.core.files.cabinets import Cabinet
from schoolgate.core.files.compressed import Compressed
from schoolgate.core.files.filesharing import form_of_bencode
from schoolgate.core.files.finding import Kind
from schoolgate.core.files.formats import LATE_BYTES, form_of, kind_of, late_form_of
from schoolgate.core.files.names import suffix_of
from schoolgate.core.files.ole import Ole
from schoolgate.core.files.rars import Rar
from schoolgate.core.files.sevenzip import SevenZip
from schoolgate.core.files.tapes import Ar, Cpio, Tar
from schoolgate.core.files.texts import form_of_text, text_of
from schoolgate.core.files.unpackers import DAMAGE
from schoolgate.core.files.walk import Content, Opened, Walk, found
from schoolgate.core.files.zips import Zip

# By so much of a file its form is told, but for file systems that begin later.
HEAD_BYTES = 4096
_READERS: dict[str, Callable[[Opened], Content]] = {
    "zip": Zip, "tar": Tar, "cpio": Cpio, "ar": Ar, "ole": Ole,
    "7z": SevenZip, "rar": Rar, "cab": Cabinet,
}  # fmt: skip
# A beginning that says little, with the name of a file that begins so.
_BY_NAME = {
    ".msi": ("ole", "msi"), ".msp": ("ole", "msi"), ".snap": ("squashfs", "snap"),
    ".jar": ("zip", "jar"), ".xpi": ("zip", "xpi"), ".oxt": ("zip", "oxt"), ".ipa": ("zip", "ipa"),
    ".apk": ("zip", "apk"), ".aab": ("zip", "aab"), ".whl": ("zip", "wheel"),
}  # fmt: skip
_ZLIB = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
_MIMETYPES = (b"application/vnd.openofficeorg.extension",)


class Item:
    """Takes the bytes of one file.

    Args:
        walk: what everything in the body shares.
        name: its own; empty where there is none.
        inside: the names that lead to it; empty for the body itself.
        names: other names under which it may be saved.
        content_type: as the origin says; empty in an archive.
        is_file: it is to be saved or lies in an archive.
    """

    def __init__(
        self,
        walk: Walk,
        name: str = "",
        inside: tuple[str, ...] = (),
        *,
        names: tuple[str, ...] = (),
        content_type: str = "",
        is_file: bool = True,
    ) -> None:
        self.walk = walk
        self.name = name
        self.inside = inside
        self.head = bytearray()
        self.is_text = False
        self.done = False
        self._names = names or (name,)
        self._content_type = content_type
        self._is_file = is_file
        self._is_told = False
        self._reader: Content | None = None
        self._form = ""

    @property
    def is_told(self) -> bool:
        """Whether enough of it was seen to tell its form."""
        return self._is_told

    @property
    def is_suspect(self) -> bool:
        """Whether so far it looks like something, of which too little was seen to tell."""
        if self._is_told:
            return False
        head = bytes(self.head)
        return self._form_of(head, text_of(head)) is not None

    def open(self, name: str) -> Content:
        """Make what takes the bytes of a member.

        Raises:
            Found: when there are too many, or too deep.
        """
        inside = (*self.inside, name)
        self.walk.member(inside)
        return Item(self.walk, name, inside)

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            Found: when something is recognised.
        """
        if self.done:
            return
        if self._reader is None:
            self.head += data
            wanted = LATE_BYTES if self._is_told else HEAD_BYTES
            if len(self.head) >= wanted:
                self._look()
            return
        self._read(self._reader, data)

    def end(self) -> None:
        """Note that there are no more.

        Raises:
            Found: when something is recognised.
        """
        if self._reader is None and not self.done:
            self._look()
            if self._reader is None and not self.done:
                self._look_late()
        if self._reader is not None and not self.done:
            self._guarded(self._reader.end)
        self.done = True

    def _look(self) -> None:
        if self._is_told:
            self._look_late()
            return
        self._is_told = True
        head = bytes(self.head[:HEAD_BYTES])
        text = text_of(head)
        form = self._form_of(head, text)
        if form is not None:
            self._take(form)
            return
        self.is_text = text is not None
        if self.is_text:
            self._finish()
        elif len(self.head) >= LATE_BYTES:
            self._look_late()

    def _form_of(self, head: bytes, text: str | None) -> str | None:
        form = form_of(head) or form_of_bencode(head)
        if form is not None:
            return self._named(form)
        if self._is_zlib_image(head):
            return "dmg"
        if text is None:
            return None
        form = form_of_text(text, self._names, self._content_type, is_file=self._is_file)
        return form or self._in_package(head, text)

    def _look_late(self) -> None:
        form = late_form_of(bytes(self.head))
        if form is not None:
            self._take(form)
        self._finish()

    def _finish(self) -> None:
        self.done = True
        del self.head[HEAD_BYTES:]

    def _take(self, form: str) -> None:
        """Report what this is, or begin to look into it.

        Raises:
            Found: unless it is looked into.
        """
        kind = kind_of(form)
        if kind is not None:
            raise found(kind, form, self.inside)
        self._form = form
        head, self.head = bytes(self.head), bytearray()

        def begin() -> None:
            maker = _READERS.get(form)
            self._reader = maker(self) if maker is not None else Compressed(self, form)

        self._guarded(begin)
        assert self._reader is not None
        self._read(self._reader, head)

    def _read(self, reader: Content, data: bytes) -> None:
        self._guarded(lambda: reader.feed(data))
        if reader.done:
            self.done = True

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step of reading; what is damaged cannot be looked into.

        Raises:
            Found: as the step does, or of an archive that is damaged.
        """
        try:
            step()
        except DAMAGE as error:
            raise found(Kind.SEALED, self._form, self.inside) from error

    def _named(self, form: str) -> str:
        for name in self._names:
            begins, told = _BY_NAME.get(suffix_of(name), ("", ""))
            if begins == form:
                return told
        return form

    def _is_zlib_image(self, head: bytes) -> bool:
        """A disk image of a Mac ends with what tells it; at its beginning are its first blocks, packed."""
        return head[:2] in _ZLIB and any(suffix_of(name) == ".dmg" for name in self._names)

    def _in_package(self, head: bytes, text: str) -> str | None:
        """Read the member by which a package says what it is."""
        if self.name == "mimetype" and head.startswith(_MIMETYPES):
            return "oxt"
        if self.name == "META-INF/MANIFEST.MF" and "\nMain-Class:" in text:
            return "jar"
        is_manifest = len(self.inside) and self.name.rpartition("/")[2] == "manifest.json"
        if is_manifest and text.startswith("{") and '"manifest_version"' in text:
            return "extension"
        return None
