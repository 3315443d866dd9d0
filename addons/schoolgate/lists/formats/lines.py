"""Lists that are lines: whole blocks by one pattern, what it leaves over line by line."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, SchoolgateError

# Two labels or more, in lower case, whose last begins with a letter (RFC 1035, 2.3.4: a label has 63).
_LABEL = rb"[a-z0-9_-]{1,63}+"
HOST = rb"(?:" + _LABEL + rb"\.)++[a-z][a-z0-9_-]{1,62}+"
LONGEST_HOST = 253
_LONGEST_LABEL = 63
BLOCK_BYTES = 1 << 20
# Nothing that is a list has such a line; what comes without an end must not be gathered.
LONGEST_LINE = 64 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|script|title|!--)", re.I
)
# Of a thousand bytes; a list may hold a stray one, which is then a fault of its line.
_CONTROLS_IN_JUNK = 10
_LONGEST_SHOWN = 100


class NoListError(SchoolgateError):
    """The publisher can put it right: what came is no list; the text is one sentence about it."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """A line that is no entry.

    Attributes:
        line: counts from 1.
        written: what stands there, cut to a length that can be shown.
        message: why it is none.
    """

    line: int
    written: str
    message: str


@dataclass(slots=True)
class Batch:
    """What a block of a list says.

    Attributes:
        entries: as lists of this product write them (``host``, ``=host``, ``*.host``, ``host/path``).
        excepted: entries that the list takes back (Adblock ``@@``, RPZ ``rpz-passthru``).
        faults: lines that are no entry.
        unused: lines that say something else than a site, e.g. how to hide a part of a page.
    """

    entries: list[bytes] = field(default_factory=list)
    excepted: list[bytes] = field(default_factory=list)
    faults: list[LineFault] = field(default_factory=list)
    unused: int = 0


class NotUsed(Exception):  # noqa: N818 - no error: an answer of a line's reader
    """A line says something that is no site, and that nothing is wrong with."""


class Excepted(Exception):  # noqa: N818 - no error either
    """A line takes entries back."""

    def __init__(self, entries: list[str]) -> None:
        super().__init__()
        self.entries = entries


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A format of lines.

    Attributes:
        usual: matches a whole line in lower case whose first group is an entry as it stands.
        read: gives the entries of any other line, without its white space; raises BadAddressError,
            `NotUsed` or `Excepted`.
        comments: what a line that says nothing begins with.
        alone: whether a host means itself and not what is below it.
    """

    usual: re.Pattern[bytes]
    read: Callable[[str], Iterable[str]]
    comments: tuple[bytes, ...] = (b"#",)
    alone: bool = False

    def parse(self, pieces: Iterable[bytes]) -> Iterator[Batch]:
        """Read a list.

        Args:
            pieces: its bytes, cut anywhere.

        Yields:
            what each block says; entries may repeat.

        Raises:
            NoListError: when it is a page, junk, or a line without an end.
        """
        line = 1
        for number, block in enumerate(blocks(pieces)):
            if number == 0:
                refuse_what_is_no_text(block)
            yield self._read_block(block, line)
            line += block.count(b"\n")

    def _read_block(self, block: bytes, first_line: int) -> Batch:
        parts = self.usual.split(block.lower())
        batch = Batch(entries=parts[1::2])
        if batch.entries and len(max(batch.entries, key=len)) > LONGEST_HOST:
            self._take_out_long(batch, block)
        if self.alone:
            batch.entries = [
                entry if entry.startswith(b"*.") else b"=" + entry for entry in batch.entries
            ]
        rest = b"".join(parts[::2])
        # What matched leaves its line feed, so that the lines of the rest are those of the block.
        if rest.strip():
            self._read_rest(block, rest, first_line, batch)
        return batch

    def _take_out_long(self, batch: Batch, block: bytes) -> None:
        long = [entry for entry in batch.entries if len(host_of(entry)) > LONGEST_HOST]
        if long:
            batch.entries = [
                entry for entry in batch.entries if len(host_of(entry)) <= LONGEST_HOST
            ]
            lowered = block.lower()
            batch.faults += [
                LineFault(
                    lowered.count(b"\n", 0, lowered.find(entry)) + 1,
                    shown(entry),
                    f"is too long: a name has {LONGEST_HOST} characters at most",
                )
                for entry in long
            ]

    def _read_rest(self, block: bytes, rest: bytes, first_line: int, batch: Batch) -> None:
        written = block.split(b"\n")
        for number, left in enumerate(rest.split(b"\n")):
            if not left or not (line := left.strip()) or line.startswith(self.comments):
                continue
            # As it was written: a comment may follow, and a path keep its capitals for the message.
            self._read_line(written[number].strip(), first_line + number, batch)

    def _read_line(self, line: bytes, number: int, batch: Batch) -> None:
        try:
            batch.entries += [entry.encode() for entry in self.read(line.decode())]
        except NotUsed:
            batch.unused += 1
        except Excepted as excepted:
            batch.excepted += [entry.encode() for entry in excepted.entries]
        except BadAddressError as error:
            batch.faults.append(LineFault(number, shown(line), str(error)[: 2 * _LONGEST_SHOWN]))
        except UnicodeDecodeError:
            batch.faults.append(LineFault(number, shown(line), "is not UTF-8"))


