"""The phrases by which pages are judged: YAML files under `categories/phrases/`, read, judged and compiled.

One file a category, one a register of innocent texts, all languages in it; `weights.yaml` says how they
add up, `signals.yaml` what labels and names of hosts say.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from schoolgate.core.content import (
    HostWord,
    HostWords,
    Label,
    Language,
    PhraseModel,
    Relation,
    Relations,
    Subject,
    Weights,
    Worth,
)
from schoolgate.core.content.folding import fold
from schoolgate.core.content.visible import Zone
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.gate import Suffixes
from schoolgate.core.registrable import sites_by
from schoolgate.documents import Document, Strict, read_document, validate
from schoolgate.lists.public_suffixes import suffix_rules

PHRASES = "phrases"
REGISTERS = "registers"
_WEIGHTS, _SIGNALS = "weights.yaml", "signals.yaml"
# A beginning that is shorter begins too many words: letters of one alone, and of one after others.
_LEAST_STEM = (4, 2)
_MOST_WORDS = 7

type Weight = Annotated[int, Field(ge=1, le=10)]
type Factor = Annotated[float, Field(ge=0, le=5)]
type Points = Annotated[float, Field(gt=0, le=100)]


class LanguageText(Strict):
    """The phrases of one language, by their weight."""

    phrases: dict[Weight, tuple[str, ...]] = Field(default_factory=dict)
    exculpations: tuple[str, ...] = ()


class SubjectText(Strict):
    """A category's file, or with no threshold that of a register."""

    id: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    threshold: Points | None = None
    languages: dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], LanguageText]


class WeightsText(Strict):
    """`weights.yaml`, the numbers of `Weights`."""

    zones: dict[Literal["title", "meta", "heading", "link", "alt"], Factor]
    near_words: Annotated[int, Field(ge=1, le=100)]
    near_factor: Annotated[float, Field(ge=0, le=1)]
    least_words: Annotated[int, Field(ge=10)]
    least_phrases: Annotated[int, Field(ge=2)]
    least_strong: Annotated[int, Field(ge=1)]
    many_phrases: Annotated[int, Field(ge=3)]
    many_factor: Annotated[float, Field(ge=1)]
    strong_weight: Weight
    dense_words: Annotated[int, Field(ge=10)]
    register_factor: Factor
    clearing_points: Annotated[float, Field(ge=0)]
    most_clearing: Annotated[int, Field(ge=0)]


class LabelText(Strict):
    """A self-label of `signals.yaml`."""

    names: tuple[str, ...]
    value: str
    category: str
    points: Points
    sufficient: bool = False


class WorthText(Strict):
    """What a relation of `signals.yaml` adds for each listed site, and for all of a category together."""

    points: Points
    most: Points


class RelationsText(Strict):
    """The relations of `signals.yaml` between a page and sites that lists know."""

    worth: dict[Relation, WorthText]
    least_share: Annotated[float, Field(ge=0, le=1)]
    new_factor: Annotated[float, Field(ge=1, le=3)]


class SignalsText(Strict):
    """`signals.yaml`: labels by their id, words of hosts by category and points, and relations."""

    labels: dict[str, LabelText]
    hosts: dict[str, dict[Weight, tuple[str, ...]]]
    relations: RelationsText | None = None
    neutral: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhraseFiles:
    """Everything that the files say, with the place of each phrase."""

    categories: tuple[tuple[Document, SubjectText], ...]
    registers: tuple[tuple[Document, SubjectText], ...]
    weights: WeightsText
    signals: tuple[Document, SignalsText]


