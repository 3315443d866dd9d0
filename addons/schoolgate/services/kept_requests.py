"""Requests made while the store was out of reach: kept on this gateway, sent once when it is back."""

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from schoolgate.core.approvals import Actor, Form
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.services.approvals import Approvals

logger = logging.getLogger(__name__)

_MOST_WAITING = 1000
_MOST_OF_ONE = 20
_AGAIN_SECONDS = 2.0
_PRIVATE_DIRECTORY, _PRIVATE_FILE = 0o700, 0o600
_NEW_FILE = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
_KEPT, _UNREADABLE = ".json", ".unreadable"
# Of the state directory.
DIRECTORY = "kept-requests"


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """One form that waits.

    Attributes:
        submission: made at the gateway with the form; sent twice it makes one request.
        account: who sent it.
        form: what is asked.
        at: when it was sent, aware.
    """

    submission: str
    account: str
    form: Form
    at: datetime


_REQUEST = TypeAdapter(KeptRequest)


@dataclass(frozen=True, slots=True)
class KeptState:
    """How what is kept stands.

    Attributes:
        waiting: requests that wait to be sent.
        unreadable: files that were laid aside.
        since: Unix time at which the oldest that waits was kept; None where none does.
    """

    waiting: int
    unreadable: int
    since: float | None


class KeptRequests:
    """A directory with one file for each request, which is there whole and on the disk, or not at all.

    Args:
        directory: of them alone; made on first use.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._one_at_a_time = threading.Lock()

    def keep(self, request: KeptRequest) -> None:
        """Keep a request; it is on the disk when this returns.

        Raises:
            RefusedError: when too many wait, of all or of one person.
            UnavailableError: when it cannot be written.
        """
        with self._one_at_a_time:
            waiting = list(self.waiting())
            if len(waiting) >= _MOST_WAITING or (
                sum(each.account == request.account for each in waiting) >= _MOST_OF_ONE
            ):
                raise RefusedError(
                    "too many requests wait on this gateway to be sent: come back later"
                )
            try:
                self._write(request)
            except OSError as error:
                raise UnavailableError(f"{self._directory}: {error.strerror}") from error

    def _write(self, request: KeptRequest) -> None:
        self._directory.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        place = self._place(request)
        aside = place.with_suffix(".new")
        with os.fdopen(os.open(aside, _NEW_FILE, _PRIVATE_FILE), "wb") as file:
            file.write(_REQUEST.dump_json(request))
            file.flush()
            os.fsync(file.fileno())
        aside.rename(place)
        self._settle()

    def waiting(self) -> Iterator[KeptRequest]:
        """Give what waits, oldest first; a file that cannot be read is laid aside, and that is logged."""
        found = []
        for path in self._directory.glob(f"*{_KEPT}"):
            try:
                found.append(_REQUEST.validate_json(path.read_bytes(), strict=False))
            except (OSError, ValidationError):
                logger.error("A kept request cannot be read: %s", path)  # noqa: TRY400
                path.rename(path.with_suffix(_UNREADABLE))
        yield from sorted(found, key=lambda each: each.at)

    def state(self) -> KeptState:
        """Give how it stands, by the names of the files alone."""
        kept = list(self._times(_KEPT))
        unreadable = sum(1 for _ in self._times(_UNREADABLE))
        return KeptState(len(kept), unreadable, min(kept, default=None))

    def _times(self, ending: str) -> Iterator[float]:
        for path in self._directory.glob(f"*{ending}"):
            # What was sent meanwhile is not there any more.
            with suppress(FileNotFoundError):
                yield path.stat().st_mtime

    def forget(self, request: KeptRequest) -> None:
        """Remove what was sent."""
        self._place(request).unlink(missing_ok=True)
        self._settle()

    def _place(self, request: KeptRequest) -> Path:
        name = hashlib.sha256(request.submission.encode()).hexdigest()
        return self._directory / f"{name}{_KEPT}"

    def _settle(self) -> None:
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Delivery:
    """Sends what was kept as soon as the store can be written, each once, in a thread of its own.

    Args:
        kept: what waits.
        approvals: the service that requests go through.
        actor: gives who an account is now, None where it is closed; raises `UnavailableError`.
        now: gives the aware time.
    """

    def __init__(
        self,
        kept: KeptRequests,
        approvals: Approvals,
        actor: Callable[[str], Actor | None],
        now: Callable[[], datetime],
    ) -> None:
        self._kept = kept
        self._approvals = approvals
        self._actor = actor
        self._now = now

    def start(self) -> None:
        """Begin; it ends with the process, and goes on where it was with the next one."""
        threading.Thread(target=self._run, name="kept requests", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(_AGAIN_SECONDS):
            try:
                self.round()
            except UnavailableError:
                # Who followed the store has said so.
                continue
            except Exception:
                logger.exception("A kept request is not sent")

    def round(self) -> int:
        """Send what waits; give how many were sent or refused.

        Raises:
            UnavailableError: when the store is out of reach, still; what was not sent waits on.
        """
        done = 0
        for request in self._kept.waiting():
            self._send(request)
            # Ended here it is sent again, which makes no second request.
            self._kept.forget(request)
            done += 1
        return done

    def _send(self, request: KeptRequest) -> None:
        actor = self._actor(request.account)
        if actor is None or not actor.roles:
            self._refuse(request, "the account is closed")
            return
        try:
            self._approvals.submit(request.form, actor, self._now(), submission=request.submission)
        except RefusedError as error:
            self._refuse(request, str(error))

    def _refuse(self, request: KeptRequest, why: str) -> None:
        self._approvals.not_taken(request.account, request.form.url, why, self._now())
