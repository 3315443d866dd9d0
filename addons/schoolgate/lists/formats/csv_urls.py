"""URLhaus' tables (CSV, RFC 4180): a line for each address of malware, whose third field it is."""

import csv
from collections.abc import Iterable

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import HOST, LineFormat, usual
from schoolgate.lists.formats.plain import of_address

_URL = 2


def read(line: str) -> Iterable[str]:
    """Give the entry of a row; what has a query is closed by its path."""
    try:
        row = next(csv.reader([line], strict=True))
    except (csv.Error, StopIteration) as error:
        raise BadAddressError(f"{line[:80]!r} is no row of a table") from error
    if len(row) <= _URL:
        raise BadAddressError(f"{line[:80]!r} has {len(row)} fields and no address")
    return (of_address(row[_URL].strip()),)


# Sites of more than malware are closed by the path alone: a row with one must keep it.
URLHAUS = LineFormat(
    usual(
        rb'"[0-9]++","[^"\n]*+","https?+://('
        + HOST
        + rb'(?:/[a-z0-9_~-][a-z0-9_~.-]*+)*+)(?<!\.)","[^\n]*+'
    ),
    read,
)
