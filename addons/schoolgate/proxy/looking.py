"""An answer that passes while it is looked at."""

from collections.abc import Iterable
from typing import Protocol

from mitmproxy import http

from schoolgate.core.policy import Decision
from schoolgate.proxy.guard import StreamFunction
from schoolgate.proxy.transactions import Transaction
from schoolgate.proxy.watching import Watch


class Stops(Protocol):
    """What a stream tells of what it sees, as `Contents`."""

    def stop_under_way(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        watch: Watch,
        decision: Decision,
        *,
        endable: bool,
    ) -> list[bytes]:
        """Stop what streams; give what still passes."""

    def keep_reader(self, watch: Watch, transaction: Transaction) -> None:
        """Keep what was read of it."""


class Looking:
    """A stream that looks at what passes; a manifest in disguise waits for its end in there.

    Args:
        contents: stops what must not pass.
        flow: with the answer.
        transaction: of the request.
        watch: looks.
        stream: through what passes that may.
        endable: its end can be written in the place of the rest.
    """

    __slots__ = ("_contents", "_endable", "_flow", "_stream", "_transaction", "_waiting", "_watch")

    def __init__(
        self,
        contents: Stops,
        flow: http.HTTPFlow,
        transaction: Transaction,
        watch: Watch,
        stream: StreamFunction,
        *,
        endable: bool,
    ) -> None:
        self._contents = contents
        self._flow = flow
        self._transaction = transaction
        self._watch = watch
        self._stream = stream
        self._endable = endable
        self._waiting: list[bytes] = []

    def __call__(self, chunk: bytes) -> bytes | Iterable[bytes]:
        """Give what of some bytes passes; ``b""`` is the end of the body."""
        watch = self._watch
        if watch.is_done and not self._waiting:
            # The rest need not come by here.
            assert self._flow.response is not None
            self._flow.response.stream = self._stream
            return self._stream(chunk)
        decision = watch.look(chunk) if chunk else watch.end()
        if decision is not None:
            return self._contents.stop_under_way(
                self._flow, self._transaction, watch, decision, endable=self._endable
            )
        self._contents.keep_reader(watch, self._transaction)
        if watch.holds_whole:
            self._waiting.append(chunk)
            return []
        if not self._waiting:
            return self._stream(chunk)
        whole = b"".join((*self._waiting, chunk))
        self._waiting.clear()
        passed = self._stream(whole)
        # The end of the body is told by itself.
        return passed if chunk or not isinstance(passed, bytes) else [passed]
