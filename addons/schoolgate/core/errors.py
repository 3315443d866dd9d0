"""The errors of schoolgate, sorted by who can put them right."""

from collections.abc import Iterable
from dataclasses import dataclass


class SchoolgateError(Exception):
    """Whatever schoolgate itself refuses or cannot do; its text is one clear sentence."""


class BadAddressError(SchoolgateError):
    """The person browsing gave a host or URL that does not parse: the request is blocked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, with its place; lines count from 1, 0 is the whole file."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Give the fault as compilers do: ``file:line: message (hint)``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigurationError(SchoolgateError):
    """The technician can put it right: a settings, policy or list file has faults, all of them named.

    Attributes:
        faults: every fault that was found, in file order.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class DamagedIndexError(SchoolgateError):
    """The technician can put it right: an index of sites is damaged or not for this machine.

    Its text says what the file is, without its name: ``is empty``.
    """


class UnavailableError(SchoolgateError):
    """The technician can put it right: a port, directory, key or database that is needed is not usable."""


class StoreUnavailableError(UnavailableError):
    """The database itself failed, is out of reach, or is a copy that cannot be written."""


class RefusedError(SchoolgateError):
    """Staff and approvers can put it right: what was asked for is not allowed in this state or role."""
