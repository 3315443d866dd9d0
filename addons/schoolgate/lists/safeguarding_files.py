"""The phrases by which signs of harm are found: YAML files under `categories/safeguarding/`.

One file a theme, all languages in it; `common.yaml` holds what they share, `sites.yaml` what a visit
to a kind of site means.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.safeguarding import (
    Lexicon,
    Matcher,
    PhraseError,
    Phrases,
    Severity,
    SiteSign,
    Theme,
    Watch,
)
from schoolgate.core.safeguarding.phrases import sequences
from schoolgate.documents import Document, Loc, Strict, read_document, validate

SAFEGUARDING = "safeguarding"
_COMMON, _SITES = "common.yaml", "sites.yaml"

type Weight = Literal["danger", "caution", "advisory"]
type Code = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
type Listed = tuple[str, ...]
type Concepts = dict[Annotated[str, Field(pattern=r"^[a-z]+$")], Listed]


class LanguageText(Strict):
    """What a theme looks for in one language."""

    concepts: Concepts = Field(default_factory=dict)
    innocent: Listed = ()
    surroundings: Listed = ()
    firm: dict[Weight, Listed] = Field(default_factory=dict)
    danger: Listed = ()
    caution: Listed = ()
    advisory: Listed = ()


class ThemeText(Strict):
    """A theme's file."""

    id: Theme
    title: str
    languages: dict[Code, LanguageText]


class SharedText(Strict):
    """What all themes share in one language."""

    fillers: Listed = ()
    spellings: dict[str, Listed] = Field(default_factory=dict)
    concepts: Concepts = Field(default_factory=dict)
    innocent: Listed = ()
    surroundings: Listed = ()


class CommonText(Strict):
    """`common.yaml`."""

    languages: dict[Code, SharedText]


class SiteText(Strict):
    """What a visit to a kind of site means."""

    theme: Theme
    severity: Severity


class SitesText(Strict):
    """`sites.yaml`."""

    sites: dict[str, SiteText]
    quiet: Listed = ()


@dataclass(frozen=True, slots=True)
class SafeguardingFiles:
    """Everything that the files say, with the place of each phrase."""

    themes: tuple[tuple[Document, ThemeText], ...]
    common: tuple[Document, CommonText]
    sites: tuple[Document, SitesText]
    version: str


def load_safeguarding(directory: Path) -> Watch:
    """Read the phrases of a directory and compile them.

    Args:
        directory: the one called `safeguarding` within that of the category files.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    files = read_safeguarding_files(directory)
    faults = list(_broken(files))
    if faults:
        raise ConfigurationError(faults)
    sites = files.sites[1]
    return Watch(
        Matcher(_lexicons(files)),
        {name: SiteSign(each.theme, each.severity) for name, each in sites.sites.items()},
        frozenset(sites.quiet),
        files.version,
    )


def read_safeguarding_files(directory: Path) -> SafeguardingFiles:
    """Read all files without compiling them.

    Raises:
        ConfigurationError: with every fault of form of every file.
    """
    faults: list[Fault] = []
    if not directory.is_dir():
        raise ConfigurationError([Fault(str(directory), 0, "is not a directory")])
    common = read_document(directory / _COMMON)
    sites = read_document(directory / _SITES)
    paths = sorted(path for path in directory.iterdir() if path.suffix == ".yaml")
    themes = tuple(_themes(paths, faults))
    if faults:
        raise ConfigurationError(faults)
    content = hashlib.blake2s(b"".join(path.read_bytes() for path in paths), digest_size=8)
    return SafeguardingFiles(
        themes,
        (common, validate(common, CommonText)),
        (sites, validate(sites, SitesText)),
        content.hexdigest(),
    )


def lint_safeguarding(directory: Path, known: Collection[str]) -> list[Fault]:
    """Judge every phrase.

    Args:
        directory: as for `load_safeguarding`.
        known: ids of the categories that there are.

    Returns:
        every fault; empty when all is well.

    Raises:
        ConfigurationError: when the files cannot be read at all.
    """
    files = read_safeguarding_files(directory)
    faults = [*_broken(files), *_repeated(files)]
    document, sites = files.sites
    places: list[tuple[Loc, str]] = [(("sites", name), name) for name in sites.sites]
    places += [(("quiet", i), name) for i, name in enumerate(sites.quiet)]
    for place, name in places:
        if name not in known:
            faults.append(document.fault(place, f"there is no category '{name}'"))
    return sorted(faults, key=lambda fault: (fault.file, fault.line))


def _themes(paths: list[Path], faults: list[Fault]) -> Iterator[tuple[Document, ThemeText]]:
    for path in paths:
        if path.name in {_COMMON, _SITES}:
            continue
        try:
            document = read_document(path)
            text = validate(document, ThemeText)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        if text.id != path.stem:
            faults.append(document.fault(("id",), f"the id '{text.id}' is not the file's name"))
        yield document, text


def _broken(files: SafeguardingFiles) -> Iterator[Fault]:
    for document, place, phrase, concepts in _phrases(files):
        try:
            for _ in sequences(phrase, concepts):
                pass
        except PhraseError as error:
            yield document.fault(place, f"'{phrase}' {error}")


def _repeated(files: SafeguardingFiles) -> Iterator[Fault]:
    seen: set[tuple[str, Loc, str]] = set()
    for document, place, phrase, _ in _phrases(files):
        key = (document.file, place[:-1], " ".join(phrase.split()))
        if key in seen:
            yield document.fault(place, f"'{phrase}' stands there twice")
        seen.add(key)


def _phrases(
    files: SafeguardingFiles,
) -> Iterator[tuple[Document, Loc, str, dict[str, Listed]]]:
    """Give every phrase with its place and the words that it may name."""
    document, common = files.common
    for code, shared in common.languages.items():
        for key, phrases in (("innocent", shared.innocent), ("surroundings", shared.surroundings)):
            for i, phrase in enumerate(phrases):
                yield document, ("languages", code, key, i), phrase, shared.concepts
    for document, text in files.themes:
        for code, language in text.languages.items():
            concepts = _concepts(files, code, language)
            for place, phrases in _lists(language):
                for i, phrase in enumerate(phrases):
                    yield document, ("languages", code, *place, i), phrase, concepts


def _concepts(files: SafeguardingFiles, code: str, language: LanguageText) -> Concepts:
    """Give the lists that a theme's phrases may name: its own, and those of all themes."""
    shared = files.common[1].languages.get(code, SharedText())
    return shared.concepts | language.concepts


def _lists(language: LanguageText) -> Iterator[tuple[Loc, Listed]]:
    yield ("innocent",), language.innocent
    yield ("surroundings",), language.surroundings
    for severity in Severity:
        yield (severity.value,), getattr(language, severity.value)
        yield ("firm", severity.value), language.firm.get(severity.value, ())


def _lexicons(files: SafeguardingFiles) -> Iterator[Lexicon]:
    for code, shared in files.common[1].languages.items():
        spellings = {typed: word for word, its in shared.spellings.items() for typed in its}
        yield Lexicon(
            None,
            code,
            (),
            shared.concepts,
            shared.innocent,
            shared.surroundings,
            shared.fillers,
            spellings,
        )
    for _, text in files.themes:
        for code, each in text.languages.items():
            groups = [
                Phrases(severity, phrases, firm=firm)
                for severity in Severity
                for firm, phrases in (
                    (True, each.firm.get(severity.value, ())),
                    (False, getattr(each, severity.value)),
                )
            ]
            yield Lexicon(
                text.id,
                code,
                tuple(groups),
                _concepts(files, code, each),
                each.innocent,
                each.surroundings,
            )
