"""What people decided about updates of lists: what may go live, and what was taken back; one small file."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from schoolgate.core.errors import ConfigurationError, Fault, UnavailableError
from schoolgate.lists.generations import write_whole

_FILE = "decided.json"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided.

    Attributes:
        copies: list → digest of the copy that may go live although its size is not plausible.
        entries: list → entries that may go live although they close what is guarded.
        held: list → why it stays as it is until somebody approves it.
    """

    copies: Mapping[str, str] = field(default_factory=dict)
    entries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)

    def approved_of(self, name: str) -> str:
        """Give what changes when what is approved of a list does; empty where nothing is."""
        said = [self.copies.get(name, ""), *sorted(self.entries.get(name, ()))]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16] if any(said) else ""

    def with_copy(self, name: str, digest: str) -> "Decided":
        """Let a copy of a list go live, whatever was held of it as a whole."""
        held = {other: why for other, why in self.held.items() if other != name}
        return replace(self, copies={**self.copies, name: digest}, held=held)

    def with_entries(self, name: str, entries: Collection[str]) -> "Decided":
        """Let entries of a list go live."""
        every = tuple(sorted({*self.entries.get(name, ()), *entries}))
        return replace(self, entries={**self.entries, name: every})

    def with_held(self, names: Collection[str], why: str) -> "Decided":
        """Keep lists as they are until somebody approves them."""
        return replace(self, held={**self.held, **dict.fromkeys(names, why)})


def read_decided(state: Path) -> Decided:
    """Read what was decided.

    Raises:
        ConfigurationError: when the file is there and cannot be read.
    """
    path = state / _FILE
    try:
        said = json.loads(path.read_bytes())
        entries = {name: tuple(kept) for name, kept in said["entries"].items()}
        return Decided(dict(said["copies"]), entries, dict(said["held"]))
    except FileNotFoundError:
        return Decided()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Not as if nothing had been decided: what was taken back would go live again.
        hint = "remove it, and approve again what may go live"
        raise ConfigurationError([Fault(str(path), 0, "cannot be read", hint)]) from error


def write_decided(state: Path, decided: Decided) -> None:
    """Write down what was decided.

    Raises:
        UnavailableError: when it cannot be written.
    """
    said = {
        "copies": dict(decided.copies),
        "entries": {name: list(kept) for name, kept in decided.entries.items()},
        "held": dict(decided.held),
    }
    path = state / _FILE
    try:
        write_whole(path, json.dumps(said, indent=1).encode())
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}") from error