def load_phrases(directory: Path) -> PhraseModel:
    """Read the phrases of a directory and compile them.

    Args:
        directory: the one called `phrases` within that of the category files.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    return compile_phrases(read_phrase_files(directory))


def read_phrase_files(directory: Path) -> PhraseFiles:
    """Read all files of phrases without compiling them.

    Raises:
        ConfigurationError: with every fault of every file.
    """
    faults: list[Fault] = []
    weights = validate(read_document(directory / _WEIGHTS), WeightsText)
    signals_document = read_document(directory / _SIGNALS)
    signals = validate(signals_document, SignalsText)
    files = PhraseFiles(
        tuple(_subjects(directory, faults, innocent=False)),
        tuple(_subjects(directory / REGISTERS, faults, innocent=True)),
        weights,
        (signals_document, signals),
    )
    faults.extend(_broken_labels(signals_document, signals))
    if faults:
        raise ConfigurationError(faults)
    return files


def compile_phrases(files: PhraseFiles) -> PhraseModel:
    """Compile what was read; it is then shared by whoever is forked after."""
    text = files.weights
    zones = {Zone[name.upper()]: factor for name, factor in text.zones.items()} | {Zone.BODY: 1.0}
    numbers = text.model_dump(exclude={"zones"})
    _, signals = files.signals
    return PhraseModel.compiled(
        [_subject(each) for _, each in files.categories],
        [_subject(each) for _, each in files.registers],
        Weights(zones=zones, **numbers),
        [_label(name, each) for name, each in signals.labels.items()],
        HostWords(
            (
                HostWord(word, category, points)
                for category, by_points in signals.hosts.items()
                for points, words in by_points.items()
                for word in words
            ),
            signals.neutral,
        ),
        _relations(signals.relations),
    )


def lint_phrases(directory: Path, known: Collection[str]) -> list[Fault]:
    """Judge every phrase.

    Args:
        directory: as for `load_phrases`.
        known: ids of the categories that there are.

    Returns:
        every fault; empty when all is well.

    Raises:
        ConfigurationError: when the files cannot be read at all.
    """
    files = read_phrase_files(directory)
    faults: list[Fault] = []
    for document, text in files.categories:
        if text.id not in known:
            faults.append(document.fault(("id",), f"there is no category '{text.id}'"))
    for document, text in (*files.categories, *files.registers):
        faults.extend(_phrase_faults(document, text))
    document, signals = files.signals
    faults.extend(_signal_faults(document, signals, known))
    return sorted(faults, key=lambda fault: (fault.file, fault.line))


def _subjects(
    directory: Path, faults: list[Fault], *, innocent: bool
) -> Iterator[tuple[Document, SubjectText]]:
    if not directory.is_dir():
        faults.append(Fault(str(directory), 0, "is not a directory"))
        return
    names = sorted(path for path in directory.iterdir() if path.suffix == ".yaml")
    for path in names:
        if path.name in {_WEIGHTS, _SIGNALS}:
            continue
        try:
            document = read_document(path)
            text = validate(document, SubjectText)
        except ConfigurationError as error:
            faults.extend(error.faults)
            continue
        if text.id != path.stem:
            faults.append(document.fault(("id",), f"the id '{text.id}' is not the file's name"))
        if innocent and text.threshold is not None:
            faults.append(document.fault(("threshold",), "a register has no threshold"))
        if not innocent and text.threshold is None:
            faults.append(document.fault((), "the key 'threshold' is missing"))
        yield document, text


def _phrase_faults(document: Document, text: SubjectText) -> Iterator[Fault]:
    for code, language in text.languages.items():
        seen: set[bytes] = set()
        places = [
            (("languages", code, "phrases", str(weight), i), phrase)
            for weight, phrases in language.phrases.items()
            for i, phrase in enumerate(phrases)
        ] + [
            (("languages", code, "exculpations", i), phrase)
            for i, phrase in enumerate(language.exculpations)
        ]
        for place, phrase in places:
            folded = fold(phrase)
            message = _fault_of(phrase, folded)
            if folded in seen:
                message = "stands there twice"
            if message:
                yield document.fault(place, f"'{phrase}' {message}")
            seen.add(folded)


def _fault_of(phrase: str, folded: bytes) -> str:
    words = folded.split()
    if not words or max(len(word.decode()) for word in words) < 2:
        return "has no word in it"
    if len(words) > _MOST_WORDS:
        return f"has more than {_MOST_WORDS} words"
    if "*" in phrase[:-1]:
        return "has a star that is not at its end"
    if phrase.endswith("*") and len(words[-1].decode()) < _LEAST_STEM[len(words) > 1]:
        return "has a star after too few letters"
    return ""


def _signal_faults(
    document: Document, signals: SignalsText, known: Collection[str]
) -> Iterator[Fault]:
    for name, label in signals.labels.items():
        if label.category not in known:
            place = ("labels", name, "category")
            yield document.fault(place, f"there is no category '{label.category}'")
    neutral = set(signals.neutral)
    for category, by_points in signals.hosts.items():
        if category not in known:
            yield document.fault(("hosts", category), f"there is no category '{category}'")
        for points, words in by_points.items():
            for i, word in enumerate(words):
                place_of_word = ("hosts", category, str(points), i)
                if not re.fullmatch("[a-z]{3,}", word):
                    yield document.fault(place_of_word, f"'{word}' is not three small letters")
                if word in neutral:
                    yield document.fault(place_of_word, f"'{word}' is a neutral word, too")


def _broken_labels(document: Document, signals: SignalsText) -> Iterator[Fault]:
    for name, label in signals.labels.items():
        try:
            re.compile(label.value)
        except re.error as error:
            yield document.fault(("labels", name, "value"), f"is no expression: {error}")


def _subject(text: SubjectText) -> Subject:
    languages = {
        code: Language(
            {phrase: weight for weight, each in language.phrases.items() for phrase in each},
            language.exculpations,
        )
        for code, language in text.languages.items()
    }
    return Subject(text.id, languages, text.threshold)


def _relations(text: RelationsText | None) -> Relations:
    if text is None:
        return Relations()
    return Relations(
        {relation: Worth(each.points, each.most) for relation, each in text.worth.items()},
        text.least_share,
        text.new_factor,
        sites_by(Suffixes(*suffix_rules())),
    )


def _label(name: str, text: LabelText) -> Label:
    return Label(
        name,
        frozenset(text.names),
        re.compile(text.value),
        text.category,
        text.points,
        text.sufficient,
    )
