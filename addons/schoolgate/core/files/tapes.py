"""Archives in which files stand one after the other: tar, cpio and ar."""

from schoolgate.core.files.formats import tar_sum_is_right
from schoolgate.core.files.walk import Content, Opened, UnreadableError

_TAR_BLOCK = 512


class Tape:
    """Reads a header, hands on that many bytes, passes over the padding, and begins again.

    Args:
        of: what it is.
    """

    def __init__(self, of: Opened) -> None:
        self._of = of
        self._buffer = bytearray()
        self._content: Content | None = None
        self._left = 0
        self._padding = 0
        self.done = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while view and not self.done:
            view = self._of_member(view)
            if not len(view):
                return
            wanted = self._header_size(bytes(self._buffer))
            more = wanted - len(self._buffer)
            self._buffer += view[:more]
            view = view[more:]
            if len(self._buffer) >= wanted and wanted == self._header_size(bytes(self._buffer)):
                header = bytes(self._buffer)
                self._buffer.clear()
                self._header(header)

    def end(self) -> None:
        """Note that there are no more."""
        if self._content is not None:
            self._content.end()

    def _of_member(self, view: memoryview) -> memoryview:
        if self._left:
            part = view[: self._left]
            self._left -= len(part)
            view = view[len(part) :]
            if self._content is not None and not self._content.done:
                self._content.feed(bytes(part))
            if self._left:
                return view
            if self._content is not None:
                self._content.end()
                self._content = None
        gone = min(self._padding, len(view))
        self._padding -= gone
        return view[gone:]

    def _member(self, name: str | None, size: int, padding: int) -> None:
        """Begin a member; one without a name is passed over."""
        if size < 0:
            raise UnreadableError("a size below zero")
        self._left, self._padding = size, padding
        self._content = None if name is None else self._of.open(name)
        if not size and self._content is not None:
            self._content.end()
            self._content = None

    def _header_size(self, begun: bytes) -> int:
        """Give how long the header is of which this is the beginning."""
        raise NotImplementedError

    def _header(self, header: bytes) -> None:
        """Take a whole header."""
        raise NotImplementedError


class Tar(Tape):
    """POSIX ustar and pax, GNU, and that of before."""

    def __init__(self, of: Opened) -> None:
        super().__init__(of)
        self._long_name = ""
        self._has_ended = False

    def _header_size(self, begun: bytes) -> int:
        if begun[:1] and len(begun) >= _TAR_BLOCK and begun[156:157] in (b"x", b"L"):
            size = _tar_number(begun[124:136])
            if size > self._of.walk.limits.kept_bytes:
                raise UnreadableError("a name without end")
            return _TAR_BLOCK + size + -size % _TAR_BLOCK
        return _TAR_BLOCK

    def _header(self, header: bytes) -> None:
        block = header[:_TAR_BLOCK]
        if not any(block):
            self.done, self._has_ended = self._has_ended, True
            return
        if not tar_sum_is_right(block):
            if self._has_ended:
                self.done = True
                return
            raise UnreadableError("a header of tar with a wrong sum")
        self._has_ended = False
        kind, size = block[156:157], _tar_number(block[124:136])
        if kind in (b"x", b"L"):
            self._long_name = _tar_long_name(kind, header[_TAR_BLOCK : _TAR_BLOCK + size])
            return
        name = self._long_name or _tar_name(block)
        self._long_name = ""
        is_file = kind in (b"\x00", b"0", b"7", b"S", b" ")
        # Links and directories have no bytes, whatever they say.
        size = 0 if kind in b"123456" else size
        self._member(name if is_file else None, size, -size % _TAR_BLOCK)


class Cpio(Tape):
    """The portable ASCII forms: "new", with and without sums, and that of POSIX."""

    def _header_size(self, begun: bytes) -> int:
        if len(begun) < 6:
            return 6
        is_new = begun[:5] == b"07070" and begun[5:6] in b"12"
        fixed = 110 if is_new else 76
        if len(begun) < fixed:
            return fixed
        count = int(begun[94:102], 16) if is_new else int(begun[59:65], 8)
        if not 0 < count <= 65_536:
            raise UnreadableError("a name of cpio without end")
        size = fixed + count
        return size + (-size % 4 if is_new else 0)

    def _header(self, header: bytes) -> None:
        if header[:6] not in (b"070701", b"070702", b"070707"):
            raise UnreadableError("no header of cpio")
        is_new = header[5:6] in b"12"
        raw = header[110:] if is_new else header[76:]
        name = raw.partition(b"\x00")[0].decode("utf-8", "replace")
        if name == "TRAILER!!!":
            self.done = True
            return
        size = int(header[54:62], 16) if is_new else int(header[65:76], 8)
        self._member(name, size, -size % 4 if is_new else 0)


class Ar(Tape):
    """Libraries of the linker; Debian's packages are one, too, but told before."""

    def __init__(self, of: Opened) -> None:
        super().__init__(of)
        self._padding = 8

    def _header_size(self, begun: bytes) -> int:
        return 60

    def _header(self, header: bytes) -> None:
        if header[58:60] != b"`\n":
            raise UnreadableError("no header of ar")
        name = header[:16].decode("latin-1").strip()
        size = int(header[48:58])
        is_table = name in ("/", "//", "/SYM64/", "__.SYMDEF")
        self._member(None if is_table else name.rstrip("/"), size, size % 2)


def _tar_number(field: bytes) -> int:
    """Read an octal number, or a binary one as GNU tar writes where that is too short."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b" \x00") or b"0", 8)


def _tar_name(block: bytes) -> str:
    name = block[:100].partition(b"\x00")[0]
    prefix = block[345:500].partition(b"\x00")[0] if block[257:263] == b"ustar\x00" else b""
    return (prefix + b"/" + name if prefix else name).decode("utf-8", "replace")


def _tar_long_name(kind: bytes, data: bytes) -> str:
    if kind == b"L":
        return data.partition(b"\x00")[0].decode("utf-8", "replace")
    at = 0
    while at < len(data):
        digits = data[at:].partition(b" ")[0]
        if not digits.isdigit() or not int(digits):
            break
        record = data[at + len(digits) + 1 : at + int(digits)]
        key, _, value = record.partition(b"=")
        if key == b"path":
            return value.rstrip(b"\n").decode("utf-8", "replace")
        at += int(digits)
    return ""
