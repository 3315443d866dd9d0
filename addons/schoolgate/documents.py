"""YAML files read with the line of every key, so that each fault can be named where it stands."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from schoolgate.core.errors import ConfigurationError, Fault

type Loc = tuple[str | int, ...]

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40


class Strict(BaseModel):
    """A mapping of a file: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain data, and the line on which each part of it stands."""

    file: str
    data: Any
    lines: dict[Loc, int]
    # Parts that came from elsewhere, and what that is called.
    elsewhere: dict[Loc, str] = field(default_factory=dict)

    def line(self, loc: Loc) -> int:
        """Give the line of a part, or of the nearest part around it."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def fault(self, loc: Loc, message: str, hint: str = "") -> Fault:
        """Give a fault at a part of the file."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.elsewhere:
                return Fault(self.elsewhere[loc[:end]], 0, message, hint)
        return Fault(self.file, self.line(loc), message, hint)


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigurationError: when it cannot be read, is no YAML, repeats a key, or uses anchors
            (which policies do not need and with which a small file can grow without end).
    """
    return parse_document(str(path), read_text(path))


def read_text(path: Path) -> str:
    """Read a configuration file as UTF-8.

    Raises:
        ConfigurationError: when it cannot be read, is too large or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise ConfigurationError([Fault(str(path), 0, f"is larger than {MAX_BYTES} bytes")])
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError([Fault(str(path), line, "is not UTF-8 text")]) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError([Fault(str(path), 0, f"cannot be read: {why}")]) from error


def parse_document(file: str, text: str) -> Document:
    """Read YAML text; ``file`` is the name that faults show.

    Raises:
        ConfigurationError: as `read_document`.
    """
    reader = _Reader(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = reader.value(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"is not valid YAML: {error.problem or error.context}"
        raise ConfigurationError([Fault(file, mark.line + 1 if mark else 1, message)]) from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        message = f"is not valid YAML: {error.reason}"
        raise ConfigurationError([Fault(file, line, message)]) from error
    except RecursionError as error:
        raise ConfigurationError([Fault(file, 1, "is nested too deeply")]) from error
    if reader.faults:
        raise ConfigurationError(reader.faults)
    return Document(file, data, reader.lines)


class _Reader:
    """Turns YAML nodes into plain data and notes the line of each."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._construct = yaml.SafeLoader("")
        self._seen: set[int] = set()
        self.lines: dict[Loc, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, loc: Loc) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(loc, line)
        if id(node) in self._seen:
            self.faults.append(Fault(self._file, line, "uses an anchor; write the value out"))
            return None
        self._seen.add(id(node))
        if len(loc) > MAX_DEPTH:
            self.faults.append(Fault(self._file, line, "is nested too deeply"))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*loc, i)) for i, child in enumerate(node.value)]
        try:
            return self._construct.construct_object(node)
        except (ValueError, yaml.YAMLError) as error:  # an impossible date, an unknown tag
            problem = getattr(error, "problem", None) or error
            self.faults.append(Fault(self._file, line, f"is not valid YAML: {problem}"))
            return None

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(Fault(self._file, line, "has a key that is not a word"))
                continue
            key = str(key_node.value)
            if key in result:
                self.faults.append(Fault(self._file, line, f"gives '{key}' twice"))
            self.lines[(*loc, key)] = line
            result[key] = self.value(value_node, (*loc, key))
        return result


def validate[M: BaseModel](document: Document, model: type[M]) -> M:
    """Check a document against its model.

    Raises:
        ConfigurationError: with every fault, each at its line.
    """
    if not isinstance(document.data, dict):
        raise ConfigurationError([document.fault((), "holds no keys")])
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise ConfigurationError(
            _as_fault(document, detail, model) for detail in error.errors(include_url=False)
        ) from error


def suggestion(word: str, known: Iterable[str]) -> str:
    """Give “did you mean …?” for a word that is nearly one of the known ones, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean '{close[0]}'?" if close else ""


def _as_fault(document: Document, detail: Any, model: type[BaseModel]) -> Fault:
    loc: Loc = tuple(detail["loc"])
    name = str(loc[-1]) if loc else ""
    where = ".".join(str(part) for part in loc)
    match detail["type"]:
        case "extra_forbidden":
            return document.fault(
                loc, f"unknown key '{name}'", suggestion(name, _keys_at(model, loc[:-1]))
            )
        case "missing":
            return document.fault(loc[:-1], f"the key '{name}' is missing")
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            return document.fault(loc, f"'{where}': {message[:1].lower()}{message[1:]}")


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """Give the keys that may stand at a place of a document."""
    models = [model]
    for part in loc:
        fields = [_keys(m)[str(part)] for m in models if str(part) in _keys(m)]
        # An index, or the name of an entry, leads to what the list or mapping holds.
        models = [inner for info in fields for inner in _models_in(info.annotation)] or models
    return [name for m in models for name in _keys(m)]


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Give the fields of a model by their names in a file."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = getattr(annotation, "__args__", ())
    return [model for argument in arguments for model in _models_in(argument)]
