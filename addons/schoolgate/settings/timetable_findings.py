"""The faults of a timetable's text, each where it stands."""

from collections.abc import Callable

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.timetable import NotationError, Place
from schoolgate.documents import Document, Loc


class Findings:
    """Collects faults in a part of a file."""

    def __init__(self, document: Document, loc: Loc) -> None:
        self._document = document
        self._loc = loc
        self._faults: list[Fault] = []

    def place(self, loc: Loc) -> Place:
        """Give where something of the part stands."""
        fault = self._document.fault((*self._loc, *loc), "")
        return Place(fault.file, fault.line)

    def add(self, loc: Loc, message: str, hint: str = "") -> None:
        """Add a fault in the part."""
        self._faults.append(self._document.fault((*self._loc, *loc), message, hint))

    def add_at(self, place: Place, message: str, hint: str = "") -> None:
        """Add a fault, perhaps in a calendar file."""
        self._faults.append(Fault(place.file, place.line, message, hint))

    def where(self, place: Place) -> str:
        """Write where something else stands, for people who look at this file."""
        if place.file == self._document.file:
            return f"line {place.line}"
        return f"{place.file}:{place.line}"

    def read[T](self, loc: Loc, parse: Callable[[], T]) -> T | None:
        """Give what a notation says; a fault in it is added, and gives None."""
        try:
            return parse()
        except NotationError as error:
            self.add(loc, str(error), error.hint)
            return None

    def stop_at_faults(self) -> None:
        """Go no further with what is wrong.

        Raises:
            ConfigurationError: with all faults so far.
        """
        if self._faults:
            raise ConfigurationError(self._faults)
