"""What a school takes along when it leaves its trust: a directory that says of itself what is in it."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from schoolgate.core.errors import RefusedError, UnavailableError

DATABASE, EVENTS = "schoolgate.db", "events"
MANIFEST, README, SUMS = "manifest.json", "README.md", "SHA256SUMS"
_PRIVATE_FILE = 0o600

_TEXT = """\
# {school}: what its trust kept of it

Made {at} by schoolgate {version}. It holds personal data of pupils and staff:
keep it as the school keeps its own records.

| | |
|---|---|
| `schoolgate.db` | {database} |
| `events/` | {events} |
| `manifest.json` | rows of each table and file, and the SHA-256 of each file |
| `SHA256SUMS` | the same sums for `sha256sum` |

## Is it whole?

    sha256sum -c SHA256SUMS

Every row of `schoolgate.db` was compared with the trust's database, and its audit trail was gone
through, before this directory got its name. Check the sums before the gateway is started on the
database: from then on it changes.

## How the school goes on alone

1. Stop the gateway: `systemctl stop schoolgate`.
2. Put `schoolgate.db` into the gateway's state directory, readable by its user alone:
   `install -o schoolgate -g schoolgate -m 600 schoolgate.db /var/lib/schoolgate/schoolgate.db`
3. In `schoolgate.yaml` this line takes the place of the one that names the trust's server:

       database: sqlite:////var/lib/schoolgate/schoolgate.db

   Take out `trust:`, `bundles:`, and under `shipping: to:` the entry of `kind: nats`.
4. The school's policy extends one that the trust gave. That is in the gateway's state directory
   under `bundles/live`: copy its `policies/*.yaml`, and what lies beside `policies`, to where the
   school's own policy is. From now on the school may change it.
5. Lists come from their makers: `schoolgate lists update`.
6. `schoolgate policy check`, `schoolgate doctor` (which goes through the audit trail); then
   `systemctl start schoolgate`.

The gateway's authority (CA), keys and journal were on the gateway all the time and stay there.
Any tool that reads Parquet reads the events:

    duckdb -c "SELECT verdict, count(*) FROM read_parquet('events/*/*/*.parquet') GROUP BY ALL"
"""


@dataclass(frozen=True, slots=True)
class TakenTable:
    """A table of the database: its name, rows, and a digest over all of them in any order."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file: where it is in the directory, bytes, SHA-256, and of a table of events its lines."""

    path: str
    bytes: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """What a school takes along.

    Attributes:
        school: its name in the trust.
        at: when it was taken, ISO 8601 in UTC.
        version: of schoolgate.
        tables: of the database; none where no gateway was ever started on it.
        has_events: whether tables of events were asked for.
        files: all but the manifest and the sums themselves.
    """

    school: str
    at: str
    version: str
    tables: tuple[TakenTable, ...]
    has_events: bool
    files: tuple[TakenFile, ...]

    @property
    def rows(self) -> int:
        """Rows of the database."""
        return sum(each.rows for each in self.tables)

    @property
    def events(self) -> dict[str, TakenFile]:
        """The tables of events, by their place below ``events``."""
        start = f"{EVENTS}/"
        return {
            each.path.removeprefix(start): each
            for each in self.files
            if each.path.startswith(start)
        }

    @property
    def lines(self) -> int:
        """Lines of the events."""
        return sum(each.rows or 0 for each in self.events.values())


def write_departure(
    directory: Path,
    school: str,
    now: datetime,
    version: str,
    tables: tuple[TakenTable, ...],
    events: Mapping[str, int] | None,
) -> Departure:
    """Say in a directory what is in it: README, manifest and sums.

    Args:
        directory: with the database and the tables of events.
        school: whose.
        now: aware.
        version: of schoolgate.
        tables: of the database.
        events: lines by place below ``events``; None where they were not asked for.

    Raises:
        OSError: when it cannot be written.
    """
    at = now.isoformat(timespec="seconds")
    lines = {f"{EVENTS}/{path}": rows for path, rows in (events or {}).items()}
    rows = sum(each.rows for each in tables)
    said = {
        "database": f"{rows} rows in {len(tables)} tables: requests, grants, people, registers, audit trail"
        if tables
        else "not there: no gateway was ever started on the school's database",
        "events": f"{sum(lines.values())} lines of the journal in {len(lines)} files, by day and hour in UTC"
        if events is not None
        else "not there: they were not asked for",
    }
    text = _TEXT.format(school=school, at=at, version=version, **said)
    _write(directory / README, text.encode())
    found = sorted(one for one in directory.rglob("*") if one.is_file())
    files = tuple(_taken(directory, one, lines) for one in found)
    departure = Departure(school, at, version, tables, events is not None, files)
    manifest = json.dumps(asdict(departure), indent=1, ensure_ascii=False).encode() + b"\n"
    _write(directory / MANIFEST, manifest)
    sums = [(each.sha256, each.path) for each in files]
    sums.append((hashlib.sha256(manifest).hexdigest(), MANIFEST))
    _write(directory / SUMS, "".join(f"{sum_}  {path}\n" for sum_, path in sums).encode())
    return departure


def check_departure(directory: Path, school: str) -> Departure:
    """Give what a directory says of itself, once every file is what it says.

    Raises:
        RefusedError: when it is no export, another school's, or a file is missing or changed.
        UnavailableError: when it cannot be read.
    """
    try:
        said = json.loads((directory / MANIFEST).read_bytes())
        departure = Departure(
            said["school"], said["at"], said["version"],
            tuple(TakenTable(**each) for each in said["tables"]), said["has_events"],
            tuple(TakenFile(**each) for each in said["files"]),
        )  # fmt: skip
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            f"{directory} is there, and no export of a school: name another directory"
        ) from error
    except OSError as error:
        raise UnavailableError(f"{directory} cannot be read: {error.strerror}") from error
    if departure.school != school:
        raise RefusedError(f"{directory} is the export of {departure.school}, not of {school}")
    for each in departure.files:
        try:
            found = _taken(directory, directory / each.path, {each.path: each.rows})
        except OSError as error:
            raise RefusedError(
                f"{directory / each.path} cannot be read: {error.strerror}"
            ) from error
        if found != each:
            raise RefusedError(f"{directory / each.path} is not what {MANIFEST} says")
    return departure


def _taken(directory: Path, file: Path, lines: Mapping[str, int | None]) -> TakenFile:
    path = file.relative_to(directory).as_posix()
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return TakenFile(path, file.stat().st_size, digest, lines.get(path))


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(
        os.open(file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, _PRIVATE_FILE), "wb"
    ) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
