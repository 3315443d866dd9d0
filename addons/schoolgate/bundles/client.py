"""Fetches what a centre has let out: metadata as The Update Framework has it, and files that resume."""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from schoolgate import __version__
from schoolgate.bundles.manifest import (
    MOST_MANIFEST_BYTES,
    BundleFile,
    Manifest,
    read_manifest,
    sha256_of,
)
from schoolgate.core.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_PIECE = 1 << 16
_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 20.0
_TRIES = 4


class _CutOffError(UnavailableError):
    """The rest may come at the next try."""


@dataclass(frozen=True, slots=True)
class Centre:
    """Where bundles are, and what is trusted.

    Attributes:
        url: below which ``metadata/``, ``targets/`` and ``blobs/`` are.
        root: the signed root that the gateway was given.
        ring: that it is in.
        context: how it speaks TLS; None for the system's authorities.
        most_seconds: that one fetch may take, of all files together.
        silent_seconds: without a byte, after which a connection is given up.
        clock: monotonic seconds.
    """

    url: str
    root: bytes
    ring: str
    context: ssl.SSLContext | None = None
    most_seconds: float = 3600.0
    silent_seconds: float = _SILENT_SECONDS
    clock: Callable[[], float] = time.monotonic


@dataclass
class Client(FetcherInterface):
    """Fetches from a centre, for as long as there is time.

    Args:
        centre: where.
    """

    centre: Centre
    _ends: float = field(init=False)

    def __post_init__(self) -> None:
        from urllib3 import PoolManager, Timeout  # noqa: PLC0415

        self._ends = self.centre.clock() + self.centre.most_seconds
        self._pool = PoolManager(
            ssl_context=self.centre.context or ssl.create_default_context(),
            timeout=Timeout(connect=_CONNECT_SECONDS, read=self.centre.silent_seconds),
            retries=False,
        )

    def manifest(self, metadata: Path) -> tuple[Manifest, bytes]:
        """Give what is let out into the ring, as it was signed.

        Args:
            metadata: folder of what was trusted last; older metadata is refused.

        Raises:
            RefusedError: when something is forged, older than what was seen, expired, or cut off.
            UnavailableError: when the centre cannot be reached, or the folder not be written.
        """
        base = self.centre.url.rstrip("/")
        config = UpdaterConfig(
            targets_max_length=1_000_000, snapshot_max_length=100_000, max_delegations=0
        )
        name = f"{self.centre.ring}.json"
        path = metadata / f"target.{name}"
        try:
            metadata.mkdir(parents=True, exist_ok=True)
            updater = Updater(
                str(metadata), f"{base}/metadata/", fetcher=self, config=config,
                bootstrap=self.centre.root,
            )  # fmt: skip
            found = updater.get_targetinfo(name)
            if found is None:
                raise RefusedError(f"Nothing is let out into the ring {self.centre.ring}.")
            if found.length > MOST_MANIFEST_BYTES:
                raise RefusedError("The bundle's manifest is refused: it is too large.")
            updater.download_target(found, str(path), f"{base}/targets/")
            content = path.read_bytes()
        except DownloadError as error:
            # Also more bytes than were announced, or fewer.
            raise UnavailableError(f"The centre cannot be asked: {_words(error)}.") from error
        except RepositoryError as error:
            raise RefusedError(f"What the centre says is refused: {_words(error)}.") from error
        except (OSError, ValueError) as error:
            raise UnavailableError(f"{metadata} cannot be used: {_words(error)}.") from error
        return read_manifest(content), content

    def blob(self, wanted: BundleFile, directory: Path) -> Path:
        """Fetch a file, from where it was cut off before.

        Args:
            wanted: what it must be.
            directory: of what was fetched.

        Returns:
            Where it is, whole.

        Raises:
            RefusedError: when it is not what was signed.
            UnavailableError: when it cannot be had.
        """
        whole = directory / wanted.sha256
        if whole.exists() and sha256_of(whole) == wanted.sha256:
            return whole
        part = directory / f"{wanted.sha256}.part"
        for tried in range(1, _TRIES + 1):
            before = part.stat().st_size if part.exists() else 0
            try:
                self._bring(wanted, part)
                break
            except _CutOffError:
                came = part.stat().st_size if part.exists() else 0
                if tried == _TRIES or came <= before:
                    raise
        if part.stat().st_size != wanted.length or sha256_of(part) != wanted.sha256:
            part.unlink()
            raise RefusedError(f"{wanted.path} is refused: it is not the file that was signed.")
        part.replace(whole)
        return whole

    def _bring(self, wanted: BundleFile, part: Path) -> None:
        """Bring what is missing of a file.

        Raises:
            RefusedError: when there is more than was signed.
            UnavailableError: when it cannot be had.
        """
        have = part.stat().st_size if part.exists() else 0
        if have >= wanted.length:
            # Whoever was killed before it was looked at; what is wrong begins anew.
            if have == wanted.length and wanted.length and sha256_of(part) == wanted.sha256:
                return
            part.unlink(missing_ok=True)
            have = 0
        url = f"{self.centre.url.rstrip('/')}/blobs/{wanted.sha256}"
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with self._answer(url, headers) as answer:
                goes_on = answer.status == 206 and _begins_at(answer, have)
                with part.open("ab" if goes_on else "wb") as file:
                    size = have if goes_on else 0
                    for piece in self._pieces(answer):
                        size += len(piece)
                        if size > wanted.length:
                            raise RefusedError(
                                f"{wanted.path} is refused: it is longer than signed."
                            )
                        file.write(piece)
        except DownloadError as error:
            raise _CutOffError(f"{wanted.path} cannot be had: {_words(error)}.") from error
        except OSError as error:
            raise UnavailableError(f"{part} cannot be written: {_words(error)}.") from error
        if size < wanted.length:
            raise _CutOffError(f"{wanted.path} was cut off.")

    def _fetch(self, url: str) -> Iterator[bytes]:
        with self._answer(url, {}) as answer:
            yield from self._pieces(answer)

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator["BaseHTTPResponse"]:
        from urllib3.exceptions import HTTPError, ProtocolError  # noqa: PLC0415

        try:
            try:
                answer = self._ask(url, headers)
            except ProtocolError:
                # A kept connection may be closed while it is asked (RFC 9112, 9.3.1).
                answer = self._ask(url, headers)
        except HTTPError as error:
            raise DownloadError(_words(error)) from error
        try:
            if answer.status not in (200, 206):
                raise DownloadHTTPError(f"it answers {answer.status}", answer.status)
            yield answer
        finally:
            # What is left of it is not waited for.
            answer.close()

    def _ask(self, url: str, headers: dict[str, str]) -> "BaseHTTPResponse":
        said = {"User-Agent": f"schoolgate/{__version__}", "Accept-Encoding": "identity", **headers}
        return self._pool.request(
            "GET", url, headers=said, preload_content=False, decode_content=False, redirect=False
        )

    def _pieces(self, answer: "BaseHTTPResponse") -> Iterator[bytes]:
        """Give what comes as it comes: who sends a byte now and then is given up all the same."""
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            while piece := answer.read1(_PIECE, decode_content=False):
                if self.centre.clock() > self._ends:
                    raise DownloadError("it is too slow")
                yield piece
        except HTTPError as error:
            raise DownloadError(_words(error)) from error


def _begins_at(answer: "BaseHTTPResponse", have: int) -> bool:
    """Ask whether a part of a file is the one that was asked for (RFC 9110, 14.4)."""
    return answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _words(error: BaseException) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return said.rstrip(".")[:300]
