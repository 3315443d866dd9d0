"""What became of each list at the last update that concerned it: what `lists diff` and the metrics tell."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.core.gate import Finding, Ground
from schoolgate.lists.generations import write_whole

_FILE = "report.json"


class Result(StrEnum):
    """What became of a list."""

    LIVE = "live"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ListReport:
    """What became of a list.

    Attributes:
        id: ``feed:list``.
        result: of the last update.
        why: it is held or failed.
        entries: that it has, or would have.
        added: number of entries that are new.
        removed: number of entries that are gone.
        examples: some of these, with + and -.
        findings: entries that were kept out.
        faults: some lines that are no entries, as ``line: text: why``.
        fault_count: how many there are.
    """

    id: str
    result: Result
    why: str = ""
    entries: int = 0
    added: int = 0
    removed: int = 0
    examples: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    faults: tuple[str, ...] = ()
    fault_count: int = 0

    @property
    def waiting(self) -> tuple[Finding, ...]:
        """Entries that a person may let go live."""
        return tuple(finding for finding in self.findings if finding.ground.holds)


def read_reports(state: Path) -> dict[str, ListReport]:
    """Give the last report of each list; what cannot be read is as if it had never been."""
    try:
        said = json.loads((state / _FILE).read_bytes())
        return {text["id"]: _report(text) for text in said}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_reports(state: Path, reports: Mapping[str, ListReport]) -> None:
    """Keep the reports.

    Raises:
        UnavailableError: when they cannot be written.
    """
    path = state / _FILE
    try:
        write_whole(path, json.dumps([asdict(report) for report in reports.values()]).encode())
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}") from error


def _report(text: dict[str, object]) -> ListReport:
    findings = tuple(
        Finding(said["entry"], Ground(said["ground"]), said["detail"])
        for said in text.pop("findings")  # type: ignore[attr-defined]
    )
    kept = {key: tuple(value) if isinstance(value, list) else value for key, value in text.items()}
    return ListReport(**kept | {"result": Result(str(text["result"])), "findings": findings})  # type: ignore[arg-type]
