"""How the stream of this gateway stands at its leaf node, for who looks at it once."""

import asyncio
from dataclasses import dataclass

from schoolgate.core.errors import UnavailableError
from schoolgate.core.shipment import stream
from schoolgate.shipping.nats_access import Access, opened

_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LeafState:
    """How it stands.

    Attributes:
        messages: that the stream keeps.
        takers: consumers of it; the centre is one while the line to it is there.
    """

    messages: int
    takers: int


def leaf_state(access: Access, school: str, gateway: str) -> LeafState:
    """Ask the leaf.

    Raises:
        OSError: when it is away, does not let us in, or has no such stream.
        UnavailableError: when nats-py is not installed.
    """
    try:
        return asyncio.run(asyncio.wait_for(_asked(access, school, gateway), 2 * _ANSWER_SECONDS))
    except TimeoutError as error:
        raise OSError(f"{access.url} does not answer") from error
    except (OSError, UnavailableError):
        raise
    except Exception as error:
        raise OSError(f"{access.url}: {error or type(error).__name__}") from error


async def _asked(access: Access, school: str, gateway: str) -> LeafState:
    client = await opened(access, "schoolgate doctor")
    try:
        context = client.jetstream(timeout=_ANSWER_SECONDS)
        state = (await context.stream_info(stream(school, gateway))).state
    finally:
        await client.close()
    return LeafState(state.messages, state.consumer_count)
