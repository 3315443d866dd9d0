"""Services that have modes a gateway can ask for, as they stand in `config/services.yaml`."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from string import Formatter, ascii_lowercase
from typing import Annotated

from pydantic import Field

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.hosts import normalise_host
from schoolgate.core.policy import Searching, Service, Writing
from schoolgate.documents import Document, Loc, Strict, parse_document, read_text, validate

# The list that a decision names as its evidence.
FEED = "services"

# RFC 9110, 5.6.2: a token; and what may stand in a value so that no other header begins in it.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_EVERYWHERE = ".*"


class ModeText(Strict):
    """What is written into requests to ask for a mode."""

    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    cookies: dict[str, str] = Field(default_factory=dict)
    dns: str = ""


class SearchingText(Strict):
    """Where the words of a search stand: pages of results, and parameters of their addresses."""

    paths: Annotated[tuple[str, ...], Field(min_length=1)]
    query: Annotated[tuple[str, ...], Field(min_length=1)]


class ServiceText(Strict):
    """A service: where it is, and its modes."""

    title: Annotated[str, Field(min_length=1)]
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    sign_in: tuple[str, ...] = ()
    modes: dict[str, ModeText] = Field(default_factory=dict)
    searching: SearchingText | None = None


class ServicesText(Strict):
    """The whole file."""

    services: dict[str, ServiceText]


def load_services(file: Path) -> dict[str, Service]:
    """Read the services.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    document = parse_document(str(file), read_text(file))
    text = validate(document, ServicesText)
    found: dict[str, Service] = {}
    faults: list[Fault] = []
    for id_, service in text.services.items():
        loc: Loc = ("services", id_)
        hosts, sign_in = (
            list(_entries(document, (*loc, key), getattr(service, key), faults))
            for key in ("hosts", "sign_in")
        )
        modes: dict[str, Writing] = {}
        for mode, writing in service.modes.items():
            if wrong := list(_faults(document, (*loc, "modes", mode), writing)):
                faults.extend(wrong)
            else:
                modes[mode] = _writing(writing)
        asked = service.searching
        searching = Searching(frozenset(asked.paths), asked.query) if asked else None
        found[id_] = Service(id_, service.title, tuple(hosts), modes, tuple(sign_in), searching)
    if faults:
        raise ConfigurationError(faults)
    return found


def values_of(writing: Writing) -> set[str]:
    """Give the words for which a policy has to say a value."""
    pairs = (*writing.query, *writing.headers, *writing.cookies)
    return {word for _, text in pairs for _, word, _, _ in Formatter().parse(text) if word}


def with_values(writing: Writing, values: dict[str, str]) -> Writing:
    """Give what is written with a policy's values in their places."""

    def filled(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, text.format_map(values)) for name, text in pairs)

    return Writing(
        filled(writing.query), filled(writing.headers), filled(writing.cookies), writing.dns
    )


def is_header_value(text: str) -> bool:
    """Ask whether a text can stand in a header."""
    return _VALUE.fullmatch(text) is not None


def _entries(
    document: Document, loc: Loc, hosts: tuple[str, ...], faults: list[Fault]
) -> Iterator[ListEntry]:
    """Give the hosts that are named; the faults among them are added to the others."""
    for i, host in enumerate(hosts):
        try:
            yield from [ListEntry.parse(each, "", FEED) for each in spelt_out(host)]
        except BadAddressError as error:
            faults.append(document.fault((*loc, i), str(error)))


def spelt_out(host: str) -> Iterator[str]:
    """Give a host, or for ``name.*`` that name under every country and under ``com``.

    Countries have two letters; some have their sites under ``co`` or ``com`` (RFC 1591, 2). Names
    that do not exist are never asked for.
    """
    name, path = host, ""
    if "/" in host:
        name, _, path = host.partition("/")
        path = "/" + path
    if not name.endswith(_EVERYWHERE):
        yield host
        return
    stem = name.removesuffix(_EVERYWHERE)
    yield f"{stem}.com{path}"
    for letters in product(ascii_lowercase, repeat=2):
        country = "".join(letters)
        yield from (f"{stem}.{under}{country}{path}" for under in ("", "co.", "com."))


def _writing(text: ModeText) -> Writing:
    return Writing(
        tuple(text.query.items()),
        tuple(text.headers.items()),
        tuple(text.cookies.items()),
        normalise_host(text.dns) if text.dns else "",
    )


def _faults(document: Document, loc: Loc, text: ModeText) -> Iterator[Fault]:
    if text == ModeText():
        yield document.fault(loc, "nothing is written to ask for this mode")
    for kind in ("query", "headers", "cookies"):
        for name, value in getattr(text, kind).items():
            if not _TOKEN.fullmatch(name) or not is_header_value(value):
                yield document.fault((*loc, kind, name), f"'{name}: {value}' cannot be written")
                continue
            try:
                plain = all(
                    word is None or (word.isidentifier() and not form and not conversion)
                    for _, word, form, conversion in Formatter().parse(value)
                )
            except ValueError:
                plain = False
            if not plain:
                message = f"'{value}' has braces that hold no single word"
                yield document.fault((*loc, kind, name), message)
    if text.dns:
        try:
            normalise_host(text.dns)
        except BadAddressError as error:
            yield document.fault((*loc, "dns"), str(error))
        if text.query or text.headers or text.cookies:
            yield document.fault(loc, "'dns' stands alone: with it nothing has to be read")
