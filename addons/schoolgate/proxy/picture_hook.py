"""Asks a program of the school's own what a picture shows; this process decodes no picture."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import orjson
import urllib3

# So many are asked about at once, each in a thread; pages have more, which wait within the same time.
THREADS = 8
MOST_WAITING = 64
_MOST_ANSWER_BYTES = 4096


class Shown(NamedTuple):
    """What a picture shows.

    Attributes:
        category: its id; empty for nothing that anybody minds.
        score: how sure that is, 0 to 1.
    """

    category: str
    score: float


@dataclass(frozen=True, slots=True)
class HookRules:
    """How pictures are judged.

    Attributes:
        url: to which a picture is posted.
        timeout_seconds: within which the answer must come.
        least_score: from which on a picture is what it is said to be.
        most_bytes: longer pictures are passed on unasked.
        blocks_unanswered: a picture of which nothing is heard is stopped.
    """

    url: str
    timeout_seconds: float = 1.0
    least_score: float = 0.8
    most_bytes: int = 1 << 20
    blocks_unanswered: bool = False


class PictureHook:
    """Posts pictures, off the event loop.

    Args:
        rules: whom to ask, and for how long.
    """

    def __init__(self, rules: HookRules) -> None:
        self.rules = rules
        self._asking = 0
        self._places = asyncio.Semaphore(THREADS)

    async def ask(self, picture: bytes, kind: str) -> Shown | None:
        """Ask what a picture shows; None where no answer comes in time, or none that can be read.

        Args:
            picture: its bytes, as they came from the site.
            kind: its media type. Nothing is told of the site, nor of who asked for it.
        """
        if self._asking >= MOST_WAITING:
            return None
        self._asking += 1
        try:
            async with asyncio.timeout(self.rules.timeout_seconds):
                await self._places.acquire()
                return await asyncio.shield(self._posted(picture, kind))
        except TimeoutError:
            return None
        finally:
            self._asking -= 1

    def _posted(self, picture: bytes, kind: str) -> "asyncio.Future[Shown | None]":
        loop = asyncio.get_running_loop()
        posted = loop.run_in_executor(self._threads, self._post, picture, kind)
        # What goes on after its time keeps its thread, and its place.
        posted.add_done_callback(lambda _: self._places.release())
        return posted

    def _post(self, picture: bytes, kind: str) -> Shown | None:
        end = time.monotonic() + self.rules.timeout_seconds
        try:
            answer = self._pool.request(
                "POST",
                self.rules.url,
                body=picture,
                headers={"Content-Type": kind, "Accept": "application/json"},
                redirect=False,
                preload_content=False,
            )
        except (OSError, urllib3.exceptions.HTTPError):
            return None
        try:
            return _read(answer, end)
        except (OSError, urllib3.exceptions.HTTPError):
            return None
        finally:
            answer.close()

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(
            maxsize=THREADS, retries=False, timeout=urllib3.Timeout(self.rules.timeout_seconds)
        )

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(THREADS, "pictures")


def _read(answer: urllib3.BaseHTTPResponse, end: float) -> Shown | None:
    """Read an answer that may have no end, or come a byte at a time."""
    said = b""
    while piece := answer.read1(_MOST_ANSWER_BYTES):
        said += piece
        if len(said) > _MOST_ANSWER_BYTES or time.monotonic() > end:
            return None
    return shown_of(said) if answer.status == 200 else None


def shown_of(said: bytes) -> Shown | None:
    """Read ``{"category": "adult", "score": 0.93}``; None for anything else."""
    try:
        read = orjson.loads(said)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(read, dict):
        return None
    category, score = read.get("category") or "", read.get("score", 0)
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    if not (isinstance(category, str) and is_number and 0 <= score <= 1):
        return None
    return Shown(category, float(score))
