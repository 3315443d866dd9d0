"""The tunnels of all devices in one event loop: follows who they are, and says when they were heard of."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from schoolgate.core.errors import UnavailableError
from schoolgate.wireguard.peers import PEERS, Peer, read_peers
from schoolgate.wireguard.seen import Seen, write_seen
from schoolgate.wireguard.streams import Surroundings
from schoolgate.wireguard.switch import Switch
from schoolgate.wireguard.tunnel import Tunnel

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.25
_TIDY_SECONDS = 10.0

type _Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """What the tunnels are given.

    Attributes:
        sockets: where devices come in.
        directory: with the devices.
        private_key: the gateway's.
    """

    sockets: Sequence[socket.socket]
    directory: Path
    private_key: str


@contextlib.asynccontextmanager
async def serving(place: Place, around: Surroundings) -> AsyncIterator[Switch]:
    """Have devices come in, and end all their connections at the end.

    Raises:
        UnavailableError: when the devices cannot be read.
    """
    loop = asyncio.get_running_loop()

    def made(peer: Peer, heard: Callable[[Tunnel], None]) -> Tunnel:
        return Tunnel(peer, place.private_key, around, heard)

    switch = Switch(place.private_key, made, around.refused)
    seen = _signature(place.directory)
    switch.put(read_peers(place.directory))
    for one in place.sockets:
        one.setblocking(False)
        loop.add_reader(one, switch.from_outside, one)
    tasks = [
        asyncio.ensure_future(_follow(switch, place.directory, seen)),
        asyncio.ensure_future(_tidy(switch, place.directory)),
    ]
    try:
        yield switch
    finally:
        for task in tasks:
            task.cancel()
        for one in place.sockets:
            loop.remove_reader(one)
        switch.close()


async def _follow(switch: Switch, directory: Path, seen: _Signature | None) -> None:
    """Put other devices in force as soon as they are written; a damaged file changes nothing."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        found = await asyncio.to_thread(_signature, directory)
        if found == seen:
            continue
        seen = found
        try:
            switch.put(await asyncio.to_thread(read_peers, directory))
        except UnavailableError as error:
            logger.error("The devices at home stay as they were: %s", error)  # noqa: TRY400


async def _tidy(switch: Switch, directory: Path) -> None:
    while True:
        seen = Seen(time.time(), switch.sights())
        try:
            await asyncio.to_thread(partial(write_seen, directory, seen))
        except OSError as error:
            logger.warning("When devices were seen cannot be written: %s", error)
        await asyncio.sleep(_TIDY_SECONDS)
        switch.tidy()


def _signature(directory: Path) -> _Signature | None:
    try:
        found = (directory / PEERS).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
