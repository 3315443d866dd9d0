"""How the schools of a trust stand: looked at in turn, and remembered for the pages."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

from schoolgate.core.errors import SchoolgateError
from schoolgate.storage.gateway_states import Reports
from schoolgate.storage.school_glance import Glance, SchoolView

logger = logging.getLogger(__name__)

ROUND_SECONDS = 30.0
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a school.

    Attributes:
        school: its name.
        at: when; None where nobody has looked yet.
        glance: how it stands; None where it could not be read.
        fault: why not; "" where it could.
        gateways: what its gateways said last; None where it could not be read.
    """

    school: str
    at: datetime | None = None
    glance: Glance | None = None
    fault: str = ""
    gateways: Reports | None = None


class Overview:
    """Looks at every school once in half a minute, in threads of its own; a broken one holds up no other.

    Args:
        names: gives the schools that there are; may raise `SchoolgateError`.
        view: gives how one is read.
        now: gives the time, aware.
        pause: seconds between two rounds.
    """

    def __init__(
        self,
        names: Callable[[], Sequence[str]],
        view: Callable[[str], SchoolView],
        now: Callable[[], datetime],
        pause: float = ROUND_SECONDS,
    ) -> None:
        self._names = names
        self._view = view
        self._now = now
        self._pause = pause
        self._lock = Lock()
        self._seen: Mapping[str, Seen] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="schools", daemon=True)

    def start(self) -> None:
        """Look from now on, until the process ends or `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End it, after the round that runs."""
        self._ended.set()
        self._thread.join()

    def schools(self) -> list[str]:
        """Give the schools that there are, sorted."""
        return sorted(self._seen)

    def seen(self, schools: Iterable[str]) -> list[Seen]:
        """Give what was seen last of some schools, without asking any."""
        known = self._seen
        return [known[name] for name in sorted(schools) if name in known]

    def round(self) -> None:
        """Look at every school that there is.

        Raises:
            UnavailableError: when nobody can say which there are.
        """
        names = self._names()
        with self._lock:
            self._seen = {name: self._seen.get(name, Seen(name)) for name in names}
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self.look, names))

    def look(self, school: str) -> None:
        """Look at one school now."""
        try:
            view = self._view(school)
            glance = view.glance(self._now())
            found = Seen(school, self._now(), glance, gateways=view.gateways(school))
        except SchoolgateError as error:
            found = Seen(school, self._now(), fault=str(error))
        except Exception as error:
            # A school can put anything in the place of its tables.
            logger.exception("The school %s cannot be looked at", school)
            found = Seen(
                school, self._now(), fault=f"it holds what nobody can read ({error!r:.80})"
            )
        with self._lock:
            if school in self._seen:
                self._seen = {**self._seen, school: found}

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.round()
            except SchoolgateError as error:
                logger.error("The schools cannot be listed: %s", error)  # noqa: TRY400
            self._ended.wait(self._pause)
