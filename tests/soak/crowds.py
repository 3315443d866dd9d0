"""What many connections do at the same time: wait, begin and never go on, download."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import cycle

from tests.soak import http1
from tests.soak.stage import BLOCKED, SMALL, Site, Stage, download_path, end_at_once

type Keeper = Callable[[Stage], socket.socket]

_OPENERS = 12
_PIECE_BYTES = 256 * 1024
# A slow reader's buffer is small, so that what it does not take waits in the gateway.
_SLOW_PIECE_BYTES = 16 * 1024
_CRAWL_BYTES_A_SECOND = 500_000
_BETWEEN_BYTES_SECONDS = 2.0


# -- connections that wait --------------------------------------------------------------------------


def keep_plain(stage: Stage) -> socket.socket:
    """After a request over HTTP."""
    site, connection = stage.plain(stage.read()), stage.dial()
    http1.ask(connection, http1.head("GET", http1.url(site, SMALL), site), 200)
    return connection


def keep_read(stage: Stage) -> socket.socket:
    """After a request in a decrypted tunnel."""
    return _keep_inside(stage, stage.read())


def keep_passed(stage: Stage) -> socket.socket:
    """After a request in a tunnel that is carried unread."""
    return _keep_inside(stage, stage.passed())


def _keep_inside(stage: Stage, site: Site) -> socket.socket:
    connection = stage.dial()
    http1.open_tunnel(connection, site)
    inner = http1.encrypt(connection, site, stage.trusting)
    http1.ask(inner, http1.head("GET", SMALL, site), 200)
    return inner


KEEPERS: tuple[Keeper, ...] = (keep_plain, keep_read, keep_passed)


@contextmanager
def waiting(
    stage: Stage, number: int, said: Counter[str], keepers: tuple[Keeper, ...] = KEEPERS
) -> Iterator[None]:
    """Keep so many connections open that do nothing; half of them end with a reset."""
    kept: list[socket.socket] = []

    def open_one(keeper: Keeper) -> None:
        try:
            kept.append(keeper(stage))
        except (OSError, http1.UnexpectedError) as error:
            said[f"FAILED to keep: {error}"] += 1

    kinds = cycle(keepers)
    with ThreadPoolExecutor(_OPENERS) as pool:
        list(pool.map(open_one, [next(kinds) for _ in range(number)]))
    said["kept connections"] += len(kept)
    try:
        yield
    finally:
        for at, connection in enumerate(kept):
            if at % 2:
                end_at_once(connection)
            else:
                connection.close()


# -- ClientHellos that do not end -------------------------------------------------------------------


def dawdle(stage: Stage, number: int, said: Counter[str], stop: threading.Event) -> None:
    """Begin so many ClientHellos at once and send a byte now and then, until the gateway ends them."""
    begun: dict[socket.socket, bytes] = {}
    hosts = [stage.read().host] * 2 + [stage.passed().host, BLOCKED[0]]
    hellos = {host: http1.client_hello(host) for host in hosts}
    for _ in range(number):
        if stop.is_set():
            break
        host = random.choice(hosts)
        site = Site(host, stage.files.tls_port)
        try:
            connection = stage.dial()
            connection.sendall(http1.head("CONNECT", site.authority, site))
        except OSError:
            said["slow ClientHellos not taken"] += 1
            continue
        begun[connection] = hellos[host]
    said["slow ClientHellos"] += len(begun)
    said["most of them at once"] = max(said["most of them at once"], len(begun))
    for connection in begun:
        connection.setblocking(False)
    at = 0
    while begun and not stop.is_set():
        for connection in [one for one in begun if not _send_one(one, begun[one], at)]:
            del begun[connection]
            connection.close()
        at += 1
        stop.wait(_BETWEEN_BYTES_SECONDS)
    for connection in begun:
        connection.close()


def _send_one(connection: socket.socket, hello: bytes, at: int) -> bool:
    """Send the next byte; tell whether the connection is still open."""
    try:
        with suppress(BlockingIOError):
            while connection.recv(4096):
                # The gateway's answer to CONNECT.
                pass
            return False
        connection.send(hello[at : at + 1])
    except OSError:
        return False
    return True


# -- downloads --------------------------------------------------------------------------------------


def download(
    stage: Stage, number: int, size: int, seconds: float, said: Counter[str], stop: threading.Event
) -> None:
    """Download so many files at once, in every way, fast and slow; what is left at the end breaks off.

    Args:
        seconds: that the slow ones are to take; the slowest take longer, and are broken off.
    """
    ways = ("read", "passed", "plain")
    # Of eight: five as fast as it goes, two slow, one that crawls.
    paces = (0.0,) * 5 + (size / seconds,) * 2 + (_CRAWL_BYTES_A_SECOND,)
    with ThreadPoolExecutor(number) as pool:
        jobs = [
            pool.submit(
                _download, stage, ways[at % 3], size, paces[at // 3 % len(paces)], said, stop
            )
            for at in range(number)
        ]
    for job in jobs:
        job.result()


def _download(
    stage: Stage, way: str, size: int, pace: float, said: Counter[str], stop: threading.Event
) -> None:
    site = stage.passed() if way == "passed" else stage.read()
    path = download_path(size)
    try:
        with closing(stage.dial()) as connection:
            if pace:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * _SLOW_PIECE_BYTES)
            if way == "plain":
                site = stage.plain(site)
                request = http1.head("GET", http1.url(site, path), site)
                _take(connection, request, pace, said, stop)
                return
            http1.open_tunnel(connection, site)
            with http1.encrypt(connection, site, stage.trusting) as inner:
                _take(inner, http1.head("GET", path, site), pace, said, stop)
    except (OSError, http1.UnexpectedError) as error:
        said[f"FAILED download, {way}: {error}"] += 1


def _take(
    connection: socket.socket,
    request: bytes,
    pace: float,
    said: Counter[str],
    stop: threading.Event,
) -> None:
    connection.sendall(request)
    status, length, rest = http1.read_head(connection)
    if status != 200:
        raise http1.UnexpectedError(f"{status} for a download")
    got, begun = len(rest), time.monotonic()
    room = bytearray(_SLOW_PIECE_BYTES if pace else _PIECE_BYTES)
    while got < length and not stop.is_set():
        size = connection.recv_into(room)
        if not size:
            raise http1.UnexpectedError(f"{length - got} bytes of a download are missing")
        got += size
        ahead = got / pace - (time.monotonic() - begun) if pace else 0.0
        if ahead > 0:
            stop.wait(ahead)
    said["bytes downloaded"] += got
    said["downloads to the end" if got == length else "downloads broken off"] += 1
