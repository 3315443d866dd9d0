"""Tables of lines and what each says in a format."""

from schoolgate.lists.formats import LineFormat
from tests.lists.formats.reading import read

UNUSED, FAULT = "not used", "a fault"


def said(form: LineFormat, line: str) -> list[str] | str:
    """Give the entries of a line, or what else it is."""
    found = read(form, line.encode() + b"\n")
    if found.faults:
        return FAULT
    if found.excepted:
        return [f"but {entry.decode()}" for entry in found.excepted]
    if found.unused:
        return UNUSED
    return [entry.decode() for entry in found.entries]
