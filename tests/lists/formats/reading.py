"""What a format reads from a text, put together."""

from schoolgate.lists.formats import Batch, LineFault, LineFormat


def read(form: LineFormat, text: bytes) -> Batch:
    """Give all that a text says."""
    whole = Batch()
    for batch in form.parse([text]):
        whole.entries += batch.entries
        whole.excepted += batch.excepted
        whole.faults += batch.faults
        whole.unused += batch.unused
    return whole


def read_all(form: LineFormat, text: bytes) -> list[bytes]:
    """Give the entries of a text."""
    return read(form, text).entries


def faults(form: LineFormat, text: bytes) -> list[LineFault]:
    """Give the lines of a text that are no entries."""
    return read(form, text).faults
