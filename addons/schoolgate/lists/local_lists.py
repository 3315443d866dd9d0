"""The school's own lists: `allow.txt` and `block.txt`, one host or host/path a line."""

from pathlib import Path

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, ConfigurationError, Fault
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.documents import read_text

FILES = {"block.txt": LOCAL_BLOCK, "allow.txt": LOCAL_ALLOW}


def load_local_lists(directory: Path) -> tuple[ListEntry, ...]:
    """Read both lists; a file that does not exist is an empty list.

    Raises:
        ConfigurationError: with every line that is no host.
    """
    if not directory.is_dir():
        # Not an empty list: the school's own blocks must not vanish unnoticed.
        raise ConfigurationError(
            [Fault(str(directory), 0, "is not a directory", "see lists.local")]
        )
    entries: list[ListEntry] = []
    faults: list[Fault] = []
    for name, category in FILES.items():
        path = directory / name
        try:
            path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            # Not an empty list either.
            faults.append(Fault(str(path), 0, f"cannot be read: {error.strerror}"))
            continue
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            written = line.partition("#")[0].strip()
            if not written:
                continue
            try:
                entries.append(ListEntry.parse(written, category, f"local/{name}"))
            except BadAddressError as error:
                faults.append(Fault(str(path), number, str(error), "write only host or host/path"))
    if faults:
        raise ConfigurationError(faults)
    return tuple(entries)