def blocks(pieces: Iterable[bytes], block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Cut bytes into blocks of whole lines.

    Raises:
        NoListError: when a line has no end.
    """
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size < block_bytes:
            continue
        joined = b"".join(kept)
        end = joined.rfind(b"\n") + 1
        if len(joined) - end > LONGEST_LINE:
            raise NoListError(f"is no list: it has a line of more than {LONGEST_LINE // 1024} KB")
        if end:
            yield joined[:end]
        kept, size = [joined[end:]], len(joined) - end
    joined = b"".join(kept)
    if len(joined) - (joined.rfind(b"\n") + 1) > LONGEST_LINE:
        raise NoListError(f"is no list: it has a line of more than {LONGEST_LINE // 1024} KB")
    if joined:
        yield joined


def refuse_what_is_no_text(block: bytes) -> None:
    """Refuse a page, or what no editor has written.

    Args:
        block: the first of a list.

    Raises:
        NoListError: with what came in the list's place.
    """
    if _PAGE.match(block[:4096]):
        raise NoListError("is no list: a web page came in its place")
    head = block[: 64 * 1024]
    if len(_CONTROL.findall(head)) * 1000 > _CONTROLS_IN_JUNK * max(len(head), 1000):
        raise NoListError("is no list: it is binary")


def usual(pattern: bytes) -> re.Pattern[bytes]:
    """Compile the pattern of a whole line."""
    return re.compile(rb"^" + pattern + rb"[ \t]*+\r?$", re.MULTILINE)


def united(entries: set[bytes]) -> set[bytes]:
    """Give entries in which a host alone and what is below it, where both are listed, is the site."""
    sites = {entry[2:] for entry in entries if entry.startswith(b"*.")} & {
        entry[1:] for entry in entries if entry.startswith(b"=")
    }
    halves = {b"=" + host for host in sites} | {b"*." + host for host in sites}
    return (entries - halves) | sites


def host_of(entry: bytes) -> bytes:
    """Give the host of an entry, without the sign of its reach."""
    return entry.partition(b"/")[0].removeprefix(b"=").removeprefix(b"*.")


def shown(line: bytes) -> str:
    """Give a line as it can be shown: escaped, and cut."""
    text = line.decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def site(written: str) -> str:
    """Give the entry for a host or a host with a path in its one form.

    Raises:
        BadAddressError: when it is none, or a bare label.
    """
    entry = ListEntry.parse(written, "", "")
    if len(entry.host) > LONGEST_HOST or len(max(entry.host.split("."), key=len)) > _LONGEST_LABEL:
        raise BadAddressError(
            f"{written[:80]!r} is too long: a label has {_LONGEST_LABEL} characters at most, "
            f"a name {LONGEST_HOST}"
        )
    if "." not in entry.host and not entry.host.startswith("["):
        raise BadAddressError(
            f"{written[:80]!r} is a bare label: it would cover a whole country or word"
        )
    return entry.text
