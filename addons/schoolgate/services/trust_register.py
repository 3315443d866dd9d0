"""One register over many schools: school after school, each read by its own login, a page at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.approvals import AccessRequest, Grant
from schoolgate.core.errors import SchoolgateError
from schoolgate.storage.school_glance import Part, SchoolView

# A page waits for no more schools than these; the next one goes on from there.
MOST_SCHOOLS = 25


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the register begins.

    Attributes:
        school: its first.
        before: the numbers of that school lie below; 0 for no bound.
    """

    school: str = ""
    before: int = 0

    def __str__(self) -> str:
        """Give it as `parse` reads it."""
        return f"{self.school}:{self.before}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read one; what is none is the beginning."""
        school, _, number = text[:60].rpartition(":")
        if school and number.isascii() and number.isdecimal() and len(number) < 10:
            return cls(school, int(number))
        return cls()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the register."""

    school: str
    item: AccessRequest | Grant


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page of the register.

    Attributes:
        lines: of the schools in their order, each newest first.
        unread: school → why it could not be read.
        follows: where the next page begins; None at the end.
    """

    lines: Sequence[Line]
    unread: dict[str, str]
    follows: Place | None


def stretch(
    schools: Sequence[str],
    view: Callable[[str], SchoolView],
    part: Part,
    now: datetime,
    place: Place,
    most: int,
) -> Stretch:
    """Read a page.

    Args:
        schools: that whoever asks may see, sorted; no other is touched.
        view: gives how one is read.
        part: of the register.
        now: the time, aware.
        place: where it begins.
        most: how many lines.
    """
    left = [name for name in schools if name >= place.school]
    lines: list[Line] = []
    unread: dict[str, str] = {}
    for asked, school in enumerate(left):
        if asked == MOST_SCHOOLS or len(lines) == most:
            return Stretch(lines, unread, Place(school))
        before = place.before if school == place.school else 0
        room = most - len(lines)
        try:
            found = view(school).register(part, now, before, room + 1)
        except SchoolgateError as error:
            unread[school] = str(error)
            continue
        lines += [Line(school, item) for item in found[:room]]
        if len(found) > room:
            return Stretch(lines, unread, Place(school, found[room - 1].id))
    return Stretch(lines, unread, None)
