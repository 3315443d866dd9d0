"""An answer that passes while it is looked at: what passes, what waits, and what is stopped."""

from dataclasses import dataclass, field
from typing import Any, cast

from mitmproxy.test import tflow

from schoolgate.core.policy import Decision
from schoolgate.proxy.looking import Looking
from schoolgate.proxy.transactions import Transaction
from schoolgate.proxy.watching import Watch
from tests.proxy.test_watching import FILM, LIVE, watch

ENDED = b"#EXTM3U\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n"


@dataclass
class Told:
    """Notes what it is told, and lets a last word pass in the place of the rest."""

    clauses: list[str] = field(default_factory=list)

    def stop_under_way(
        self, flow: Any, transaction: Any, watch: Watch, decision: Decision, *, endable: bool
    ) -> list[bytes]:
        self.clauses.append(decision.clause)
        return [b"stopped"]

    def keep_reader(self, watch: Watch, transaction: Any) -> None:
        """Keep nothing."""


def passed(*chunks: bytes) -> tuple[list[bytes], list[str], bool]:
    """Give what passes of some bytes and the end, the clauses that stopped it, and if it is looked at on."""
    flow, told = tflow.tflow(resp=True), Told()
    assert flow.response is not None

    def stream(chunk: bytes) -> bytes:
        return chunk

    looking = Looking(told, flow, cast("Transaction", None), watch(), stream, endable=False)
    flow.response.stream = looking
    came: list[bytes] = []
    for chunk in (*chunks, b""):
        assert callable(flow.response.stream)
        given = flow.response.stream(chunk)
        came += [given] if isinstance(given, bytes) else given
    return [each for each in came if each], told.clauses, flow.response.stream is looking


def test_a_page_passes_and_is_soon_looked_at_no_more() -> None:
    assert passed(b"<!doctype html>", b"words", b"more") == (
        [b"<!doctype html>", b"words", b"more"], [], False,
    )  # fmt: skip


def test_a_list_in_disguise_waits_for_its_end_and_passes_whole() -> None:
    assert passed(ENDED[:20], ENDED[20:])[:2] == ([ENDED], [])


def test_of_a_list_without_an_end_nothing_passes_but_what_stands_in_its_place() -> None:
    assert passed(LIVE[:20], LIVE[20:])[:2] == ([b"stopped"], ["C-1"])


def test_a_film_is_stopped_when_it_says_that_it_is_long() -> None:
    came, clauses, _ = passed(FILM)
    assert (came, clauses) == ([b"stopped"], ["C-2"])
