"""Which leaves the stream of the centre takes messages from, and how far it is with each."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schoolgate.core.shipment import STREAM, stream, subject
from schoolgate.shipping.nats_access import Access, opened

if TYPE_CHECKING:
    from nats.aio.client import Client

_ANSWER_SECONDS = 30
_KEEP_NS = 14 * 86_400 * 10**9
_WINDOW_NS = 120 * 10**9
_NANOSECONDS = 10**9
# A source that was silent for longer is away: it says each few seconds that it is there.
_SILENT_SECONDS = 60
_NO_STREAM = 10_059


@dataclass(frozen=True, slots=True)
class Source:
    """A leaf of which the centre has messages.

    Attributes:
        name: of its stream.
        lag: messages that it has and the centre has not.
        is_here: whether it has been heard of.
    """

    name: str
    lag: int
    is_here: bool


def sources_of(access: Access, wanted: Sequence[tuple[str, str]]) -> list[Source]:
    """Have the stream of the centre take what these leaves keep; give all that it has.

    Args:
        access: to the server of the centre.
        wanted: schools and gateways; without any it stays as it is.

    Raises:
        OSError: when the server is away or does not let us.
    """
    return asyncio.run(_sources_of(access, wanted))


async def _sources_of(access: Access, wanted: Sequence[tuple[str, str]]) -> list[Source]:
    client = await opened(access, "schoolgate sources")
    try:
        there = await _asked(client, f"STREAM.INFO.{STREAM}", None)
        if wanted:
            what = "CREATE" if there.get("error", {}).get("err_code") == _NO_STREAM else "UPDATE"
            there = await _asked(client, f"STREAM.{what}.{STREAM}", _config(wanted))
            there = await _asked(client, f"STREAM.INFO.{STREAM}", None)
        if "error" in there:
            raise OSError(f"{access.url}: {there['error'].get('description')}")
    finally:
        await client.close()
    return [
        Source(one["name"], one["lag"], 0 <= one["active"] < _SILENT_SECONDS * _NANOSECONDS)
        for one in there.get("sources", ())
    ]


def _config(wanted: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Give the stream of the centre; nats-py knows no prefix for what is delivered."""
    return {
        "name": STREAM,
        "storage": "file",
        "retention": "limits",
        "max_age": _KEEP_NS,
        "duplicate_window": _WINDOW_NS,
        "sources": [
            {
                "name": stream(school, gateway),
                "filter_subject": subject(school, gateway),
                "external": {
                    "api": f"JS.{stream(school, gateway)}.API",
                    "deliver": f"forward.{school}.{gateway}",
                },
            }
            for school, gateway in wanted
        ],
    }


async def _asked(client: "Client", what: str, config: Any) -> dict[str, Any]:
    from nats.errors import Error  # noqa: PLC0415 - installed, since it is connected

    payload = json.dumps(config).encode() if config is not None else b""
    try:
        answer = await client.request(f"$JS.API.{what}", payload, timeout=_ANSWER_SECONDS)
    except Error as error:
        raise OSError(f"JetStream does not answer: {error or type(error).__name__}") from error
    found: dict[str, Any] = json.loads(answer.data)
    return found
