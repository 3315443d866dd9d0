"""Services that show pages of others under their own name, as they stand in `config/unfolding.yaml`."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.policy import Carrier
from schoolgate.documents import Strict, parse_document, read_text, validate
from schoolgate.settings.services_file import spelt_out

FEED = "unfolding"
# Whole segments, of which one may be anything and one the scheme.
_PATTERN = re.compile(r"/(?:(?:\{any\}|\{scheme\}|[A-Za-z0-9._~-]+)/)*")


class CarrierText(Strict):
    """A service: where it is, and where in a request the address of the page stands."""

    title: Annotated[str, Field(min_length=1)]
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    query: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    labels: bool = False


class CarriersText(Strict):
    """The whole file."""

    carriers: dict[str, CarrierText]


def load_carriers(file: Path) -> tuple[Carrier, ...]:
    """Read the services.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    document = parse_document(str(file), read_text(file))
    text = validate(document, CarriersText)
    found: list[Carrier] = []
    faults: list[Fault] = []
    for id_, carrier in text.carriers.items():
        loc = ("carriers", id_)
        entries: list[ListEntry] = []
        for i, host in enumerate(carrier.hosts):
            try:
                entries.extend(ListEntry.parse(each, "", FEED) for each in spelt_out(host))
            except BadAddressError as error:
                faults.append(document.fault((*loc, "hosts", i), str(error)))
        if not (carrier.query or carrier.paths or carrier.labels):
            message = "it does not say where the address stands"
            faults.append(document.fault(loc, message, "give query, paths or labels"))
        for i, pattern in enumerate(carrier.paths):
            if not _PATTERN.fullmatch(pattern) or pattern.count("{scheme}") > 1:
                message = f"'{pattern}' is not of the form /web/{{any}}/"
                faults.append(document.fault((*loc, "paths", i), message))
        query = frozenset(name.lower() for name in carrier.query)
        found.append(
            Carrier(id_, carrier.title, tuple(entries), query, carrier.paths, carrier.labels)
        )
    if faults:
        raise ConfigurationError(faults)
    return tuple(found)
