"""Fail closed: whatever raises in a hook or a stream blocks the request, is counted and logged once."""

import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from mitmproxy import http
from mitmproxy.connection import Client
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from prometheus_client import Counter

from schoolgate.core.policy.decision import FILTER_ERROR
from schoolgate.proxy import transactions
from schoolgate.proxy.pages import Pages

logger = logging.getLogger(__name__)

type StreamFunction = Callable[[bytes], bytes | Iterable[bytes]]


class Guard:
    """The one boundary around everything that handles traffic.

    Args:
        pages: makes the page that a person sees.
        errors: counts, by hook.
        cut: closes a client's connection at once.
    """

    def __init__(self, pages: Pages, errors: Counter, cut: Callable[[Client], None]) -> None:
        self._pages = pages
        self._errors = errors
        self._cut = cut
        self._logged: set[tuple[str, type[BaseException]]] = set()
        # Writes down a request that ended in a fault; set by who knows how.
        self.record_fault: Callable[[http.HTTPFlow], None] = lambda _: None

    def close(self, hook: str, data: object, error: BaseException) -> None:
        """Block what a hook that raised was called with."""
        self._count(hook, error)
        try:
            self._block(hook, data)
        except Exception as second:  # noqa: BLE001 - the last resort below must be reached
            self._count(f"{hook}.close", second)
            self._kill(data)
        if isinstance(data, http.HTTPFlow):
            self._record(data)

    def stream(self, flow: http.HTTPFlow, function: StreamFunction) -> StreamFunction:
        """Wrap a stream callable: when it raises, nothing more is delivered on the connection."""
        return _Stream(self, flow, function)

    def end_stream(self, flow: http.HTTPFlow, error: BaseException) -> None:
        """Close the connection of a body whose stream raised."""
        self._count("stream", error)
        transactions.mark_cut(flow)
        self._cut(flow.client_conn)
        self._record(flow)

    def _record(self, flow: http.HTTPFlow) -> None:
        try:
            self.record_fault(flow)
        except Exception as error:  # noqa: BLE001 - blocked it is already
            self._count("record", error)

    def _count(self, hook: str, error: BaseException) -> None:
        self._errors.labels(hook=hook).inc()
        if (hook, type(error)) not in self._logged:
            self._logged.add((hook, type(error)))
            logger.error("Fault in %s: the request is blocked.", hook, exc_info=error)

    def _block(self, hook: str, data: object) -> None:
        match data:
            case http.HTTPFlow() if (
                hook in ("requestheaders", "request") and not data.request.stream
            ):
                # The response stops mitmproxy from asking the origin.
                data.response = self._pages.blocked(data.request, FILTER_ERROR)
                transactions.mark_answered(data)
            case http.HTTPFlow() if (
                hook == "response" and data.response is not None and not data.response.stream
            ):
                data.response = self._pages.blocked(data.request, FILTER_ERROR)
            case http.HTTPFlow() if hook == "websocket_message" and data.websocket is not None:
                data.websocket.messages[-1].drop()
                self._kill(data)
            case ServerConnectionHookData():
                data.server.error = "the filter met a fault of its own"
            case _:
                self._kill(data)

    def _kill(self, data: object) -> None:
        """Close what can be closed of whatever a hook was called with."""
        if isinstance(data, http.HTTPFlow):
            if data.killable:
                data.kill()
            self._cut(data.client_conn)
        else:
            client = getattr(getattr(data, "context", None), "client", None)
            if isinstance(client, Client):
                self._cut(client)


class _Stream:
    __slots__ = ("_flow", "_function", "_guard")

    def __init__(self, guard: Guard, flow: http.HTTPFlow, function: StreamFunction) -> None:
        self._guard = guard
        self._flow = flow
        self._function = function

    def __call__(self, chunk: bytes) -> bytes | Iterable[bytes]:
        try:
            return self._function(chunk)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self._function = _nothing
            self._guard.end_stream(self._flow, error)
            return []


def _nothing(_: bytes) -> Iterable[bytes]:
    return []


class HasGuard(Protocol):
    """An addon that carries the guard."""

    guard: Guard


def guarded[F: Callable[..., Any]](hook: F) -> F:
    """Put the guard around a hook method; what it may give to be awaited is guarded too."""
    name = hook.__name__

    @functools.wraps(hook)
    def guarded_hook(self: HasGuard, data: Any) -> Awaitable[None] | None:
        try:
            rest: Awaitable[None] | None = hook(self, data)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self.guard.close(name, data, error)
            return None
        return None if rest is None else _guarded_rest(self.guard, name, data, rest)

    return guarded_hook  # type: ignore[return-value]


async def _guarded_rest(guard: Guard, name: str, data: object, rest: Awaitable[None]) -> None:
    try:
        await rest
    except Exception as error:  # noqa: BLE001 - this is the boundary
        guard.close(name, data, error)
