"""Changed policy and list files come into force without a restart; a broken one never does."""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from schoolgate.core.errors import ConfigurationError

logger = logging.getLogger(__name__)

# The first makes what is missing, the second finds it made.
_MOST_LOADS = 3

type Signature = frozenset[tuple[str, int, int, int]]


class FileWatch[T]:
    """Looks at some files, and reloads when one changed and then stayed as it is for a look.

    Args:
        files: gives the files to look at, which may come and go.
        load: reads them all; raises ConfigurationError on a fault.
        put: puts a good result in force.
        failed: called when a change was refused.
        seen: what the files were before the engine in force was read.
        interval_seconds: between two looks.
        made: gives files that loading itself may make; a change of theirs counts only when somebody
            else made it.
        what: is in force then, for the log.
    """

    def __init__(
        self,
        files: Callable[[], Iterable[Path]],
        load: Callable[[], T],
        put: Callable[[T], None],
        failed: Callable[[], None],
        seen: Signature,
        interval_seconds: float = 0.5,
        made: Callable[[], Iterable[Path]] = tuple,
        what: str = "policy and lists are",
    ) -> None:
        self._files = files
        self._load = load
        self._put = put
        self._what = what
        self._failed = failed
        self._interval_seconds = interval_seconds
        self._stopping = threading.Event()
        self._made = made
        self._signature = self._last_look = (seen, signature(made()))
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> bool:
        """Look once; give whether other rules are in force now.

        Whatever else than a fault in a file goes wrong is tried again at the next look.
        """
        found = (signature(self._files()), signature(self._made()))
        settled, self._last_look = found == self._last_look, found
        # A file that changed since the last look may be half-written.
        if found == self._signature or not settled:
            return False
        try:
            loaded, made = self._load_settled()
        except ConfigurationError as error:
            self._signature = (found[0], signature(self._made()))
            logger.error("Not put in force; the last good state stays.\n%s", error)  # noqa: TRY400
            self._failed()
            return False
        self._put(loaded)
        self._signature = self._last_look = (found[0], made)
        logger.warning("The changed %s in force.", self._what)
        return True

    def _load_settled(self) -> tuple[T, Signature]:
        """Load, and once more where that made a file: somebody may have put another in its place since."""
        for _ in range(_MOST_LOADS):
            before = signature(self._made())
            loaded = self._load()
            if signature(self._made()) == before:
                break
        return loaded, before

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_seconds):
            try:
                self.look()
            except Exception:  # a supervised loop: the last good state stays in force
                logger.exception("What the %s read from could not be looked at.", self._what)
                self._failed()


def signature(files: Iterable[Path]) -> Signature:
    """Give what changes when one of the files does."""
    found = []
    for path in files:
        try:
            status = os.stat(path)  # noqa: PTH116 - twice as fast as Path.stat, for a hundred files each time
        except OSError:
            continue
        # The last is of owner and rights, too.
        found.append((str(path), status.st_mtime_ns, status.st_size, status.st_ctime_ns))
    return frozenset(found)
