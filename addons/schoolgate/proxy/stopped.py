"""The streams that were stopped a moment ago: whose player asks again is answered without the origin."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from schoolgate.core.media import Format, playback_of
from schoolgate.core.policy import Decision, PolicyEngine, WebRequest
from schoolgate.core.urls import Url

_MOST_KEPT = 2_000
_KEPT_SECONDS = 300.0

type _Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stream that was stopped.

    Attributes:
        decision: on it.
        found: what it was; None for none of media.
        engine: that decided; another one decides again.
        until: monotonic seconds.
    """

    decision: Decision
    found: Format | None
    engine: PolicyEngine
    until: float


class StoppedStreams:
    """Remembers some of each client's, the latest.

    Args:
        name: gives what is the same for all requests for one.
    """

    def __init__(self, name: Callable[[WebRequest], str] | None = None) -> None:
        self._name = name or _stream_of
        self._kept: OrderedDict[_Key, Stopped] = OrderedDict()

    def add(
        self, request: WebRequest, decision: Decision, found: Format | None, engine: PolicyEngine
    ) -> None:
        """Remember one, by who asked for it and its address."""
        until = time.monotonic() + _KEPT_SECONDS
        self._kept[self._key(request)] = Stopped(decision, found, engine, until)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

    def find(self, request: WebRequest, engine: PolicyEngine) -> Stopped | None:
        """Give what a request asks for again; None where it does not, or the rules are others now."""
        if not self._kept:
            return None
        found = self._kept.get(self._key(request))
        if found is None or found.engine is not engine or found.until < time.monotonic():
            return None
        return found

    def _key(self, request: WebRequest) -> _Key:
        client = request.client
        return client.address, client.user, client.group, self._name(request)


def _stream_of(request: WebRequest) -> str:
    return stream_of(request.url)


def stream_of(url: Url) -> str:
    """Give what is the same for all requests for a stream: its film, or its address without the query."""
    playback = playback_of(url)
    return f"video:{playback.video}" if playback and playback.video else url.without_query
