"""The outer form of an iCalendar file (RFC 5545, 3.1 and 3.4): its events, each with its lines."""

from collections.abc import Iterator
from dataclasses import dataclass

from schoolgate.core.errors import ConfigurationError, Fault

MAX_DEPTH = 8
MAX_LINES = 2_000_000
MAX_VALUE = 65_536
"""Characters in a line that is read; lines that are not may be as long as the file."""

# What an event says of the timetable; descriptions, attachments and alarms are passed over.
_READ = frozenset(
    {
        "UID", "SUMMARY", "CATEGORIES", "STATUS", "DTSTART", "DTEND", "DURATION",
        "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its folds."""

    number: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class EventLines:
    """The lines of one event that are read."""

    number: int
    lines: tuple[Line, ...]

    def first(self, name: str) -> Line | None:
        """Give the first line of a name."""
        return next((line for line in self.lines if line.name == name), None)

    def line_of(self, name: str | None) -> int:
        """Give where a property stands, or the event where it is not there."""
        line = self.first(name) if name else None
        return line.number if line else self.number


def events_of(file: str, text: str) -> Iterator[EventLines]:
    """Give the events of a file one after the other.

    Raises:
        ConfigurationError: when it is no iCalendar file, is cut off or is nested without end.
    """
    if not text.strip():
        raise _refusal(file, 0, "is empty")
    if text.count("\n") > MAX_LINES:
        raise _refusal(file, 0, f"has more than {MAX_LINES} lines")
    open_: list[tuple[str, int]] = []
    kept: list[Line] = []
    for number, name, line in _unfolded(text):
        if not open_ and (name, line.strip().upper()) != ("BEGIN", "VCALENDAR"):
            raise _refusal(file, number, "is no iCalendar file", "it begins with BEGIN:VCALENDAR")
        if name == "BEGIN":
            _open(file, number, line, open_)
            if open_[-1][0] == "VEVENT":
                kept = []
        elif name == "END":
            what, begun = _close(file, number, line, open_)
            if what == "VEVENT":
                yield EventLines(begun, tuple(kept))
        elif name in _READ and open_[-1][0] == "VEVENT":
            if len(line) > MAX_VALUE:
                raise _refusal(file, number, f"{name} is longer than {MAX_VALUE} characters")
            kept.append(Line(number, name, line))
    if open_:
        what, begun = open_[-1]
        message = f"is cut off: the '{what}' of line {begun} has no end"
        raise _refusal(file, number, message, "export or copy it again")


def _open(file: str, number: int, what: str, open_: list[tuple[str, int]]) -> None:
    if len(open_) == MAX_DEPTH:
        raise _refusal(file, number, f"is nested more than {MAX_DEPTH} levels deep")
    open_.append((what.strip().upper()[:40], number))


def _close(file: str, number: int, what: str, open_: list[tuple[str, int]]) -> tuple[str, int]:
    begun = open_.pop()
    if begun[0] != what.strip().upper()[:40]:
        message = f"ends '{what.strip()[:40]}' where the '{begun[0]}' of line {begun[1]} is open"
        raise _refusal(file, number, message, "the file is damaged: export it again")
    return begun


def _unfolded(text: str) -> Iterator[tuple[int, str, str]]:
    """Give each line with its number: its name and itself; of BEGIN and END, what follows the colon.

    Empty lines are left out.
    """
    begun, parts = 0, list[str]()
    start = 0
    number = 0
    while start <= len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        line = text[start:end].removesuffix("\r")
        start = end + 1
        number += 1
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield begun, *_named("".join(parts))
        begun, parts = number, [line] if line else []
    if parts:
        yield begun, *_named("".join(parts))


def _named(line: str) -> tuple[str, str]:
    # No name is longer than this; what follows may be megabytes.
    head = line[:64].partition(":")[0].partition(";")[0].upper()
    if head in ("BEGIN", "END"):
        return head, line.partition(":")[2]
    return head, line


def _refusal(file: str, line: int, message: str, hint: str = "") -> ConfigurationError:
    return ConfigurationError([Fault(file, line, message, hint)])
