"""The phrases in force: compiled once for all workers, and again when their files change."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from schoolgate.core.content import PhraseModel
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.lists.phrase_files import PHRASES, load_phrases

type _Stamp = tuple[tuple[str, int, int], ...]

# The latest, by what its files were. A process that is forked afterwards has it and shares its memory.
_compiled: dict[Path, tuple[_Stamp, PhraseModel]] = {}


def phrase_paths(dirs: Sequence[Path]) -> Iterator[Path]:
    """Give every file of phrases below the first directory of categories that has some."""
    directory = _directory(dirs)
    if directory is not None:
        yield from sorted(directory.rglob("*.yaml"))


def phrases_in_force(dirs: Sequence[Path]) -> PhraseModel:
    """Give the phrases of the directories of categories; what was compiled before if it is still the same.

    Raises:
        ConfigurationError: with every fault of every file, or when there are none.
    """
    directory = _directory(dirs)
    if directory is None:
        message = (
            f"no directory of lists.dirs has '{PHRASES}', by which the policy has pages judged"
        )
        hint = "add schoolgate's own 'categories', or take 'says' out of the policy"
        raise ConfigurationError([Fault("schoolgate.yaml", 0, message, hint)])
    # Before they are read: a change in between must be seen.
    stamp = _stamp(dirs)
    known = _compiled.get(directory)
    if known is None or known[0] != stamp:
        known = _compiled[directory] = stamp, load_phrases(directory)
    return known[1]


def _directory(dirs: Sequence[Path]) -> Path | None:
    found = (directory / PHRASES for directory in dirs)
    return next((directory.resolve() for directory in found if directory.is_dir()), None)


def _stamp(dirs: Sequence[Path]) -> _Stamp:
    stats = ((str(path), path.stat()) for path in phrase_paths(dirs))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
