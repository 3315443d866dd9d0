"""From which age services admit people, as it stands in `config/ages.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.policy import MinimumAge
from schoolgate.documents import Strict, parse_document, read_text, validate

# The list that a decision names as its evidence.
FEED = "ages"

Age = Annotated[int, Field(ge=1, le=25)]


class ServiceText(Strict):
    """A service, the age, and which of its terms say so."""

    host: Annotated[str, Field(min_length=1)]
    age: Age
    source: Annotated[str, Field(min_length=1)]


class AgesText(Strict):
    """The whole file."""

    services: tuple[ServiceText, ...]


def load_ages(file: Path) -> tuple[MinimumAge, ...]:
    """Read the minimum ages.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    document = parse_document(str(file), read_text(file))
    found: list[MinimumAge] = []
    seen: set[ListEntry] = set()
    faults: list[Fault] = []
    for i, service in enumerate(validate(document, AgesText).services):
        try:
            entry = ListEntry.parse(service.host, "", FEED)
        except BadAddressError as error:
            faults.append(document.fault(("services", i, "host"), str(error)))
            continue
        if entry in seen:
            faults.append(document.fault(("services", i, "host"), f"names {entry.text} twice"))
        seen.add(entry)
        found.append(MinimumAge(entry, service.age, service.source))
    if faults:
        raise ConfigurationError(faults)
    return tuple(found)
